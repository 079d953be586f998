"""Opens what a ``forEach`` names: its samplesheet or the rows themselves, and the JSON Schema of the rows."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from manifest_runner.diagnostics.finding import Finding, InvalidManifest, Place
from manifest_runner.manifest.document import ForEach
from manifest_runner.manifest.input_file import decode_utf8, read_bytes, refuse_unreadable
from manifest_runner.manifest.yaml_file import Path_, read_yaml
from manifest_runner.model import RowId
from manifest_runner.rows.base import Rows, listed_rows, matrix_rows
from manifest_runner.rows.csv_rows import csv_rows
from manifest_runner.rows.json_rows import json_rows
from manifest_runner.text import kind_of, near_miss
from manifest_runner.validation.validator import RowChecker, SchemaProblem, row_checker

MAX_SCHEMA_BYTES = 16 * 2**20
_MAX_LISTED = 10_000

PlaceOf = Callable[[Path_], Place]


class Sources:
    """``folder`` is what paths in the manifest are relative to, ``label`` its name in messages."""

    def __init__(self, folder: Path, label: Path) -> None:
        self._folder = folder
        self._label = label

    def rows(self, each: ForEach, source: Any, place: PlaceOf) -> Rows:
        """The rows of a source whose templates are rendered. Raises InvalidManifest."""
        path: Path_ = ("forEach", each.format)
        if each.format == "rows":
            return _listed(source, path, place)
        if each.format == "matrix":
            return _matrix(source, path, place)
        file, label = self._file(source, place(path), "samplesheet")
        if each.format == "json":
            return json_rows(file, label)
        if each.format == "yaml":
            return yaml_rows(file, label)
        delimiter = "," if each.format == "csv" else "\t"
        return csv_rows(file, label, delimiter=delimiter, section=each.section)

    def row_checker(self, name: Any, place: PlaceOf) -> RowChecker:
        """The compiled schema of the rows. Raises InvalidManifest."""
        at = place(("forEach", "schema"))
        file, label = self._file(name, at, "row schema")
        try:
            return row_checker(_read_schema(file, label))
        except SchemaProblem as e:
            raise InvalidManifest([Finding(at, "MR308", f"{label} is not a JSON Schema: {e}")]) from e

    def _file(self, name: Any, at: Place, what: str) -> tuple[Path, str]:
        """An existing file, and its name in messages, which is relative to where the manifest's own is."""
        if not isinstance(name, str) or not name:
            raise InvalidManifest([Finding(at, "MR301", f"expected the path of a {what}, got {kind_of(name)}")])
        file, label = self._folder / name, str(self._label / name)
        if not os.path.lexists(file):
            elsewhere = "" if Path(name).is_absolute() else "; paths are relative to the manifest"
            hint = near_miss(file.name, _neighbours(file.parent)) or elsewhere
            raise InvalidManifest([Finding(at, "MR301", f"there is no {what} {label}{hint}")])
        try:
            refuse_unreadable(file, label)
        except InvalidManifest as e:
            message = f"the {what} {label} {e.findings[0].message}"
            raise InvalidManifest([Finding(at, "MR301", message)]) from e
        return file, label


def yaml_rows(path: Path, label: str) -> Rows:
    """Rows of a YAML file: a list of mappings, read as a manifest is."""
    file = read_yaml(path, label)
    if not isinstance(file.data, list):
        raise InvalidManifest([Finding(Place(label, 1), "MR306", "expected a list of mappings")])
    return listed_rows(file.data, lambda row: file.place((_index(row),)))


def _index(row: RowId) -> int:
    assert isinstance(row, int)
    return row


def _neighbours(folder: Path) -> list[str]:
    try:
        return [file.name for file in itertools.islice(folder.iterdir(), _MAX_LISTED)]
    except (OSError, ValueError):
        return []


def _listed(source: Any, path: Path_, place: PlaceOf) -> Rows:
    if not isinstance(source, list):
        message = f"expected a list of mappings, got {kind_of(source)}"
        raise InvalidManifest([Finding(place(path), "MR306", message)])
    return listed_rows(source, lambda row: place((*path, _index(row))))


def _matrix(source: Any, path: Path_, place: PlaceOf) -> Rows:
    if not isinstance(source, dict) or not source:
        raise InvalidManifest([Finding(place(path), "MR306", f"expected a mapping of lists, got {kind_of(source)}")])
    faults = [
        Finding(place((*path, key)), "MR306", f'expected a list of values for "{key}", got {kind_of(values)}')
        for key, values in source.items()
        if not isinstance(values, list)
    ]
    if faults:
        raise InvalidManifest(faults)
    try:
        return matrix_rows(source, lambda _: place(path))
    except ValueError as e:
        raise InvalidManifest([Finding(place(path), "MR306", str(e))]) from e


def _read_schema(file: Path, label: str) -> Any:
    """A JSON Schema in JSON or in YAML."""
    if file.suffix in (".yaml", ".yml"):
        return read_yaml(file, label).data
    text = decode_utf8(read_bytes(file, label, MAX_SCHEMA_BYTES, code="MR301"), label)
    try:
        return json.loads(text)
    except json.JSONDecodeError as e:
        at = Place(label, e.lineno, e.colno)
        raise InvalidManifest([Finding(at, "MR308", f"not JSON: {e.msg[:1].lower()}{e.msg[1:]}")]) from e
    except (ValueError, RecursionError) as e:
        raise InvalidManifest(
            [Finding(Place(label, 1), "MR308", "not JSON: nested too deeply, or a huge number")]
        ) from e
