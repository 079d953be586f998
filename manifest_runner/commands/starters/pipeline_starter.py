"""The starter manifest of one pipeline: required values are filled in or marked, all others are in comments. Pure.

A marked value is an error until somebody replaces it: text in angle brackets is not data, and no template knows the
name REPLACE_ME.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator

import msgspec

from manifest_runner.model import Kind
from manifest_runner.names.checks.form_fields import NO_VALUES, Field, choices_of, fields_of, is_required, type_of
from manifest_runner.names.checks.pipeline_check import plain_type
from manifest_runner.names.model import InputDeclaration, ParameterDeclaration, PipelineEntry
from manifest_runner.templates.model import PLACEHOLDER
from manifest_runner.values import is_uuid

REPLACE_ME = f'"{{{{ {PLACEHOLDER} }}}}"'
SAMPLE = "sample"

_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WIDTH = 44


class PipelineStarter(msgspec.Struct, frozen=True):
    """The parts of a starter. ``key`` is the pipeline's code or id, as written in the manifest."""

    key: str
    entry: PipelineEntry
    project: str
    name: str
    samplesheet: str
    description: str | None = None
    storage: str | None = None

    def manifest(self) -> str:
        """The manifest's text."""
        return "\n".join([*self._head(), *self._analysis()]) + "\n"

    @property
    def has_placeholders(self) -> bool:
        """Whether a value of the manifest is still to be filled in."""
        return any(REPLACE_ME in line and not line.lstrip().startswith("#") for line in self._analysis())

    def samples(self) -> str:
        """The samplesheet: a column for each required input, and one row to replace."""
        columns = [SAMPLE, *(column for column, _ in self._columns())]
        row = ["S1", *(f"<path of {code}>" for _, code in self._columns())]
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([columns, row])
        return text.getvalue()

    def _head(self) -> Iterator[str]:
        marked = f" and everything marked {PLACEHOLDER}" if self.has_placeholders else ""
        yield "# A manifest of manifest-runner: one analysis for each row of the samplesheet."
        yield f"# Fill in {self.samplesheet}{marked}; validate lists what is missing."
        yield "manifest: 1"
        yield _commented(f"name: {_quoted(self.name)}", "part of each launch's identity: keep it")
        yield f"project: {self.project}"
        yield ""
        yield "defaults:"
        if self.description:
            yield from (f"  # {line}" for line in self.description.splitlines()[:5])
        yield f"  {'pipelineId' if is_uuid(self.key) else 'pipeline'}: {_quoted(self.key)}"
        default = "the pipeline's own" if self.storage is None else "the pipeline's default"
        yield _commented(f"  # analysisStorage: {self.storage or 'Small'}", default)
        yield ""

    def _analysis(self) -> Iterator[str]:
        kind: Kind = self.entry.kind or "nextflow"
        yield "analyses:"
        yield f"  - kind: {kind}"
        yield "    forEach:"
        yield f"      csv: {_quoted(self.samplesheet)}"
        yield _commented(f'    userReference: "{{{{ row.{SAMPLE} }}}}"', "unique: it identifies a launch")
        yield from self._form() if kind == "nextflowJson" else self._input()
        yield "    # analysisOutput:"
        yield '    #   - {sourcePath: out/, type: FOLDER, targetProjectId: "{{ project }}", targetPath: "/results/"}'

    # -- inputs and parameters by code

    def _input(self) -> Iterator[str]:
        inputs, parameters = self.entry.inputs or (), self.entry.parameters or ()
        yield "    analysisInput:"
        if not inputs and not parameters:
            yield "      # The pipeline declares no inputs and no parameters, or this credential may not see them."
        columns = {code: column for column, code in self._columns()}
        lines = [self._input_line(each, columns.get(each.code)) for each in inputs]
        yield from _block("inputs", lines)
        yield from _block("parameters", [_parameter_line(each) for each in parameters])

    def _columns(self) -> Iterator[tuple[str, str]]:
        """A column of the samplesheet for each required input: its name and the input's code."""
        used = {SAMPLE}
        for code in self._required_data():
            column = code if _COLUMN.fullmatch(code) else re.sub(r"\W+", "_", code).strip("_") or "data"
            column = f"_{column}" if column[0].isdecimal() else column
            while column in used:
                column += "_"
            used.add(column)
            yield column, code

    def _required_data(self) -> Iterator[str]:
        if self.entry.kind == "nextflowJson":
            yield from (each["id"] for each in fields_of(self.entry.form) if _is_data(each) and is_required(each))
        else:
            yield from (each.code for each in self.entry.inputs or () if each.required)

    @staticmethod
    def _input_line(declared: InputDeclaration, column: str | None) -> str:
        what = "files or folders" if declared.multi_value else "a file or folder"
        if column is None:
            example = '["/path/of/a", "/path/of/b"]' if declared.multi_value else "/path/of/data"
            return _commented(f"        # {_quoted(declared.code)}: {example}", f"optional, {what}")
        value = f"{{{{ row.{column} | split(';') }}}}" if declared.multi_value else f"{{{{ row.{column} }}}}"
        more = " separated by ;" if declared.multi_value else ""
        return _commented(f'        {_quoted(declared.code)}: "{value}"', f"required, {what}{more}")

    # -- forms

    def _form(self) -> Iterator[str]:
        columns = {code: column for column, code in self._columns()}
        fields = list(fields_of(self.entry.form))
        yield "    inputFormValues:"
        lines = [_field_line(each, columns.get(each["id"])) for each in _plain(fields)]
        yield from _block("fields", [f"        {line}" for line in lines])
        if groups := [each for each in fields if type_of(each) == "fieldgroup"]:
            yield "      groups:" if any(map(is_required, groups)) else "      # groups:"
        for group in groups:
            margin = "        " if is_required(group) else "      #   "
            yield from (f"{margin}{line}" for line in _group_lines(group))


