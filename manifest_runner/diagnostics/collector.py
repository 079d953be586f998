"""Collects the faults of the input: the same fault in ten thousand rows is one message with a count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable

import msgspec
from msgspec import structs

from manifest_runner.diagnostics.finding import Finding, Place

MAX_ALIKE = 5
# Nobody fixes more than these at once; further ones are only counted, and take no memory.
MAX_OF_A_CODE = 100


def strictly(findings: Iterable[Finding]) -> list[Finding]:
    """The findings as ``--strict`` has them: warnings are errors."""
    return [structs.replace(each, severity="error") if each.severity == "warning" else each for each in findings]


class _Alike(msgspec.Struct):
    """Findings of one group: the first of them, and how many there are, in how many rows or places."""

    count: int = 0
    first: list[Finding] = []
    rows: int = 0
    origins: list[Place] = []
    last: Place | None = None
    is_read_again: bool = False

    def add(self, finding: Finding) -> None:
        origin, last = _origin(finding), self.last
        self.last = origin
        is_row = finding.place == finding.row
        if is_row:  # each analysis that reads the file reports its rows, from the first on
            self.is_read_again |= last is not None and origin < last
        if self.is_read_again:
            return
        self.count += 1
        if len(self.first) < MAX_ALIKE:
            self.first.append(finding)
        is_shared = finding.row is not None and finding.row.file == finding.place.file  # by all rows of a matrix
        if is_row or is_shared or origin != last:  # the faults of an item follow each other
            self.rows += 1
            self.origins += [origin] if len(self.origins) < MAX_ALIKE else []

    def summed(self) -> list[Finding]:
        first = self.first[0]
        if self.count <= MAX_ALIKE:
            return list(dict.fromkeys(self.first))
        if self.rows == 1:
            what = "place" if first.row is None else "row"
            return [structs.replace(first, message=f"{first.message}; the same {self.count:,} times in this {what}")]
        shown = list(dict.fromkeys(_line(each, first) for each in self.origins))
        what = "places" if first.row is None else "rows"
        more = [] if self.rows == len(shown) else ["…"]
        words = f"; the same in {self.rows:,} {what} (lines {', '.join(shown + more)})"
        return [structs.replace(first, message=first.message + words, is_of_row=False)]


def _origin(finding: Finding) -> Place:
    return finding.row or finding.place


def _line(origin: Place, first: Finding) -> str:
    place = origin if first.row else origin._replace(column=1)
    return place.brief().removeprefix(f"{_origin(first).file}:")


class _Further(_Alike):
    """Findings of a code beyond those that are reported."""

    def add(self, finding: Finding) -> None:
        self.count += 1
        self.first = self.first or [finding]

    def summed(self) -> list[Finding]:
        first = self.first[0]
        more = f"; {self.count - 1:,} more of {first.code} not shown" if self.count > 1 else ""
        return [structs.replace(first, message=first.message + more)]


class Findings:
    """Collects findings in groups of the same fault: a small group is reported one by one, a large one as a count.

    Of one code, ``MAX_OF_A_CODE`` groups are reported; beyond them, the first finding and a count.
    """

    def __init__(self) -> None:
        self._groups: dict[Hashable, _Alike] = {}
        self._of_code: Counter[str] = Counter()
        self._of_pass: Findings | None = None

    def new_pass(self) -> Findings:
        """A collector for another pass over all rows; findings of the previous pass no longer count."""
        self._of_pass = Findings()
        return self._of_pass

    def add(self, finding: Finding, group: Hashable = None, *, everywhere: bool = False) -> None:
        """Findings with the same ``group`` and place are the same fault; without a group, those with the same message.

        With ``everywhere`` the place does not matter. A fault of a samplesheet's row itself is the same fault in all
        rows of that file. A finding without a row is reported once per place, since several analyses can share a
        default.
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

    def is_reported(self, code: str, place: Place, group: Hashable) -> bool:
        """Whether enough findings of this group are known; if so, this counts one more, in another row."""
        known = self._groups.get((code, place, group))
        if known is None or known.count < MAX_ALIKE:
            return False
        known.count += 1
        known.rows += 1
        return True

    def is_full(self, code: str) -> bool:
        """Whether further findings of this code are only counted."""
        return self._of_code[code] >= MAX_OF_A_CODE

    def all(self, severity: str | None = None) -> list[Finding]:
        """Sorted by place, then by row."""
        found = [each for group in self._groups.values() for each in group.summed()]
        found += [] if self._of_pass is None else self._of_pass.all()
        wanted = [each for each in found if severity in (None, each.severity)]
        return sorted(wanted, key=lambda finding: (finding.place, _origin(finding)))

    def count(self, severity: str) -> int:
        return len(self.all(severity))
