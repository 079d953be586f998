"""A user's JSON Schema for rows: of one row, or of the whole sheet as a list of rows, as in nf-core pipelines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from manifest_runner.diagnostics.finding import InvalidManifest, Place
from manifest_runner.manifest.input_file import decode_utf8, read_bytes
from manifest_runner.manifest.yaml_file import read_yaml
from manifest_runner.model import DataPath
from manifest_runner.text import uncapitalized
from manifest_runner.validation.messages import Fault
from manifest_runner.validation.validator import Checker, SchemaProblem, row_checker
from manifest_runner.values import NotANumber, spelled_number

MAX_SCHEMA_BYTES = 16 * 2**20
_DOCUMENT = ("$schema", "$id", "$defs", "definitions")


class RowSchema(msgspec.Struct, frozen=True, eq=False):
    """``rules`` is the schema of one row; ``is_of_sheet`` if it is part of a schema of the whole sheet."""

    checker: Checker
    rules: Any
    is_of_sheet: bool

    def row(self, columns: tuple[str, ...] | None, row: Any) -> Mapping[str, Any]:
        """A row as the schema sees it. ``columns`` are those of a table, None if rows are mappings.

        A schema of a whole sheet applies to cells as nf-core reads them: a blank cell is missing, and text becomes a
        number or a boolean if the schema asks for one.
        """
        if columns is None:
            return dict(row)
        cells = dict(zip(columns, row, strict=True))
        if not self.is_of_sheet:
            return cells
        return {column: self._typed(column, text) for column, text in cells.items() if text != ""}

    def message(self, fault: Fault) -> str:
        """The fault, in the schema's own words if it has any."""
        words = _at(self.rules, fault.path).get("errorMessage")
        return f"{words} ({fault.message})" if isinstance(words, str) and not fault.lacks else fault.message

    def _typed(self, column: str, text: str) -> Any:
        wanted = _at(self.rules, (column,)).get("type")
        types = wanted if isinstance(wanted, list) else [wanted]
        if "string" in types or wanted is None:
            return text
        if "boolean" in types and text.lower() in ("true", "false"):
            return text.lower() == "true"
        return _number(text, types)


def _number(text: str, types: list[Any]) -> Any:
    is_whole = text.removeprefix("-").isdigit() and text.isascii()
    if not is_whole and "number" not in types:
        return text
    try:
        value = json.loads(text)
        return spelled_number(text, whole=is_whole) if type(value) in (int, float) else text
    except (ValueError, NotANumber):
        return text


def _at(rules: Any, path: DataPath) -> Mapping[str, Any]:
    """The schema of the value at a path of the row, if its ``properties`` lead there; otherwise an empty one."""
    for step in path:
        inner = rules.get("properties") if isinstance(rules, dict) else None
        rules = inner.get(step) if isinstance(inner, dict) else None
    return rules if isinstance(rules, dict) else {}


def open_row_schema(file: Path, label: str, at: Place) -> RowSchema:
    """The compiled schema of the rows; ``at`` is the place that names it. Raises InvalidManifest."""
    schema = _read_schema(file, label)
    rules, is_of_sheet = schema, False
    if isinstance(schema, dict) and schema.get("type") == "array" and isinstance(schema.get("items"), dict):
        rules = {key: schema[key] for key in _DOCUMENT if key in schema} | schema["items"]
        is_of_sheet = True
    try:
        return RowSchema(row_checker(rules), rules, is_of_sheet)
    except SchemaProblem as e:
        raise InvalidManifest.at(at, "MR308", f"{label} is not a JSON Schema: {e}") from e


def _read_schema(file: Path, label: str) -> Any:
    """A JSON Schema in JSON or in YAML."""
    if file.suffix in (".yaml", ".yml"):
        return read_yaml(file, label).data
    text = decode_utf8(read_bytes(file, label, MAX_SCHEMA_BYTES, code="MR301"), label)
    try:
        return json.loads(text)
    except json.JSONDecodeError as e:
        at = Place(label, e.lineno, e.colno)
        raise InvalidManifest.at(at, "MR308", f"not JSON: {uncapitalized(e.msg)}") from e
    except (ValueError, RecursionError) as e:
        message = "not JSON: nested too deeply, or a huge number"
        raise InvalidManifest.at(Place(label, 1), "MR308", message) from e
