"""Each analysis of a document made ready for its rows: the source opened, the templates compiled, the names checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from manifest_runner import samplesheet
from manifest_runner.document import AnalysisSpec, Document, ForEach
from manifest_runner.errors import InvalidManifest
from manifest_runner.findings import Findings
from manifest_runner.manifest import Path_, decode_utf8, read_bytes, read_yaml
from manifest_runner.model import Finding, Place
from manifest_runner.render import Renderer, what_it_gives
from manifest_runner.sandbox import Sandbox, Scope, near_miss
from manifest_runner.schema import RowChecker, SchemaProblem, row_checker
from manifest_runner.shape import Leaf
from manifest_runner.templating import Lookup, Template, TemplateFault, Used, has_delimiters

MAX_SCHEMA_BYTES = 16 * 2**20
MAX_UNUSED_WARNINGS = 10

_ONE_ROW = samplesheet.Rows(None, lambda _: iter([(-1, {})]), lambda _: None)


@dataclass(frozen=True)
class Analysis:
    """One analysis ready to be rendered. ``fields`` still has shorthands, its templates are ``Leaf`` values."""

    spec: AnalysisSpec
    fields: Mapping[str, Any] = field(repr=False)
    rows: samplesheet.Rows
    renderer: Renderer
    revision: Any
    where: Template | None
    row_checker: RowChecker | None
    scope: Mapping[str, Any] = field(repr=False)


def prepare_analyses(document: Document, project: str, folder: Path, findings: Findings) -> list[Analysis]:
    """The analyses that have no fault; every fault and warning found is added to ``findings``.

    ``folder`` is what paths in the manifest are relative to.
    """
    preparation = _Preparation(document, project, folder, findings)
    analyses = [preparation.analysis(spec) for spec in document.analyses]
    preparation.warn_of_unused_vars()
    return [analysis for analysis in analyses if analysis is not None]


class _Preparation:
    def __init__(self, document: Document, project: str, folder: Path, findings: Findings) -> None:
        self._document = document
        self._folder = folder
        self._findings = findings
        self._sandbox = Sandbox()
        self._templates: dict[tuple[str, bool], Template] = {}
        self._used_vars: set[str] = set()
        self._used_all_vars = False
        self._scope = self._constants(project)

    def analysis(self, spec: AnalysisSpec) -> Analysis | None:
        before = self._findings.count("error")
        rows = self._rows(spec)
        reader = _Reader(self, spec, rows.columns if rows else None)
        fields = {key: reader.resolve((key,), value) for key, value in spec.fields.items()}
        revision = reader.resolve(("revision",), spec.revision)
        where = reader.expression(("forEach", "where"), spec.for_each.where if spec.for_each else None)
        checker = self._row_checker(spec)
        reader.check_names()
        if rows is None or self._findings.count("error") > before:
            return None
        renderer = Renderer(spec.kind, fields, rows.columns, self._scope)
        return Analysis(spec, fields, rows, renderer, revision, where, checker, self._scope)

    def report(self, place: Place, code: str, message: str) -> None:
        self._findings.add(Finding(place, code, message))

    def warn(self, place: Place, code: str, message: str, *, mild: bool = False) -> None:
        self._findings.add(Finding(place, code, message, severity="info" if mild else "warning"))

    def template(self, text: str, *, expression: bool = False) -> Template:
        """A template of this text, parsed once however often it stands in the manifest. Raises TemplateFault."""
        key = (text, expression)
        if key not in self._templates:
            self._templates[key] = Template(text, self._sandbox, expression=expression)
        used = self._templates[key].used
        self._used_vars |= used.vars
        self._used_all_vars |= used.whole_vars
        return self._templates[key]

    def constant(self, raw: Any, path: Path_, analysis: int | None) -> Any:
        """A value in which templates may use only what is the same for every row; faults are reported."""
        if isinstance(raw, dict):
            return {key: self.constant(value, (*path, key), analysis) for key, value in raw.items()}
        if isinstance(raw, list):
            return [self.constant(value, (*path, i), analysis) for i, value in enumerate(raw)]
        if not isinstance(raw, str) or not has_delimiters(raw):
            return raw
        try:
            return self.template(raw).render(self._scope)
        except TemplateFault as e:
            self.report(self._place(path, analysis), e.code, f"{e}, in {shown(raw)}")
            return None

    def _place(self, path: Path_, analysis: int | None) -> Place:
        return self._document.source.place(path) if analysis is None else self._document.place(analysis, path)

    # -- the same for every row

    def _constants(self, project: str) -> dict[str, Any]:
        """A var sees ``env``, ``project``, ``name`` and the vars above it."""
        document = self._document
        env = Scope(document.env, 'the environment variable {} is not set, or not listed under "env"')
        values = Scope({}, 'there is no var "{}" here')
        self._scope = {"env": env, "vars": values, "project": project, "name": document.name}
        for name, raw in document.vars.items():
            given = document.given_vars.get(name)
            values[name] = self.constant(raw, ("vars", name), None) if given is None else given
        values.update({name: text for name, text in document.given_vars.items() if name not in document.vars})
        return self._scope

    def warn_of_unused_vars(self) -> None:
        if self._used_all_vars:
            return
        for name in self._document.vars:
            if name not in self._used_vars:
                place = self._document.source.place(("vars", name), at_key=True)
                self.warn(place, "MR603", f'no template uses the var "{name}"')

    # -- rows

    def _rows(self, spec: AnalysisSpec) -> samplesheet.Rows | None:
        each = spec.for_each
        if each is None:
            return _ONE_ROW
        try:
            return self._source(spec, each)
        except InvalidManifest as e:
            for finding in e.findings:
                self._findings.add(finding)
            return None

    def _source(self, spec: AnalysisSpec, each: ForEach) -> samplesheet.Rows | None:
        path: Path_ = ("forEach", each.format)
        source = self.constant(each.source, path, spec.index)
        if each.format == "rows":
            return samplesheet.listed_rows(source, lambda row: self._document.place(spec.index, (*path, row)))
        if each.format == "matrix":
            return samplesheet.matrix_rows(source, lambda _: self._document.place(spec.index, path))
        file, label = self._file(source)
        if not file.exists():
            at = self._document.place(spec.index, path)
            self.report(at, "MR301", f"there is no samplesheet {label}; paths are relative to the manifest")
            return None
        if each.format == "json":
            return samplesheet.json_rows(file, label)
        if each.format == "yaml":
            return samplesheet.yaml_rows(file, label)
        delimiter = "," if each.format == "csv" else "\t"
        return samplesheet.csv_rows(file, label, delimiter=delimiter, section=each.section)

    def _file(self, name: object) -> tuple[Path, str]:
        """A path as the manifest gives it, and as messages show it: beside the manifest's own name."""
        return self._folder / str(name), str(Path(self._document.source.file).parent / str(name))

    def _row_checker(self, spec: AnalysisSpec) -> RowChecker | None:
        if spec.for_each is None or spec.for_each.schema is None:
            return None
        path: Path_ = ("forEach", "schema")
        file, label = self._file(self.constant(spec.for_each.schema, path, spec.index))
        try:
            return row_checker(_read_schema(file, label))
        except InvalidManifest as e:
            for finding in e.findings:
                self._findings.add(finding)
        except SchemaProblem as e:
            self.report(self._document.place(spec.index, path), "MR308", f"{label} is not a JSON Schema: {e}")
        return None


