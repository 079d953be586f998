"""``validate``: the checks alone."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from manifest_runner.cli.console import Console, error_document, print_json
from manifest_runner.cli.options import console_options, many_manifests, target_options
from manifest_runner.cli.progress import working
from manifest_runner.commands.setup.options import Target
from manifest_runner.diagnostics.finding import Finding, InvalidManifest
from manifest_runner.errors import UsageProblem

if TYPE_CHECKING:
    from manifest_runner.commands.validate import Valid


@click.command
@many_manifests
@click.option("--strict", is_flag=True, help="Treat warnings as errors.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
    help="How to print what was found.",
)
@target_options
@console_options
def command(manifests: tuple[Path, ...], style: str, strict: bool, target: Target, console: Console) -> int:
    """Check manifests and all their items.

    Checks the YAML, the schema, the samplesheets, and each item against the API's rules. Needs no network.
    """
    from manifest_runner.commands.validate import validate

    found: list[Finding] = []
    checked: dict[Path, Valid | InvalidManifest] = {}
    code, missing = 0, None
    with working(console) as context:
        for manifest in manifests:
            try:
                checked[manifest] = validate(manifest, target, context, strict=strict)
                found += checked[manifest].findings
            except InvalidManifest as e:
                checked[manifest] = e
                found += e.findings
                code = code or e.exit_code
            except UsageProblem as e:  # check the others even if one manifest does not exist
                if len(manifests) == 1:
                    raise
                console.explain(e)
                code, missing = e.exit_code, e
    if missing is not None and console.as_json:
        print_json(error_document(missing, found))
    else:
        _show(found, checked, "json" if console.as_json else style, console)
    return code


def _show(found: list[Finding], checked: Mapping[Path, Valid | InvalidManifest], style: str, console: Console) -> None:
    """Print the findings as the result, and a line for each manifest."""
    from manifest_runner.cli.views import findings as view

    match style:
        case "json":
            print_json(view.findings_document(found))
        case "sarif":
            click.echo(view.findings_sarif(found).encode("utf-8", "backslashreplace"))
        case _:
            console.lines(view.finding_lines_in(style, found, on_terminal=sys.stdout.isatty()))
            if style == "text" and not console.quiet:
                console.lines(view.summary_lines(checked))
