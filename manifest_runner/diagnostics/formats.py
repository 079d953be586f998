"""Findings as text, as GitHub annotations and as JSON."""

from __future__ import annotations

from typing import Any

from manifest_runner.diagnostics.finding import Finding, finding_line
from manifest_runner.diagnostics.snippet import excerpt
from manifest_runner.signed_urls import mask_signatures


def finding_lines(finding: Finding, *, on_terminal: bool) -> list[str]:
    """A finding for a person; on a terminal with its source line, unless it is information about the whole file."""
    is_of_file = finding.severity == "info" and finding.place[1:] == (1, 1)
    return [finding_line(finding), *(excerpt(finding.place) if on_terminal and not is_of_file else ())]


def github_line(finding: Finding) -> str:
    """A workflow command of GitHub Actions, which puts the finding beside the line of a pull request."""
    level = "notice" if finding.severity == "info" else finding.severity
    place, other = finding.places
    at = f"file={_escaped(place.file)},line={place.line},col={place.column},title={finding.code}"
    what = "row" if other == finding.row else "template"
    also = f" ({what} at {other.brief()})" if other else ""
    return f"::{level} {at}::{_escaped(finding.message + also, is_property=False)}"


def _escaped(text: str, *, is_property: bool = True) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if is_property else text


def finding_document(finding: Finding) -> dict[str, Any]:
    place = finding.place
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "code": finding.code,
        "severity": finding.severity,
        "message": mask_signatures(finding.message),
        "row": {"file": finding.row.file, "line": finding.row.line} if finding.row else None,
    }
