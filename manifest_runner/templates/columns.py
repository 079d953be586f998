"""Which columns of the samplesheets no template reads: most often a typo, or a sheet of another study."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence

from manifest_runner.diagnostics.finding import Finding, Place
from manifest_runner.templates.template import Used

MAX_WARNINGS = 10


class ColumnUse:
    """What all analyses together read of each samplesheet."""

    def __init__(self) -> None:
        self._places: dict[Hashable, Place] = {}
        self._unread: dict[Hashable, list[str]] = {}

    def add(self, source: Hashable, place: Place, columns: Sequence[str], used: Iterable[Used]) -> None:
        """``place`` is where the manifest names the samplesheet ``source``."""
        self._places.setdefault(source, place)
        unread = self._unread.get(source, list(columns))
        used = list(used)
        whole = any(each.whole_row for each in used)
        read = frozenset[str]().union(*(each.columns for each in used))
        self._unread[source] = [] if whole else [name for name in unread if name not in read]

    def findings(self) -> Iterator[Finding]:
        """A warning for each column, or one piece of information where they are many."""
        for source, names in self._unread.items():
            place = self._places[source]
            if len(names) > MAX_WARNINGS:
                listed = ", ".join(f'"{name}"' for name in names[:MAX_WARNINGS])
                message = f"no template uses {len(names)} of the columns: {listed}, …"
                yield Finding(place, "MR602", message, severity="info")
                continue
            for name in names:
                yield Finding(place, "MR602", f'no template uses the column "{name}"', severity="warning")
