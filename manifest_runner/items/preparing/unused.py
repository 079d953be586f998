"""Warnings about what no template uses: columns of samplesheets, and vars."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from manifest_runner.diagnostics.collector import Findings
from manifest_runner.diagnostics.finding import Finding, Place
from manifest_runner.items.preparing.manifest_scope import ManifestScope
from manifest_runner.manifest.document import AnalysisSpec, Document
from manifest_runner.near_miss import near_miss
from manifest_runner.templates.model import UsedNames

MAX_UNUSED = 20
MAX_WARNINGS = 10  # of unused columns of one sheet


class UseOfSheet(NamedTuple):
    """The columns that the templates of one analysis use; ``columns`` is None if its rows are not a table."""

    spec: AnalysisSpec
    columns: Sequence[str] | None
    used: Sequence[UsedNames]


def warn_of_unused(uses: Iterable[UseOfSheet], document: Document, scope: ManifestScope, findings: Findings) -> None:
    """Add a warning for each column and each var that no template uses."""
    _warn_of_columns([use for use in uses if use.columns is not None], scope, findings)
    _warn_of_vars(document, scope, findings)


def _warn_of_columns(uses: Sequence[UseOfSheet], scope: ManifestScope, findings: Findings) -> None:
    seen = _ColumnUse()
    for spec, columns, used in uses:
        if spec.for_each is not None:
            place = partial(scope.place, ("forEach", spec.for_each.format), spec.index)
            sheet = (repr(spec.for_each.source), spec.for_each.section, spec.for_each.sheet)
            seen.add(sheet, place, columns or (), used)
    for finding in seen.findings():
        findings.add(finding)


class _ColumnUse:
    """Finds columns of samplesheets that no template of any analysis uses: often a template misspells one."""

    def __init__(self) -> None:
        self._places: dict[Hashable, Callable[[], Place]] = {}
        self._unread: dict[Hashable, list[str]] = {}

    def add(
        self, source: Hashable, place: Callable[[], Place], columns: Sequence[str], used: Iterable[UsedNames]
    ) -> None:
        """``place`` is where the manifest names the samplesheet ``source``."""
        self._places.setdefault(source, place)
        unread = self._unread.get(source, list(columns))
        used = list(used)
        whole = any(each.whole_row for each in used)
        read = frozenset[str]().union(*(each.columns for each in used))
        self._unread[source] = [] if whole else [name for name in unread if name not in read]

    def findings(self) -> Iterator[Finding]:
        """A warning for each column, or one note if there are many."""
        for source, names in self._unread.items():
            if len(names) > MAX_WARNINGS:
                listed = ", ".join(f'"{name}"' for name in names[:MAX_WARNINGS])
                message = f"no template uses {len(names)} of the columns: {listed}, …"
                yield Finding(self._places[source](), "MR602", message, severity="info")
                continue
            for name in names:
                message = f'no template uses the column "{name}"'
                yield Finding(self._places[source](), "MR602", message, severity="warning")


def _warn_of_vars(document: Document, scope: ManifestScope, findings: Findings) -> None:
    all_used = list(scope.templates.used())
    used = frozenset[str]().union(*(each.vars for each in all_used))
    if any(each.whole_vars for each in all_used) or used >= document.vars.keys() | document.given_vars.keys():
        return
    if document.vars:
        used |= document.source.aliased(("vars",))
    unused = [name for name in document.vars if name not in used]
    messages = {name: f'no template uses the var "{name}"' for name in unused[:MAX_UNUSED]}
    if len(unused) > MAX_UNUSED:
        more = len(unused) - MAX_UNUSED - 1
        messages[unused[MAX_UNUSED]] = f"no template uses this var and {more:,} more below"
    for name, message in messages.items():
        place = document.source.place(("vars", name), at_key=True)
        findings.add(Finding(place, "MR603", message, severity="warning"))
    for name in sorted(document.given_vars.keys() - document.vars.keys() - used):
        message = f'no template uses the var "{name}", which --var gives{near_miss(name, document.vars)}'
        findings.add(Finding(Place(document.source.file, 1), "MR603", message, severity="warning"))
