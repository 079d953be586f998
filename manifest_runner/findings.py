"""What is wrong with the input, gathered: the same fault in ten thousand rows is one message with a count."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from manifest_runner.model import Finding

MAX_ROWS_SHOWN = 5


class Findings:
    """Collects findings in the order of their first appearance, one for each group of alike ones."""

    def __init__(self) -> None:
        self._first: dict[Hashable, Finding] = {}
        self._rows: dict[Hashable, list[int]] = {}
        self._count: dict[Hashable, int] = {}

    def add(self, finding: Finding, group: Hashable = None) -> None:
        """``group`` tells which findings are the same fault; each is its own where it is not given."""
        key = (finding.code, finding.place, (finding.message, finding.row) if group is None else group)
        self._first.setdefault(key, finding)
        self._count[key] = self._count.get(key, 0) + 1
        rows = self._rows.setdefault(key, [])
        if finding.row is not None and len(rows) < MAX_ROWS_SHOWN:
            rows.append(finding.row.line)

    def all(self, severity: str | None = None) -> list[Finding]:
        found = [self._summed(key) for key, finding in self._first.items() if severity in (None, finding.severity)]
        return sorted(found, key=lambda finding: (finding.place.file, finding.place.line, finding.place.column))

    @property
    def errors(self) -> list[Finding]:
        return self.all("error")

    def count(self, severity: str) -> int:
        return sum(1 for finding in self._first.values() if finding.severity == severity)

    def has_errors(self) -> bool:
        return any(finding.severity == "error" for finding in self._first.values())

    def _summed(self, key: Hashable) -> Finding:
        finding, count = self._first[key], self._count[key]
        if count == 1:
            return finding
        lines = ", ".join(map(str, self._rows[key]))
        which = f" (lines {lines}{', …' if count > len(self._rows[key]) else ''})" if lines else ""
        return replace(finding, message=f"{finding.message}; the same in {count:,} rows{which}")
