"""Each analysis of a document made ready for its rows: source opened, templates parsed, names checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from manifest_runner.diagnostics.collector import Findings
from manifest_runner.diagnostics.finding import Finding, InvalidManifest, Place
from manifest_runner.items.compiler import what_it_gives
from manifest_runner.items.constants import (
    BrokenConstant,
    find_template,
    manifest_scope,
    refuse_template_key,
    render_constant,
)
from manifest_runner.items.renderer import Renderer
from manifest_runner.items.scope import ManifestScope
from manifest_runner.items.shorthands import TemplateSlot
from manifest_runner.items.tables import with_tables
from manifest_runner.manifest.document import AnalysisSpec, Document, ForEach
from manifest_runner.manifest.yaml_file import Path_
from manifest_runner.rows.base import Rows
from manifest_runner.rows.launched import LockfileOf, lockfile_beside
from manifest_runner.rows.row_schema import RowSchema
from manifest_runner.rows.sources import Source, Sources
from manifest_runner.templates.limits import Budget
from manifest_runner.templates.model import TemplateFault, Used, has_delimiters
from manifest_runner.templates.scope import Scope
from manifest_runner.text import near_miss, shown

if TYPE_CHECKING:  # jinja2 is imported once there is a template
    from manifest_runner.templates.template import Template

MAX_UNUSED = 20
NO_ROW = -1  # the id of what has no row of its own
_NO_ROWS = Rows(None, lambda _: iter(()), lambda _: None)
_ONE_ROW = Rows(None, lambda _: iter([(NO_ROW, {})]), lambda _: None)
_Opened = TypeVar("_Opened")


class PreparedRequirement(msgspec.Struct, frozen=True, eq=False):
    """A requirement whose templates are parsed. ``index`` is its place in the analysis."""

    index: int
    that: Template
    message: TemplateSlot | str


class Analysis(msgspec.Struct, frozen=True, eq=False):
    """One analysis ready to be rendered. ``fields`` still has shorthands, its templates are ``TemplateSlot`` values.

    ``broken`` are the places that have a fault, which is reported; then it gives no items, but the rest is checked.
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
    broken: tuple[Path_, ...] = ()
    requirements: tuple[PreparedRequirement, ...] = ()
    roots: frozenset[str] = frozenset()
    checked_columns: frozenset[str] = frozenset()
    columns_of_where: frozenset[str] = frozenset()


def prepare_analyses(
    document: Document, project: str, folder: Path, findings: Findings, lockfile_of: LockfileOf = lockfile_beside
) -> list[Analysis]:
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
    if not findings.count("error"):  # else the template that uses them may be the one at fault
        _warn_of_unused_columns(prepared, scope, findings)
        _warn_of_unused_vars(document, scope, findings)
    return [analysis for analysis, _ in prepared]


