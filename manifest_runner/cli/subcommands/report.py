"""``report``: the lockfile for people and for other programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from manifest_runner.cli.console import Console
from manifest_runner.cli.options import console_options, one_manifest, target_options
from manifest_runner.cli.parameter_types import FILE
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
    help="Write to this file; - is stdout.",
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
    from manifest_runner.commands.report import report, report_path, save_report
    from manifest_runner.commands.setup.context import Context

    is_stdout = output is not None and str(output) == "-"
    style = style or ("json" if console.as_json and (output is None or is_stdout) and not is_to_open else "html")
    if is_to_open and (is_stdout or style != "html"):
        raise UsageProblem(f"--open shows {'a file, not stdout' if is_stdout else f'html, not {style}'}")
    text = report(manifest, target, style, Context())
    if output is None and style == "html" and (is_to_open or sys.stdout.isatty()):
        output = report_path(manifest, target)
    if output is None or is_stdout:
        sys.stdout.buffer.write(text.encode())
        return
    save_report(text, output, manifest, target)
    console.note(f"wrote {output}")
    console.result([], {"report": str(output), "format": style})
    if is_to_open:
        click.launch(str(output))
