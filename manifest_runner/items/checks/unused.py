"""Warnings about what no template uses: columns of samplesheets, and vars."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

from manifest_runner.diagnostics.collector import Findings
from manifest_runner.diagnostics.finding import Finding, Place
from manifest_runner.items.manifest_scope import ManifestScope
from manifest_runner.manifest.document import AnalysisSpec, Document
from manifest_runner.templates.model import UsedNames
from manifest_runner.text import near_miss

MAX_UNUSED = 20


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
    if not uses:
        return
    from manifest_runner.templates.used_names import ColumnUse  # which imports jinja2

    seen = ColumnUse()
    for spec, columns, used in uses:
        if spec.for_each is not None:
            place = partial(scope.place, ("forEach", spec.for_each.format), spec.index)
            sheet = (repr(spec.for_each.source), spec.for_each.section, spec.for_each.sheet)
            seen.add(sheet, place, columns or (), used)
    for finding in seen.findings():
        findings.add(finding)


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
