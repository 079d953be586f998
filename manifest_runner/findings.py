"""What is wrong with the input, gathered: the same fault in ten thousand rows is one message with a count."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace

from manifest_runner.model import Finding, Place

MAX_ALIKE = 5


@dataclass(slots=True)
class _Alike:
    """Findings of one group: the first of them, and how many there are."""

    count: int = 0
    first: list[Finding] = field(default_factory=list)
    line: int = 0
    is_read_again: bool = False

    def add(self, finding: Finding) -> None:
        if finding.place == finding.row:  # each analysis that reads the file tells of its rows, from the first on
            self.is_read_again |= finding.row.line < self.line
            self.line = finding.row.line
        if self.is_read_again:
            return
        self.count += 1
        if len(self.first) < MAX_ALIKE:
            self.first.append(finding)

    def summed(self) -> list[Finding]:
        first = self.first[0]
        if self.count <= MAX_ALIKE:
            return list(dict.fromkeys(self.first))
        shown = dict.fromkeys(_line(_origin(each), _origin(first)) for each in self.first)
        what = "places" if first.row is None else "rows"
        words = f"; the same in {self.count:,} {what} (lines {', '.join(shown)}, …)"
        return [replace(first, message=first.message + words, is_of_row=False)]


def _origin(finding: Finding) -> Place:
    return finding.row or finding.place


def _line(place: Place, first: Place) -> str:
    return str(place.line) if place.file == first.file else f"{place.file}:{place.line}"


class Findings:
    """Collects findings; of a group of alike ones each while they are few, and else one with a count."""

    def __init__(self) -> None:
        self._groups: dict[Hashable, _Alike] = {}

    def add(self, finding: Finding, group: Hashable = None, *, everywhere: bool = False) -> None:
        """``group`` tells which findings of one place, or of all, are the same fault; without it the message does.

        A fault of a samplesheet's row itself is alike in all rows of that file. What has no row is told once for
        a place: several analyses can share one of the defaults.
        """
        place = finding.place.file if finding.place == finding.row else finding.place
        key = (finding.code, None if everywhere else place, (finding.message, finding.row) if group is None else group)
        if key not in self._groups:
            self._groups[key] = _Alike()
        elif finding.row is None and not everywhere:
            return
        self._groups[key].add(finding)

    def all(self, severity: str | None = None) -> list[Finding]:
        """Sorted by place, then by row."""
        found = [each for group in self._groups.values() for each in group.summed()]
        wanted = [each for each in found if severity in (None, each.severity)]
        return sorted(wanted, key=lambda finding: (finding.place, _origin(finding)))

    def count(self, severity: str) -> int:
        return len(self.all(severity))
