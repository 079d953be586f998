"""Findings as the result of ``validate``, in each of its formats."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from manifest_runner.cli.console import Console, print_json
from manifest_runner.cli.views.rows import rows_words
from manifest_runner.commands.validate import Valid
from manifest_runner.diagnostics.finding import Finding
from manifest_runner.diagnostics.formats import finding_document, finding_lines, github_line
from manifest_runner.text import counted


def print_findings(found: list[Finding], valid: Mapping[Path, Valid], style: str, console: Console) -> None:
    """Print the findings; ``valid`` are the manifests without errors.

    SARIF is a list of problems, so information is left out there. Raises UsageProblem (see ``sarif_text``).
    """
    if style == "json":
        print_json([finding_document(finding) for finding in found])
        return
    if style == "sarif":
        from manifest_runner.diagnostics.sarif import sarif_text

        faults = [finding for finding in found if finding.severity != "info"]
        click.echo(sarif_text(faults).encode("utf-8", "backslashreplace"))
        return
    for finding in found:
        lines = [github_line(finding)] if style == "github" else finding_lines(finding, on_terminal=sys.stdout.isatty())
        console.lines(lines)
    if not console.quiet and style == "text":
        for manifest, found_in in valid.items():
            rows = rows_words(found_in.rows, found_in.left_out)
            console.lines([f"{manifest}: valid, {counted(found_in.items, 'item')}{rows and f' from {rows}'}"])