def _block(name: str, lines: list[str]) -> Iterator[str]:
    """A mapping of the analysis; an empty one if its lines are all comments."""
    is_empty = all(line.lstrip().startswith("#") for line in lines)
    yield f"      {name}: {{}}" if is_empty else f"      {name}:"
    yield from lines


def _parameter_line(declared: ParameterDeclaration) -> str:
    words = "required" if declared.required else "optional"
    words += f", one of {', '.join(declared.options)}" if declared.options else f", {declared.type or 'text'}"
    words += f", default {', '.join(declared.default)}" if declared.default else ""
    line = f"{_quoted(declared.code)}: {_value(declared) or REPLACE_ME}"
    return _commented(f"        {line if declared.required else f'# {line}'}", words)


def _value(declared: ParameterDeclaration) -> str:
    values = [_scalar(each, plain_type(declared.type)) for each in declared.default]
    if declared.multi_value and values:
        return f"[{', '.join(values)}]"
    return values[0] if values else ""


def _plain(fields: Iterable[Field]) -> list[Field]:
    """The fields that are filled in themselves."""
    return [each for each in fields if type_of(each) not in (*NO_VALUES, "fieldgroup")]


def _group_lines(group: Field) -> Iterator[str]:
    """A group that is filled in once."""
    lines = [_field_line(each, None) for each in _plain(fields_of(group.get("fields")))]
    yield f"- id: {_quoted(group['id'])}"
    yield "  values:"
    yield "    - values:" if any(not line.startswith("#") for line in lines) else "    - values: {}"
    yield from (f"        {line}" for line in lines)


def _field_line(field: Field, column: str | None) -> str:
    """A field with its value, in a comment if it is optional. The data of a required one is in ``column``, if any."""
    words = ["required" if is_required(field) else "optional", type_of(field) or "text"]
    if choices := choices_of(field):
        words.append(f"one of {', '.join(choices)}")
    words += [f"{name} {field[key]}" for name, key in (("from", "min"), ("to", "max")) if field.get(key) is not None]
    if isinstance(field.get("label"), str):
        words.append(field["label"])
    name = _quoted(field["id"])
    if _is_data(field):
        missing = REPLACE_ME if is_required(field) else "/path/of/data"
        row = f'"{{{{ row.{column} }}}}"' if column else missing
        line = f"{name}: {{dataValues: [{{dataId: {row}, mountPath: in/}}]}}"
    else:
        default = field.get("value")
        line = f"{name}: {_scalar(str(default), None) if default not in (None, '', []) else REPLACE_ME}"
    return _commented(line if is_required(field) else f"# {line}", ", ".join(words), _WIDTH - 8)


def _is_data(field: Field) -> bool:
    return type_of(field) == "data"


def _scalar(text: str, kind: str | None) -> str:
    """A default as YAML: a boolean or a number as such, and any other text quoted if necessary."""
    return text if kind is not None and re.fullmatch(r"true|false|-?[0-9]+(\.[0-9]+)?", text) else _quoted(text)


def _quoted(text: str) -> str:
    """Text for YAML that every reader takes as text."""
    is_plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_./-]*", text) and text.lower() not in ("null", "true", "false")
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _commented(line: str, words: str, width: int = _WIDTH) -> str:
    """The line with a comment after it."""
    return f"{line:<{width}}  # {' '.join(words.split())}"