def _read_schema(file: Path, label: str) -> Any:
    """A JSON Schema in JSON or in YAML; the former is a subset of the latter but for tabs between tokens."""
    if file.suffix in (".yaml", ".yml"):
        return read_yaml(file, label).data
    import json

    text = decode_utf8(read_bytes(file, label, MAX_SCHEMA_BYTES), label)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as e:
        line = getattr(e, "lineno", 1)
        raise InvalidManifest([Finding(Place(label, line), "MR308", f"not JSON: {getattr(e, 'msg', e)}")]) from e


class _Reader:
    """Puts a ``Leaf`` for each template of one analysis and gathers what the templates read."""

    def __init__(self, preparation: _Preparation, spec: AnalysisSpec, columns: tuple[str, ...] | None) -> None:
        self._preparation = preparation
        self._spec = spec
        self._columns = columns
        self._used: list[Used] = []

    def resolve(self, path: Path_, value: Any) -> Any:
        if isinstance(value, dict):
            for key in value:
                self._refuse_template_key(path, key)
            return {key: self.resolve((*path, key), each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.resolve((*path, i), each) for i, each in enumerate(value)]
        if not isinstance(value, str) or not has_delimiters(value):
            return value
        try:
            return self._leaf(self._checked(path, value), path)
        except TemplateFault as e:
            self._report(path, e, value)
            return None

    def expression(self, path: Path_, text: str | None) -> Template | None:
        if text is None:
            return None
        try:
            return self._checked(path, text, expression=True)
        except TemplateFault as e:
            self._report(path, e, text)
            return None

    def check_names(self) -> None:
        """Warn of columns that no template reads."""
        if self._columns is None or any(used.whole_row for used in self._used):
            return
        read = frozenset[str]().union(*(used.columns for used in self._used))
        unused = [name for name in self._columns if name not in read]
        place = self._place(("forEach", self._spec.for_each.format)) if self._spec.for_each else None
        for name in unused if place else ():
            mild = len(unused) > MAX_UNUSED_WARNINGS
            assert place is not None
            self._preparation.warn(place, "MR602", f'no template uses the column "{name}"', mild=mild)

    def _checked(self, path: Path_, text: str, *, expression: bool = False) -> Template:
        template = self._preparation.template(text, expression=expression)
        self._used.append(template.used)
        if template.parts is None:
            template.check()
        else:
            self._refuse_unknown_columns(path, template)
        return template

    def _leaf(self, template: Template, path: Path_) -> Any:
        if template.constant:
            return self._preparation.constant(template.text, path, self._spec.index)
        gives = what_it_gives(template, cells_are_text=self._columns is not None)
        return Leaf(template, path, is_text=gives == "text", is_texts=gives == "texts")

    def _refuse_unknown_columns(self, path: Path_, template: Template) -> None:
        """A column that is not in the header is one fault, not one for each row."""
        for part in template.parts or ():
            if not isinstance(part, Lookup) or part.root != "row" or part.key is None or self._columns is None:
                continue
            guarded = any(name in ("default", "d") for name, _ in part.filters)
            if part.key not in self._columns and not guarded:
                hint = near_miss(part.key, self._columns)
                self._report(path, TemplateFault("MR402", f'the row has no column "{part.key}"{hint}'), template.text)

    def _refuse_template_key(self, path: Path_, key: str) -> None:
        if has_delimiters(key):
            place = self._preparation._document.place(self._spec.index, (*path, key), at_key=True)
            self._preparation.report(place, "MR406", f"a key cannot be a template: {shown(key)}")

    def _place(self, path: Path_) -> Place:
        return self._preparation._document.place(self._spec.index, path)

    def _report(self, path: Path_, fault: TemplateFault, text: str) -> None:
        self._preparation.report(self._place(path), fault.code, f"{fault}, in {shown(text)}")


def shown(text: str, limit: int = 120) -> str:
    """A template as a message quotes it: on one line, not too long."""
    line = " ".join(text.split())
    return f"`{line if len(line) <= limit else line[: limit - 1] + '…'}`"