def _prepare(
    spec: AnalysisSpec, scope: ManifestScope, sources: Sources, budget: Budget
) -> tuple[Analysis, tuple[Used, ...]]:
    """An analysis, and what its templates read."""
    faults_before = scope.faults.count
    rows = _open_rows(spec, scope, sources)
    slots = _SlotReader(scope, spec, rows)
    fields = {key: slots.resolve((key,), value) for key, value in spec.fields.items()}
    revision = slots.resolve(("revision",), spec.revision)
    requirements = tuple(_requirements(spec, slots))
    used_but_where = list(slots.used)
    where = slots.condition(spec.for_each.where if spec.for_each else None)
    schema = _open_schema(spec, scope, sources)
    is_grouped = _check_grouping(spec, scope, rows)
    slots.report_lacking()
    broken = (*spec.broken, *slots.broken)
    if rows is None or not is_grouped or (not broken and scope.faults.count > faults_before):
        broken = (*broken, ("forEach",))
    rows = rows or _NO_ROWS
    analysis = Analysis(
        spec=spec,
        fields=fields,
        rows=rows,
        renderer=Renderer(spec.kind, fields, rows.columns, scope.values),
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
    return analysis, tuple(slots.used)


def _group_by(spec: AnalysisSpec) -> tuple[str, ...]:
    return (spec.for_each.group_by or ()) if spec.for_each else ()


def _columns_used(used: Iterable[Used], rows: Rows) -> frozenset[str]:
    if any(each.whole_row for each in used):
        return frozenset(rows.columns or ())
    return frozenset[str]().union(*(each.columns for each in used))


def _columns_of_where(where: Template | None, rows: Rows) -> frozenset[str]:
    """None of them where the condition itself looks for error values."""
    return frozenset() if where is None or "#" in where.text else _columns_used([where.used], rows)


def _check_grouping(spec: AnalysisSpec, scope: ManifestScope, rows: Rows | None) -> bool:
    """Whether a table has the columns to group by; those that it lacks are reported."""
    columns = rows.columns if rows else None
    lacking = [] if columns is None else [column for column in _group_by(spec) if column not in columns]
    for column in lacking:
        place = scope.place(("forEach", "groupBy"), spec.index)
        message = f"there is no column {shown(column)} to group by{near_miss(column, columns or ())}"
        scope.faults.report(place, "MR402", message)
    return not lacking


def _requirements(spec: AnalysisSpec, slots: _SlotReader) -> Iterator[PreparedRequirement]:
    for each in spec.require:
        that = slots.expression(("require", each.index, "that"), each.that)
        message = slots.resolve(("require", each.index, "else"), each.message)
        if that is not None and message is not None:
            yield PreparedRequirement(each.index, that, message)


def _warn_of_index(analysis: Analysis, scope: ManifestScope) -> None:
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
    """None where the source has a fault, which is reported."""

    def open_rows(each: ForEach) -> Rows:
        path: Path_ = ("forEach", each.format)
        value = render_constant(scope, each.source, path, spec.index)
        return sources.rows(Source(each, value, lambda below: scope.place((*path, *below), spec.index)))

    return _ONE_ROW if spec.for_each is None else _opened(open_rows, spec.for_each, scope)


def _open_schema(spec: AnalysisSpec, scope: ManifestScope, sources: Sources) -> RowSchema | None:
    """None where there is no schema, or where it has a fault, which is reported."""

    def open_schema(each: ForEach) -> RowSchema:
        path: Path_ = ("forEach", "schema")
        name = render_constant(scope, each.schema, path, spec.index)
        return sources.schema(name, scope.place(path, spec.index))

    has_schema = spec.for_each is not None and spec.for_each.schema is not None
    return _opened(open_schema, spec.for_each, scope) if spec.for_each and has_schema else None


def _opened(open_it: Callable[[ForEach], _Opened], each: ForEach, scope: ManifestScope) -> _Opened | None:
    try:
        return open_it(each)
    except InvalidManifest as e:
        scope.faults.report_all(e)
    except BrokenConstant:
        pass
    return None


# -- templates


class _SlotReader:
    """Puts a ``TemplateSlot`` for each template of an analysis; gathers what they read, and where faults are."""

    def __init__(self, scope: ManifestScope, spec: AnalysisSpec, rows: Rows | None) -> None:
        self._scope = scope
        self._spec = spec
        self._rows = rows
        self._columns = rows.columns if rows else None
        self._known: dict[str, Scope | None] = {**scope.known(), "row": self._known_columns(), "index": None}
        if rows is not None and rows.file is not None:
            self._known["source"] = Scope(dict.fromkeys(("file", "stem")), 'the source has no "{}"')
        if spec.for_each is not None and spec.for_each.group_by is not None:
            self._known["rows"] = None
        self.used: list[Used] = []
        self._templates: list[Template] = []
        self.broken: list[Path_] = []

    def resolve(self, path: Path_, value: Any) -> Any:
        if isinstance(value, dict):
            for key in value:
                if refuse_template_key(self._scope, key, (*path, key), self._spec.index):
                    self.broken.append((*path, key))
            return {key: self.resolve((*path, key), each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.resolve((*path, i), each) for i, each in enumerate(value)]
        if not isinstance(value, str) or not has_delimiters(value):
            return value
        template = self._template(path, value)
        return None if template is None else self._slot(template, path)

    def expression(self, path: Path_, text: str) -> Template | None:
        return self._template(path, text, expression=True)

    def condition(self, text: str | None) -> Template | None:
        """The template of ``where``, which sees single rows."""
        self._known.pop("rows", None)
        return None if text is None else self.expression(("forEach", "where"), text)

    def report_lacking(self) -> None:
        """Report what some rows do not have, where a template reads it."""
        for key, fault in self._rows.lacks if self._rows else ():
            if any(template.mentions(key) for template in self._templates):
                self._scope.faults.report(fault.place, fault.code, fault.message)

    def _known_columns(self) -> Scope | None:
        """The columns of the row; None where each row may have others."""
        if self._spec.for_each is None and not self._spec.broken:  # else it may have been left out for a fault
            return Scope({}, 'there is no row that has a column "{}", as this analysis has no "forEach"')
        columns = self._columns or (self._rows.keys if self._rows else None)
        return None if columns is None else Scope(dict.fromkeys(columns), 'the row has no column "{}"')

    def _template(self, path: Path_, text: str, *, expression: bool = False) -> Template | None:
        """None where it has a fault, which is reported."""
        try:
            template = find_template(self._scope, text, expression=expression)
            self.used.append(template.used)
            self._templates.append(template)
            template.check()
        except TemplateFault as e:
            self._scope.faults.report_template(self._scope.place(path, self._spec.index), e, text)
            self.broken.append(path)
            return None
        except BrokenConstant:
            self.broken.append(path)
            return None
        return template if self._knows_names(template, path) else None

    def _knows_names(self, template: Template, path: Path_) -> bool:
        from manifest_runner.templates.names import unknown_names

        messages = list(unknown_names(template, self._known))
        for message in messages:
            place, fault = self._scope.place(path, self._spec.index), TemplateFault("MR402", message)
            self._scope.faults.report_template(place, fault, template.text, self._first_row)
        if messages:
            self.broken.append(path)
        return not messages

    @cached_property
    def _first_row(self) -> Place | None:
        """The first row, which shows a fault of all rows, if there is one."""
        if self._rows is None:
            return None
        with suppress(InvalidManifest):  # reported when the rows are read
            for row_id, _ in self._rows.read(lambda _finding, _group: None):
                return self._rows.place(row_id)
        return None

    def _slot(self, template: Template, path: Path_) -> Any:
        if template.constant:
            try:
                return render_constant(self._scope, template.text, path, self._spec.index)
            except BrokenConstant:
                self.broken.append(path)
                return None
        gives = what_it_gives(template, self._rows)
        return TemplateSlot(template, path, is_text=gives == "text", is_texts=gives == "texts")


# -- what nothing uses


def _warn_of_unused_columns(
    prepared: list[tuple[Analysis, tuple[Used, ...]]], scope: ManifestScope, findings: Findings
) -> None:
    tables = [(each.spec, each.rows.columns, used) for each, used in prepared if each.rows.columns is not None]
    if not tables:
        return
    from manifest_runner.templates.names import ColumnUse  # which imports jinja2

    use = ColumnUse()
    for spec, columns, used in tables:
        if spec.for_each is not None:
            place = partial(scope.place, ("forEach", spec.for_each.format), spec.index)
            grouping = Used(frozenset(_group_by(spec)), frozenset(), whole_row=False, whole_vars=False)
            sheet = (repr(spec.for_each.source), spec.for_each.section, spec.for_each.sheet)
            use.add(sheet, place, columns, [*used, grouping])
    for finding in use.findings():
        findings.add(finding)


def _warn_of_unused_vars(document: Document, scope: ManifestScope, findings: Findings) -> None:
    all_used = list(scope.templates.used())
    used = frozenset[str]().union(*(each.vars for each in all_used))
    if any(each.whole_vars for each in all_used) or used >= document.vars.keys():
        return
    used |= document.source.aliased(("vars",))
    unused = [name for name in document.vars if name not in used]
    messages = {name: f'no template uses the var "{name}"' for name in unused[:MAX_UNUSED]}
    if len(unused) > MAX_UNUSED:
        more = len(unused) - MAX_UNUSED - 1
        messages[unused[MAX_UNUSED]] = f"no template uses this var and {more:,} more below"
    for name, message in messages.items():
        place = document.source.place(("vars", name), at_key=True)
        findings.add(Finding(place, "MR603", message, severity="warning"))
