"""``import``: rebuild a lost lockfile."""

from __future__ import annotations

from pathlib import Path

import click

from manifest_runner.cli.console import Console
from manifest_runner.cli.options import console_options, follow_options, one_manifest, target_options
from manifest_runner.cli.progress import working
from manifest_runner.commands.setup.options import RunOptions, Target

EPILOG = """\b
Without --batch-id, finds the analyses by the stamp that `run` adds to their technical tags. An
item whose creation failed has no analysis, so only --batch-id finds it.
Afterwards `manifest-runner plan` shows how the launches compare with the manifest.
"""


@click.command(name="import", epilog=EPILOG)
@one_manifest
@click.option(
    "--batch-id",
    "batch_ids",
    multiple=True,
    metavar="ID",
    show_default="by stamp",
    help="Import this batch; repeatable.",
)
@follow_options
@target_options
@console_options
def command(manifest: Path, batch_ids: tuple[str, ...], target: Target, options: RunOptions, console: Console) -> None:
    """Rebuild a lost lockfile from ICA."""
    from manifest_runner.cli.views.imported import imported_document, imported_lines
    from manifest_runner.commands.import_ import import_lockfile

    with working(console) as context:
        done = import_lockfile(manifest, target, batch_ids, options.timeout, context)
    console.result(imported_lines(done), imported_document(done))
