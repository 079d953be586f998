"""Findings as SARIF 2.1.0 (OASIS), which GitHub's code scanning and many editors read. Needs the extra ``sarif``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from manifest_runner.diagnostics.codes import CODES, Code
from manifest_runner.diagnostics.finding import Finding, Place
from manifest_runner.errors import UsageProblem
from manifest_runner.text import plain_text
from manifest_runner.version import __version__

if TYPE_CHECKING:
    from sarif_pydantic import Location, ReportingDescriptor, Result

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
# This program counts columns in code points; SARIF's default is UTF-16 units.
COLUMNS = "unicodeCodePoints"
_OTHER = 1  # the id by which a message's link names the other of two places


def sarif_text(findings: Sequence[Finding]) -> str:
    """A log with one run. Files are relative to the working folder, as in the findings.

    Raises UsageProblem if the extra is not installed.
    """
    try:
        import sarif_pydantic as sarif
    except ImportError as e:
        words = "SARIF needs packages that are not installed: pip install 'manifest-runner[sarif]'"
        raise UsageProblem(words) from e
    codes = sorted({finding.code for finding in findings})
    rules = [_rule(code, CODES[code]) for code in codes]
    driver = sarif.ToolDriver(name="manifest-runner", version=__version__, semantic_version=__version__, rules=rules)
    results = [_result(finding, codes.index(finding.code)) for finding in findings]
    # One name that the library's classes lack, and one that is not valid in Python.
    run = sarif.Run.model_validate({"tool": sarif.Tool(driver=driver), "columnKind": COLUMNS, "results": results})
    log = sarif.Sarif.model_validate({"$schema": SCHEMA, "runs": [run]})
    return log.model_dump_json(by_alias=True, exclude_none=True, indent=2)


def _rule(code: str, about: Code) -> ReportingDescriptor:
    from sarif_pydantic import Message, ReportingConfiguration, ReportingDescriptor

    example = f"\n\nFor example: {about.example}" if about.example else ""
    return ReportingDescriptor(
        id=code,
        short_description=Message(text=about.title),
        full_description=Message(text=about.cause),
        default_configuration=ReportingConfiguration(level="warning" if code.startswith("MR6") else "error"),
        help=Message(text=f"{about.cause}\n\n{about.cure}{example}"),
    )


def _result(finding: Finding, rule: int) -> Result:
    from sarif_pydantic import Level, Message, Result

    place, other = finding.places
    link = f" (see [{_link_text(other)}]({_OTHER}))" if other else ""
    return Result(
        rule_id=finding.code,
        rule_index=rule,
        level=Level.NOTE if finding.severity == "info" else Level(finding.severity),
        message=Message(text=plain_text(finding.message) + link),
        locations=[_location(place)],
        related_locations=[_location(other, _OTHER)] if other else None,
    )


def _location(place: Place, number: int | None = None) -> Location:
    from sarif_pydantic import ArtifactLocation, Location, Message, PhysicalLocation, Region

    return Location(
        id=number,
        message=Message(text=plain_text(place.brief())) if number else None,
        physical_location=PhysicalLocation(
            artifact_location=ArtifactLocation(uri=_uri(place.file)),
            region=Region(start_line=place.line, start_column=place.column),
        ),
    )


def _link_text(place: Place) -> str:
    return plain_text(place.brief()).replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def _uri(file: str) -> str:
    """A relative reference, percent-encoded (RFC 3986), that no colon can turn into another scheme's; or file:// …"""
    path = Path(file)
    if path.is_absolute():
        return path.as_uri()
    return quote(path.as_posix().encode("utf-8", "surrogateescape"))
