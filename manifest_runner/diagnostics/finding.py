"""One finding, with its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Self

import msgspec

from manifest_runner.errors import RunnerError
from manifest_runner.text import plain_text

_MOST = 20


class Place(NamedTuple):
    """The place where something was written: the file as the user named it, line and column from 1."""

    file: str
    line: int
    column: int = 1

    def brief(self) -> str:
        """``FILE:LINE``, with the column if that is not 1, as when a line has several rows."""
        return f"{self.file}:{self.line}" + (f":{self.column}" if self.column > 1 else "")


class Finding(msgspec.Struct, frozen=True):
    """An error, a warning or information about the input. ``code`` is stable (``MR101`` …), ``row`` is a row's place.

    ``is_of_row`` if the content of that row is at fault, rather than what the manifest does with every row.
    """

    place: Place
    code: str
    message: str
    severity: Literal["error", "warning", "info"] = "error"
    row: Place | None = None
    is_of_row: bool = False

    @property
    def places(self) -> tuple[Place, Place | None]:
        """The place to fix first, then the other one, if any; a tool that shows one place shows the first."""
        if self.row is not None and self.is_of_row and self.row.file != self.place.file:
            return self.row, self.place
        return self.place, None if self.row == self.place else self.row


def finding_line(finding: Finding) -> str:
    place, row = finding.place, finding.row
    word = "" if finding.severity == "error" else f"{finding.severity}: "
    at = f" (row at {row.brief()})" if row and row != place else ""
    return plain_text(f"{place.file}:{place.line}:{place.column}: {word}{finding.message} [{finding.code}]{at}")


class InvalidManifest(RunnerError):
    """The manifest, a samplesheet or a rendered item is invalid; nothing was sent."""

    exit_code = 3

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(findings)
        self.findings = tuple(findings)

    @property
    def errors(self) -> Sequence[Finding]:
        """The errors among the findings; if there are none, what is treated as an error."""
        return [each for each in self.findings if each.severity == "error"] or self.findings

    def __str__(self) -> str:
        """A line for each error, or for the first of many: all that a notebook shows."""
        errors = self.errors
        more = [f"… and {len(errors) - _MOST:,} more"] if len(errors) > _MOST else []
        return "\n".join([*map(finding_line, errors[:_MOST]), *more])

    @classmethod
    def at(cls, place: Place, code: str, message: str) -> Self:
        """The failure for a single error."""
        return cls([Finding(place, code, message)])
