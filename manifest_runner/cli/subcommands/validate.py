"""``validate``: the checks alone."""

from __future__ import annotations

from pathlib import Path

import click

from manifest_runner.cli.console import Console
from manifest_runner.cli.options import console_options, many_manifests, target_options
from manifest_runner.cli.progress import working
from manifest_runner.commands.setup.options import Target
from manifest_runner.diagnostics.finding import Finding, InvalidManifest
from manifest_runner.errors import UsageProblem


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
    from manifest_runner.cli.views.findings import print_findings
    from manifest_runner.commands.validate import Valid, validate

    found: list[Finding] = []
    valid: dict[Path, Valid] = {}
    code = 0
    with working(console) as context:
        for manifest in manifests:
            try:
                valid[manifest] = validate(manifest, target, context, strict=strict)
                found += valid[manifest].findings
            except InvalidManifest as e:
                found += e.findings
                code = code or e.exit_code
            except UsageProblem as e:  # a manifest that does not exist does not keep the others from being checked
                if len(manifests) == 1:
                    raise
                console.explain(e)
                code = e.exit_code
    print_findings(found, valid, "json" if console.as_json else style, console)
    return code
