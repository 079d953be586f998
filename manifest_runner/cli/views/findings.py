"""Findings as the result of ``validate``, in each of its formats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from manifest_runner.cli.views.row_counts import rows_words
from manifest_runner.commands.validate import Valid
from manifest_runner.diagnostics.finding import Finding, InvalidManifest
from manifest_runner.diagnostics.formats import finding_document, finding_lines, github_line
from manifest_runner.text import counted


def finding_lines_in(style: str, found: Iterable[Finding], *, on_terminal: bool) -> Iterator[str]:
    """The findings as text, or as annotations for GitHub."""
    for finding in found:
        if style == "github":
            yield github_line(finding)
        else:
            yield from finding_lines(finding, on_terminal=on_terminal)


def summary_lines(checked: Mapping[Path, Valid | InvalidManifest]) -> Iterator[str]:
    """One line for each manifest."""
    for manifest, result in checked.items():
        if isinstance(result, InvalidManifest):
            yield f"{manifest}: {counted(len(result.errors), 'error')}"
        else:
            rows = rows_words(result.rows, result.left_out)
            yield f"{manifest}: valid, {counted(result.items, 'item')}{rows and f' from {rows}'}"


def findings_document(found: Iterable[Finding]) -> list[dict[str, object]]:
    return [finding_document(finding) for finding in found]


def findings_sarif(found: Iterable[Finding]) -> str:
    """SARIF is a list of problems, so information is left out. Raises UsageProblem (see ``sarif_text``)."""
    from manifest_runner.diagnostics.sarif import sarif_text

    return sarif_text([finding for finding in found if finding.severity != "info"])
