"""What is wrong with the input, gathered: the same fault in ten thousand rows is one message with a count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace

from manifest_runner.diagnostics.finding import Finding, Place

MAX_ALIKE = 5
# Nobody mends more than these in one go; what follows is counted, and takes no memory.
MAX_OF_A_CODE = 100


def strictly(findings: Iterable[Finding]) -> list[Finding]:
    """Warnings as what they are with ``--strict``: errors."""
    return [replace(each, severity="error") if each.severity == "warning" else each for each in findings]


@dataclass(slots=True)
class _Alike:
    """Findings of one group: the first of them, and how many there are."""

    count: int = 0
    first: list[Finding] = field(default_factory=list)
    last: Place | None = None
    is_read_again: bool = False

    def add(self, finding: Finding) -> None:
        if finding.place == finding.row:  # each analysis that reads the file tells of its rows, from the first on
            self.is_read_again |= self.last is not None and finding.row < self.last
            self.last = finding.row
        if self.is_read_again:
            return
        self.count += 1
        if len(self.first) < MAX_ALIKE:
            self.first.append(finding)

    def summed(self) -> list[Finding]:
        first = self.first[0]
        if self.count <= MAX_ALIKE:
            return list(dict.fromkeys(self.first))
        shown = dict.fromkeys(_line(each, first) for each in self.first)
        what = "places" if first.row is None else "rows"
        words = f"; the same in {self.count:,} {what} (lines {', '.join(shown)}, …)"
        return [replace(first, message=first.message + words, is_of_row=False)]


def _origin(finding: Finding) -> Place:
    return finding.row or finding.place


def _line(finding: Finding, first: Finding) -> str:
    place = finding.row or finding.place._replace(column=1)
    return place.brief().removeprefix(f"{_origin(first).file}:")


@dataclass(slots=True)
class _Further(_Alike):
    """Findings of a code beyond those that are told."""

    def add(self, finding: Finding) -> None:
        self.count += 1
        self.first = self.first or [finding]

    def summed(self) -> list[Finding]:
        first = self.first[0]
        more = f"; {self.count - 1:,} more of {first.code} are not told" if self.count > 1 else ""
        return [replace(first, message=first.message + more)]


class Findings:
    """Collects findings; of a group of alike ones each while they are few, and else one with a count.

    Of one code, ``MAX_OF_A_CODE`` groups are told; of what goes beyond them the first finding, with a count.
    """

    def __init__(self) -> None:
        self._groups: dict[Hashable, _Alike] = {}
        self._of_code: Counter[str] = Counter()

    def add(self, finding: Finding, group: Hashable = None, *, everywhere: bool = False) -> None:
        """``group`` tells which findings of one place, or of all, are the same fault; without it the message does.

        A fault of a samplesheet's row itself is alike in all rows of that file. What has no row is told once for
        a place: several analyses can share one of the defaults.
        """
        place = finding.place.file if finding.place == finding.row else finding.place
        key = (finding.code, None if everywhere else place, (finding.message, finding.row) if group is None else group)
        if key not in self._groups and self.is_full(finding.code):
            self._groups.setdefault((finding.code, finding.severity), _Further()).add(finding)
        elif key not in self._groups:
            self._of_code[finding.code] += 1
            self._groups[key] = _Alike()
            self._groups[key].add(finding)
        elif finding.row is not None or everywhere:
            self._groups[key].add(finding)

    def is_told(self, code: str, place: Place, group: Hashable) -> bool:
        """Whether enough findings of this group are known; then it counts one more."""
        known = self._groups.get((code, place, group))
        if known is None or known.count < MAX_ALIKE:
            return False
        known.count += 1
        return True

    def is_full(self, code: str) -> bool:
        """Whether all else of this code is only counted."""
        return self._of_code[code] >= MAX_OF_A_CODE

    def all(self, severity: str | None = None) -> list[Finding]:
        """Sorted by place, then by row."""
        found = [each for group in self._groups.values() for each in group.summed()]
        wanted = [each for each in found if severity in (None, each.severity)]
        return sorted(wanted, key=lambda finding: (finding.place, _origin(finding)))

    def count(self, severity: str) -> int:
        return len(self.all(severity))
