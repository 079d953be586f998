"""Each analysis of a document made ready for its rows: source opened, templates parsed, names checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from manifest_runner.manifest.document import AnalysisSpec, Document, ForEach
from manifest_runner.manifest.yaml_file import Path_
from manifest_runner.rows.base import Rows
from manifest_runner.rows.sources import Sources
from manifest_runner.templates.limits import Budget
from manifest_runner.templates.model import TemplateFault, Used, has_delimiters
from manifest_runner.templates.scope import Scope
from manifest_runner.validation.validator import RowChecker

if TYPE_CHECKING:  # jinja2 is imported once there is a template
    from manifest_runner.templates.template import Template

MAX_UNUSED = 20
NO_ROW = -1  # the id of what has no row of its own
_NO_ROWS = Rows(None, lambda _: iter(()), lambda _: None)
_ONE_ROW = Rows(None, lambda _: iter([(NO_ROW, {})]), lambda _: None)
_Opened = TypeVar("_Opened")


class Analysis(msgspec.Struct, frozen=True, eq=False):
    """One analysis ready to be rendered. ``fields`` still has shorthands, its templates are ``TemplateSlot`` values.

    ``broken`` are the places that have a fault, which is reported; then it gives no items, but the rest is checked.
    """

    spec: AnalysisSpec
    fields: Mapping[str, Any]
    rows: Rows
    renderer: Renderer
    revision: Any
    where: Template | None
    row_checker: RowChecker | None
    budget: Budget
    broken: tuple[Path_, ...] = ()


def prepare_analyses(document: Document, project: str, folder: Path, findings: Findings) -> list[Analysis]:
    """The analyses; every fault and warning found, also the document's, is added to ``findings``.

    ``folder`` is what paths in the manifest are relative to.
    """
    for finding in document.faults:
        findings.add(finding)
    budget = Budget()
    scope = manifest_scope(document, project, budget, findings)
    sources = Sources(folder, Path(document.source.file).parent)
    prepared = [_prepare(spec, scope, sources, budget) for spec in document.analyses]
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
    where = slots.expression(("forEach", "where"), spec.for_each.where if spec.for_each else None)
    checker = _open_schema(spec, scope, sources)
    broken = (*spec.broken, *slots.broken)
    if not broken and (rows is None or scope.faults.count > faults_before):
        broken = (("forEach",),)
    rows = rows or _NO_ROWS
    renderer = Renderer(spec.kind, fields, rows.columns, scope.values)
    return Analysis(spec, fields, rows, renderer, revision, where, checker, budget, broken), tuple(slots.used)


# -- what forEach names


def _open_rows(spec: AnalysisSpec, scope: ManifestScope, sources: Sources) -> Rows | None:
    """None where the source has a fault, which is reported."""

    def open_rows(each: ForEach) -> Rows:
        source = render_constant(scope, each.source, ("forEach", each.format), spec.index)
        return sources.rows(each, source, lambda path: scope.place(path, spec.index))

    return _ONE_ROW if spec.for_each is None else _opened(open_rows, spec.for_each, scope)


def _open_schema(spec: AnalysisSpec, scope: ManifestScope, sources: Sources) -> RowChecker | None:
    """None where there is no schema, or where it has a fault, which is reported."""

    def open_schema(each: ForEach) -> RowChecker:
        name = render_constant(scope, each.schema, ("forEach", "schema"), spec.index)
        return sources.row_checker(name, lambda path: scope.place(path, spec.index))

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
        self._known = {**scope.known(), "row": self._known_columns(), "index": None}
        self.used: list[Used] = []
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

    def expression(self, path: Path_, text: str | None) -> Template | None:
        return None if text is None else self._template(path, text, expression=True)

    def _known_columns(self) -> Scope | None:
        """The columns of the row; None where each row may have others."""
        if self._spec.for_each is None and not self._spec.broken:  # else it may have been left out for a fault
            return Scope({}, 'there is no row that has a column "{}", as this analysis has no "forEach"')
        if self._columns is None:
            return None
        return Scope(dict.fromkeys(self._columns), 'the row has no column "{}"')

    def _template(self, path: Path_, text: str, *, expression: bool = False) -> Template | None:
        """None where it has a fault, which is reported."""
        try:
            template = find_template(self._scope, text, expression=expression)
            self.used.append(template.used)
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
        gives = what_it_gives(template, cells_are_text=self._columns is not None)
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
            use.add((spec.for_each.source, spec.for_each.section), place, columns, used)
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
