"""Prepare each analysis of a document for its rows: open the source, parse the templates, check the names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from manifest_runner.diagnostics.collector import Findings
from manifest_runner.items.preparing.constants import Reporting, manifest_scope, render_constant, render_source
from manifest_runner.items.preparing.manifest_scope import ManifestScope
from manifest_runner.items.preparing.open_tables import with_tables
from manifest_runner.items.preparing.template_slots import SlotReader
from manifest_runner.items.preparing.unused import UseOfSheet, warn_of_unused
from manifest_runner.items.renderer import Renderer
from manifest_runner.items.shorthands import TemplateSlot
from manifest_runner.manifest.document import AnalysisSpec, Document
from manifest_runner.model import NO_ROW, DataPath
from manifest_runner.near_miss import near_miss
from manifest_runner.rows.base import Rows
from manifest_runner.rows.raw_lockfile import LockfileOf
from manifest_runner.rows.row_schema import RowSchema
from manifest_runner.rows.sources import Source, Sources
from manifest_runner.templates.limits import Budget
from manifest_runner.templates.model import UsedNames
from manifest_runner.text import shown
from manifest_runner.values import text_of

if TYPE_CHECKING:  # jinja2 is imported once there is a template
    from manifest_runner.templates.template import Template

_NO_ROWS = Rows(None, lambda _: iter(()), lambda _: None)
_ONE_ROW = Rows(None, lambda _: iter([(NO_ROW, {})]), lambda _: None)


class PreparedRequirement(msgspec.Struct, frozen=True, eq=False):
    """A requirement whose templates are parsed. ``index`` is its place in the analysis."""

    index: int
    that: Template
    message: TemplateSlot | str


class PreparedAnalysis(msgspec.Struct, frozen=True, eq=False):
    """One analysis ready to be rendered. ``fields`` still has shorthands, its templates are ``TemplateSlot`` values.

    ``broken`` are the places that have a fault, which is reported; then it has no items, but the rest is checked.
    ``roots`` are the names that its templates use. Error values of Excel are looked for in ``checked_columns`` of the
    rows that ``where`` keeps, and in ``columns_of_where`` of all rows.
    """

    spec: AnalysisSpec
    fields: Mapping[str, Any]
    rows: Rows
    renderer: Renderer
    revision: Any
    where: Template | None
    row_schema: RowSchema | None
    budget: Budget
    broken: tuple[DataPath, ...] = ()
    requirements: tuple[PreparedRequirement, ...] = ()
    roots: frozenset[str] = frozenset()
    checked_columns: frozenset[str] = frozenset()
    columns_of_where: frozenset[str] = frozenset()


def prepare_analyses(
    document: Document, project: str, folder: Path, findings: Findings, lockfile_of: LockfileOf
) -> list[PreparedAnalysis]:
    """The analyses; every fault and warning found, also the document's, is added to ``findings``.

    ``folder`` is what paths in the manifest are relative to, ``lockfile_of`` finds the lockfile of another manifest.
    """
    for finding in document.faults:
        findings.add(finding)
    budget = Budget()
    scope = manifest_scope(document, project, budget, findings)
    sources = Sources(folder, Path(document.source.file).parent, lockfile_of)
    scope = with_tables(document, scope, sources, findings)
    prepared = [_prepare(spec, scope, sources, budget) for spec in document.analyses]
    for note in {note: None for analysis, _ in prepared for note in analysis.rows.notes}:
        findings.add(note)
    if not findings.count("error"):  # otherwise the template that uses them may be the faulty one
        uses = [UseOfSheet(analysis.spec, analysis.rows.columns, used) for analysis, used in prepared]
        warn_of_unused(uses, document, scope, findings)
    return [analysis for analysis, _ in prepared]


def _prepare(
    spec: AnalysisSpec, scope: ManifestScope, sources: Sources, budget: Budget
) -> tuple[PreparedAnalysis, tuple[UsedNames, ...]]:
    """An analysis, and what its templates read."""
    faults_before = scope.faults.count
    rows = _open_rows(spec, scope, sources)
    slots = SlotReader(scope, spec, rows)
    fields = {key: slots.resolve((key,), value) for key, value in spec.fields.items()}
    revision = slots.resolve(("revision",), spec.revision)
    requirements = tuple(_requirements(spec, scope, slots))
    used_but_where = list(slots.used)
    where = slots.condition(spec.for_each.where if spec.for_each else None)
    schema = _open_schema(spec, scope, sources)
    is_grouped = _check_grouping(spec, scope, rows)
    slots.report_lacking()
    broken = (*spec.broken, *slots.broken)
    if rows is None or not is_grouped or (not broken and scope.faults.count > faults_before):
        broken = (*broken, ("forEach",))
    rows = rows or _NO_ROWS
    analysis = PreparedAnalysis(
        spec=spec,
        fields=fields,
        rows=rows,
        renderer=Renderer(spec.kind, fields, rows.columns, scope.values, rows.is_text),
        revision=revision,
        where=where,
        row_schema=schema,
        budget=budget,
        broken=broken,
        requirements=requirements,
        roots=frozenset[str]().union(*(each.roots for each in slots.used)),
        checked_columns=_columns_used(used_but_where, rows) | frozenset(_group_by(spec)),
        columns_of_where=_columns_of_where(where, rows),
    )
    if not analysis.broken and "userReference" in fields:
        _warn_of_index(analysis, scope)
    grouping = UsedNames(frozenset(_group_by(spec)), frozenset(), whole_row=False, whole_vars=False)
    return analysis, (*slots.used, grouping)


def _group_by(spec: AnalysisSpec) -> tuple[str, ...]:
    """The columns to group by; anything that is not the name of one is already reported."""
    given = (spec.for_each.group_by or ()) if spec.for_each else ()
    return tuple(column for column in given if isinstance(column, str))


def _columns_used(used: Iterable[UsedNames], rows: Rows) -> frozenset[str]:
    if any(each.whole_row for each in used):
        return frozenset(rows.columns or ())
    return frozenset[str]().union(*(each.columns for each in used))


def _columns_of_where(where: Template | None, rows: Rows) -> frozenset[str]:
    """None of them where the condition itself looks for error values."""
    return frozenset() if where is None or "#" in where.text else _columns_used([where.used], rows)


def _check_grouping(spec: AnalysisSpec, scope: ManifestScope, rows: Rows | None) -> bool:
    """Whether a table has the columns to group by. Reports missing ones."""
    columns = rows.columns if rows else None
    lacking = [] if columns is None else [column for column in _group_by(spec) if column not in columns]
    for column in lacking:
        place = scope.place(("forEach", "groupBy"), spec.index)
        message = f"there is no column {shown(column)} to group by{near_miss(column, columns or ())}"
        scope.faults.report(place, "MR402", message)
    return not lacking


def _requirements(spec: AnalysisSpec, scope: ManifestScope, slots: SlotReader) -> Iterator[PreparedRequirement]:
    for each in spec.require:
        path: DataPath = ("require", each.index, "else")
        that = slots.expression(("require", each.index, "that"), each.that)
        message = slots.resolve(path, each.message)
        if isinstance(message, (bool, int, float)):
            message = text_of(message)
        if path not in slots.broken and not isinstance(message, (str, TemplateSlot)):
            words = f"expected text to report, got {shown(message)}"
            scope.faults.report(scope.place(path, spec.index), "MR403", words)
            slots.broken.append(path)
        elif that is not None and message is not None:
            yield PreparedRequirement(each.index, that, message)


def _warn_of_index(analysis: PreparedAnalysis, scope: ManifestScope) -> None:
    reference = analysis.fields["userReference"]
    if isinstance(reference, TemplateSlot) and "index" in reference.template.used.roots:
        place = scope.place(("userReference",), analysis.spec.index)
        message = (
            "the userReference depends on index: if a row is deleted, all items after it get another name and are "
            "launched again; use a column that identifies the row"
        )
        scope.faults.warn(place, "MR607", message)


# -- what forEach names


def _open_rows(spec: AnalysisSpec, scope: ManifestScope, sources: Sources) -> Rows | None:
    """None if the source has a fault, which is reported."""
    if spec.for_each is None:
        return _ONE_ROW
    path: DataPath = ("forEach", spec.for_each.format)
    with Reporting(scope):
        value = render_constant(scope, spec.for_each.source, path, spec.index)
        source = render_source(scope, spec.for_each, path[:1], spec.index)
        return sources.rows(Source(source, value, lambda below: scope.place((*path, *below), spec.index)))
    return None


def _open_schema(spec: AnalysisSpec, scope: ManifestScope, sources: Sources) -> RowSchema | None:
    """None if there is no schema, or if it has a fault, which is reported."""
    if spec.for_each is None or spec.for_each.schema is None:
        return None
    path: DataPath = ("forEach", "schema")
    with Reporting(scope):
        name = render_constant(scope, spec.for_each.schema, path, spec.index)
        return sources.schema(name, scope.place(path, spec.index))
    return None
