"""What is wrong with the input, gathered: the same fault in ten thousand rows is one message with a count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field, replace

from manifest_runner.model import Finding

MAX_ROWS_SHOWN = 5


@dataclass(slots=True)
class _Alike:
    """Findings of one group: the first of them, how many there are, and the lines of the first rows."""

    first: Finding
    count: int = 0
    lines: dict[int, None] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        self.count += 1
        if finding.row is not None and len(self.lines) < MAX_ROWS_SHOWN:
            self.lines[finding.row.line] = None

    def summed(self) -> Finding:
        if self.count == 1 or not self.lines:  # one place of the defaults, say, that several analyses share
            return self.first
        lines = ", ".join(map(str, self.lines)) + (", …" if self.count > len(self.lines) else "")
        return replace(self.first, message=f"{self.first.message}; the same in {self.count:,} rows (lines {lines})")


class Findings:
    """Collects findings, one for each group of alike ones."""

    def __init__(self) -> None:
        self._groups: dict[Hashable, _Alike] = {}
        self._counts: Counter[str] = Counter()

    def add(self, finding: Finding, group: Hashable = None) -> None:
        """``group`` tells which findings of one place are the same fault; without it the message does.

        A fault of a samplesheet's row itself is alike in all rows of that file.
        """
        place = finding.place.file if finding.place == finding.row else finding.place
        key = (finding.code, place, (finding.message, finding.row) if group is None else group)
        if key not in self._groups:
            self._groups[key] = _Alike(finding)
            self._counts[finding.severity] += 1
        self._groups[key].add(finding)

    def all(self, severity: str | None = None) -> list[Finding]:
        """Sorted by place."""
        found = [each.summed() for each in self._groups.values() if severity in (None, each.first.severity)]
        return sorted(found, key=lambda finding: finding.place)

    def count(self, severity: str) -> int:
        return self._counts[severity]
