"""``outputs``: the results of analyses."""

from __future__ import annotations

from pathlib import Path

import click
from msgspec import structs

from manifest_runner.cli.console import Console
from manifest_runner.cli.options import one_manifest, outcome_options
from manifest_runner.cli.parameter_types import FOLDER
from manifest_runner.cli.progress import working
from manifest_runner.commands.setup.options import RunOptions, Target

EPILOG = """\b
Examples:
  manifest-runner outputs germline.yaml                                   list and record them
  manifest-runner outputs germline.yaml --format csv > outputs.csv
  manifest-runner outputs germline.yaml --download results --include '*.vcf.gz'

\b
Asks ICA once about each analysis that succeeded; the lockfile keeps the answer. Downloads to
DIR/USER_REFERENCE/OUTPUT/PATH. An interrupted download resumes where it stopped, and files that
already exist are not downloaded again. Exit 1: some files could not be downloaded.
"""


@click.command(epilog=EPILOG)
@one_manifest
@click.option(
    "--format", "style", type=click.Choice(["table", "json", "csv"]), show_default="table", help="The format to print."
)
@click.option("--download", "folder", type=FOLDER, metavar="DIR", help="Download the files of the outputs.")
@click.option("--include", multiple=True, metavar="GLOB", help="With --download, only files of this name; repeatable.")
@outcome_options
def command(
    manifest: Path,
    style: str | None,
    folder: Path | None,
    include: tuple[str, ...],
    target: Target,
    options: RunOptions,
    console: Console,
) -> int:
    """List, record and download the outputs of analyses."""
    from manifest_runner.cli.views.outputs import outputs_csv, outputs_document, outputs_lines
    from manifest_runner.commands.outcomes.download import download_options
    from manifest_runner.commands.outputs import outputs

    into = download_options(folder, include)
    with working(console) as context:
        found = outputs(manifest, target, options, context, into)
    if style == "csv":
        click.echo(outputs_csv(found), nl=False)
    else:
        if style == "json":
            console = structs.replace(console, as_json=True)
        console.result(outputs_lines(found), outputs_document(found))
    return int(found.downloaded is not None and bool(found.downloaded.missing))
