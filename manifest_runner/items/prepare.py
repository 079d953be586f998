"""Each analysis of a document made ready for its rows: the source opened, the templates compiled, the names checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from manifest_runner.diagnostics.collector import Findings
from manifest_runner.diagnostics.finding import Finding, InvalidManifest, Place
from manifest_runner.items.compiler import Renderer, what_it_gives
from manifest_runner.items.shorthands import TemplateSlot
from manifest_runner.manifest.document import AnalysisSpec, Document
from manifest_runner.manifest.yaml_file import Path_
from manifest_runner.rows import samplesheet
from manifest_runner.rows.sources import Sources
from manifest_runner.templates.columns import ColumnUse
from manifest_runner.templates.names import unknown_names
from manifest_runner.templates.sandbox import Sandbox, Scope
from manifest_runner.templates.template import Template, TemplateFault, Used, has_delimiters
from manifest_runner.validation.validator import RowChecker

MAX_UNUSED = 20
# Of those that are different; one that does more than look up names counts for several, as it has to be compiled.
MAX_TEMPLATES = 20_000
_COMPILED = 10
NO_ROW = -1  # the number of what has no row of its own
_NO_ROWS = samplesheet.Rows(None, lambda _: iter(()), lambda _: None)
_ONE_ROW = samplesheet.Rows(None, lambda _: iter([(NO_ROW, {})]), lambda _: None)


@dataclass(frozen=True)
class Analysis:
    """One analysis ready to be rendered. ``fields`` still has shorthands, its templates are ``TemplateSlot`` values.

    ``broken`` are the places that have a fault, which is told; then it gives no items, but what else can be checked is.
    """

    spec: AnalysisSpec
    fields: Mapping[str, Any] = field(repr=False)
    rows: samplesheet.Rows
    renderer: Renderer
    revision: Any
    where: Template | None
    row_checker: RowChecker | None
    scope: Mapping[str, Any] = field(repr=False)
    sandbox: Sandbox = field(repr=False)
    broken: tuple[Path_, ...] = ()


def prepare_analyses(document: Document, project: str, folder: Path, findings: Findings) -> list[Analysis]:
    """The analyses; every fault and warning found, also the document's, is added to ``findings``.

    ``folder`` is what paths in the manifest are relative to.
    """
    for finding in document.faults:
        findings.add(finding)
    preparation = _Preparation(document, project, folder, findings)
    analyses = [preparation.analysis(spec) for spec in document.analyses]
    if not findings.count("error"):  # else a template that would use them may be the one that is at fault
        preparation.warn_of_what_is_unused()
    return analyses


class _BrokenVar(Exception):
    """A template reads a var that has a fault of its own, which is reported already."""


class _Preparation:
    def __init__(self, document: Document, project: str, folder: Path, findings: Findings) -> None:
        self.document = document
        self.findings = findings
        self.column_use = ColumnUse()
        self._sources = Sources(folder, Path(document.source.file).parent)
        self._sandbox = Sandbox()
        self._templates: dict[tuple[str, bool], Template] = {}
        self._spent = 0
        self._used: list[Used] = []
        self._broken_vars: set[str] = set()
        self._reports = 0  # also of what another analysis reported before, which is one finding
        self._reported: set[tuple[Place, str, str]] = set()
        self._scope = self._constants(project)

    def analysis(self, spec: AnalysisSpec) -> Analysis:
        before = self._reports
        rows = self._rows(spec)
        reader = _Reader(self, spec, rows)
        fields = {key: reader.resolve((key,), value) for key, value in spec.fields.items()}
        revision = reader.resolve(("revision",), spec.revision)
        where = reader.expression(("forEach", "where"), spec.for_each.where if spec.for_each else None)
        checker = self._row_checker(spec)
        if spec.for_each is not None and rows is not None and rows.columns is not None:
            source = (spec.for_each.source, spec.for_each.section)
            self.column_use.add(source, reader.place(("forEach", spec.for_each.format)), rows.columns, reader.used)
        broken = (*spec.broken, *reader.broken)
        if not broken and (rows is None or self._reports > before):
            broken = (("forEach",),)
        rows = rows or _NO_ROWS
        renderer = Renderer(spec.kind, fields, rows.columns, self._scope)
        return Analysis(spec, fields, rows, renderer, revision, where, checker, self._scope, self._sandbox, broken)

    def report(self, place: Place, code: str, message: str, row: Place | None = None) -> None:
        self._reports += 1
        if (place, code, message) not in self._reported:  # else it is one of the defaults, told with another row
            self._reported.add((place, code, message))
            self.findings.add(Finding(place, code, message, row=row))

    def report_fault(self, place: Place, fault: TemplateFault, text: str, row: Place | None = None) -> None:
        self.report(place, fault.code, f"{fault}, in {shown(text)}" if text.strip() else str(fault), row)

    # -- templates

    def template(self, text: str, *, expression: bool = False) -> Template:
        """A template of this text, parsed once however often it stands in the manifest.

        Raises TemplateFault, and _BrokenVar where nothing more need be said.
        """
        key = (text, expression)
        if key not in self._templates:
            if self._spent >= MAX_TEMPLATES:
                raise TemplateFault("MR403", "too many different templates; put what differs into a csv file")
            self._templates[key] = made = Template(text, self._sandbox, expression=expression)
            self._spent += _COMPILED if made.parts is None else 1
            self._used.append(made.used)
        if not self._broken_vars.isdisjoint(self._templates[key].used.vars):
            raise _BrokenVar
        return self._templates[key]

    def scopes(self, spec: AnalysisSpec, columns: Iterable[str] | None) -> dict[str, Scope | None]:
        """What is known of the names that a template can use where there is a row; without ``columns`` any can be."""
        row = None if columns is None else Scope(dict.fromkeys(columns), 'the row has no column "{}"')
        if spec.for_each is None and not spec.broken:  # else it may have been left out for a fault
            row = Scope({}, 'there is no row that has a column "{}", as this analysis has no "forEach"')
        return {**self._fixed_scopes(), "row": row, "index": None}

    def _fixed_scopes(self) -> dict[str, Scope | None]:
        return {name: value if isinstance(value, Scope) else None for name, value in self._scope.items()}

    def constant(self, raw: Any, path: Path_, analysis: int | None) -> Any:
        """A value in which templates may use only what is the same for every row; faults are reported.

        Raises _BrokenVar, after all faults in it are.
        """
        if isinstance(raw, dict):
            for key in raw:
                self.refuse_template_key(key, (*path, key), analysis)
            return self._constants_in(raw, raw.items(), path, analysis)
        if isinstance(raw, list):
            return list(self._constants_in(raw, enumerate(raw), path, analysis).values())
        if not isinstance(raw, str) or not has_delimiters(raw):
            return raw
        try:
            template = self.template(raw)
            for message in unknown_names(template, self._fixed_scopes()):
                raise TemplateFault("MR402", message)
            return template.render(self._scope)
        except TemplateFault as e:
            self.report_fault(self.place(path, analysis), e, raw)
            raise _BrokenVar from e

    def _constants_in(self, raw: Any, entries: Iterable[tuple[Any, Any]], path: Path_, analysis: int | None) -> Any:
        found: dict[Any, Any] = {}
        for step, value in entries:
            try:
                found[step] = self.constant(value, (*path, step), analysis)
            except _BrokenVar:
                continue
        if len(found) < len(raw):
            raise _BrokenVar
        return found

    def refuse_template_key(self, key: str, path: Path_, analysis: int | None) -> bool:
        """Whether it is refused, which is reported."""
        is_template = has_delimiters(key)
        if is_template:
            place = self.place(path, analysis, at_key=True)
            self.report(place, "MR406", f"a key cannot be a template: {shown(key)}")
        return is_template

    def place(self, path: Path_, analysis: int | None, *, at_key: bool = False) -> Place:
        if analysis is None:
            return self.document.source.place(path, at_key=at_key)
        return self.document.place(analysis, path, at_key=at_key)

    # -- the same for every row

    def _constants(self, project: str) -> dict[str, Any]:
        """A var sees ``env``, ``project``, ``name``, the vars above it, and those that only ``--var`` gives."""
        document = self.document
        unset = {name: f"the environment variable {name} is not set" for name in document.env_names}
        env = Scope(document.env, 'the environment variable {} is not listed under "env"', unset)
        more = {name: text for name, text in document.given_vars.items() if name not in document.vars}
        later = {name: f'the var "{name}" comes later; a var sees those above it' for name in document.vars}
        values = Scope(more, 'there is no var "{}" here', later)
        self._scope = {"env": env, "vars": values, "project": project, "name": document.name}
        for name, raw in document.vars.items():
            try:
                given = document.given_vars.get(name)
                values[name] = self.constant(raw, ("vars", name), None) if given is None else given
            except _BrokenVar:
                self._broken_vars.add(name)
        return self._scope

    def warn_of_what_is_unused(self) -> None:
        for finding in self.column_use.findings():
            self.findings.add(finding)
        used = frozenset[str]().union(*(each.vars for each in self._used))
        if any(each.whole_vars for each in self._used) or used >= self.document.vars.keys():
            return
        used |= self.document.source.aliased(("vars",))
        unused = [name for name in self.document.vars if name not in used]
        for name in unused[:MAX_UNUSED]:
            self._warn_of_var(name, f'no template uses the var "{name}"')
        if len(unused) > MAX_UNUSED:
            more = f"no template uses this var and {len(unused) - MAX_UNUSED - 1:,} more below"
            self._warn_of_var(unused[MAX_UNUSED], more)

    def _warn_of_var(self, name: str, message: str) -> None:
        place = self.document.source.place(("vars", name), at_key=True)
        self.findings.add(Finding(place, "MR603", message, severity="warning"))

    # -- rows

    def _rows(self, spec: AnalysisSpec) -> samplesheet.Rows | None:
        """None where the source has a fault, which is reported."""
        each = spec.for_each
        if each is None:
            return _ONE_ROW
        try:
            source = self.constant(each.source, ("forEach", each.format), spec.index)
            return self._sources.rows(each, source, lambda path: self.place(path, spec.index))
        except InvalidManifest as e:
            self._add_all(e)
        except _BrokenVar:
            pass
        return None

    def _row_checker(self, spec: AnalysisSpec) -> RowChecker | None:
        if spec.for_each is None or spec.for_each.schema is None:
            return None
        try:
            name = self.constant(spec.for_each.schema, ("forEach", "schema"), spec.index)
            return self._sources.row_checker(name, lambda path: self.place(path, spec.index))
        except InvalidManifest as e:
            self._add_all(e)
        except _BrokenVar:
            pass
        return None

    def _add_all(self, error: InvalidManifest) -> None:
        for finding in error.findings:
            self.report(finding.place, finding.code, finding.message)


class _Reader:
    """Puts a ``TemplateSlot`` for each template of one analysis, and gathers what the templates read."""

    def __init__(self, preparation: _Preparation, spec: AnalysisSpec, rows: samplesheet.Rows | None) -> None:
        self._preparation = preparation
        self._spec = spec
        self._rows = rows
        self._columns = rows.columns if rows else None
        self._scopes = preparation.scopes(spec, self._columns)
        self.used: list[Used] = []
        self.broken: list[Path_] = []

    def resolve(self, path: Path_, value: Any) -> Any:
        if isinstance(value, dict):
            for key in value:
                if self._preparation.refuse_template_key(key, (*path, key), self._spec.index):
                    self.broken.append((*path, key))
            return {key: self.resolve((*path, key), each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.resolve((*path, i), each) for i, each in enumerate(value)]
        if not isinstance(value, str) or not has_delimiters(value):
            return value
        template = self._template(path, value)
        return None if template is None else self._leaf(template, path)

    def expression(self, path: Path_, text: str | None) -> Template | None:
        return None if text is None else self._template(path, text, expression=True)

    def place(self, path: Path_) -> Place:
        return self._preparation.place(path, self._spec.index)

    def _template(self, path: Path_, text: str, *, expression: bool = False) -> Template | None:
        """None where it has a fault, which is reported."""
        try:
            template = self._preparation.template(text, expression=expression)
            self.used.append(template.used)
            template.check()
        except TemplateFault as e:
            self._preparation.report_fault(self.place(path), e, text)
            self.broken.append(path)
            return None
        except _BrokenVar:
            self.broken.append(path)
            return None
        messages = list(unknown_names(template, self._scopes))
        for message in messages:
            fault = TemplateFault("MR402", message)
            self._preparation.report_fault(self.place(path), fault, text, self._first_row)
            self.broken.append(path)
        return None if messages else template

    @cached_property
    def _first_row(self) -> Place | None:
        """The row in which a fault of all rows shows first, if there are any."""
        if self._rows is None:
            return None
        with suppress(InvalidManifest):  # told when the rows are read
            for number, _ in self._rows.read(lambda _finding, _group: None):
                return self._rows.place(number)
        return None

    def _leaf(self, template: Template, path: Path_) -> Any:
        if template.constant:
            try:
                return self._preparation.constant(template.text, path, self._spec.index)
            except _BrokenVar:
                self.broken.append(path)
                return None
        gives = what_it_gives(template, cells_are_text=self._columns is not None)
        return TemplateSlot(template, path, is_text=gives == "text", is_texts=gives == "texts")


def shown(text: str, limit: int = 120) -> str:
    """A template as a message quotes it: on one line, not too long."""
    line = " ".join(text.split())
    return f"`{line if len(line) <= limit else line[: limit - 1] + '…'}`"
