"""``report``: the lockfile for people and for other programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from manifest_runner.cli.console import Console
from manifest_runner.cli.options import FILE, console_options, one_manifest, target_options
from manifest_runner.commands.setup.options import Target
from manifest_runner.errors import UsageProblem

if TYPE_CHECKING:
    from manifest_runner.report import Style

EPILOG = """\b
Examples:
  manifest-runner report germline.yaml --open
  manifest-runner report germline.yaml --format junit -o junit.xml

\b
The report shows the lockfile as it is; run `manifest-runner status` first to update it.
"""


@click.command(epilog=EPILOG)
@one_manifest
@click.option(
    "--format",
    "style",
    type=click.Choice(["html", "junit", "markdown", "csv", "json"]),
    show_default="html; json with --json",
    help="The format to write.",
)
@click.option(
    "--output",
    "-o",
    type=FILE,
    metavar="FILE",
    show_default="stdout; on a terminal, and with --open, MANIFEST's name with .report.html",
    help="Write to this file.",
)
@click.option("--open", "is_to_open", is_flag=True, help="Open the page in the browser.")
@target_options
@console_options
def command(
    manifest: Path, style: Style | None, output: Path | None, is_to_open: bool, target: Target, console: Console
) -> None:
    """Write the lockfile as HTML, JUnit, Markdown, CSV or JSON.

    HTML is a page to look at, JUnit is for CI systems, Markdown for a pull request, CSV for a spreadsheet and JSON for
    a program. Needs no network, unless the manifest uses `state`.
    """
    from manifest_runner.commands.setup.opened import workspace_of
    from manifest_runner.files import replace_file

    style = style or ("json" if console.as_json and output is None and not is_to_open else "html")
    if is_to_open and style != "html":
        raise UsageProblem(f"--open shows html, not {style}")
    text = _report(manifest, target, style)
    if output is None and style == "html" and (is_to_open or sys.stdout.isatty()):
        output = workspace_of(manifest, target).folder / f"{manifest.stem}.report.html"
    if output is None:
        sys.stdout.buffer.write(text.encode())
        return
    replace_file(output, text.encode())
    console.note(f"wrote {output}")
    console.result([], {"report": str(output), "format": style})
    if is_to_open:
        click.launch(str(output))


def _report(manifest: Path, target: Target, style: Style) -> str:
    import time

    from manifest_runner.commands.setup.context import Context
    from manifest_runner.commands.setup.opened import find_lockfile
    from manifest_runner.manifest.yaml_file import require_manifest
    from manifest_runner.report import ReportSource, ica_web_url, write_report
    from manifest_runner.timestamps import timestamp

    found = find_lockfile(manifest, target, Context())
    state = found.lockfile
    if state is None:
        require_manifest(manifest)
        raise UsageProblem(f"{found.where}: there is no lockfile yet; `manifest-runner run` writes it")
    source = ReportSource(str(manifest), timestamp(time.time()), ica_web_url(state.server))
    return write_report(state, style, source=source)
