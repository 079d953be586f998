"""Tables in which rows are looked up by a key, such as a list of FASTQ files by sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from manifest_runner.diagnostics.finding import Finding
from manifest_runner.manifest.document import TableSpec
from manifest_runner.model import RowId
from manifest_runner.near_miss import near_miss
from manifest_runner.rows.base import OddRow, Report, Rows
from manifest_runner.rows.cells import CELL_SEPARATOR, ERROR_VALUES, error_words
from manifest_runner.templates.model import TemplateFault
from manifest_runner.templates.scope import LookupTable, Refusal, RowScope
from manifest_runner.text import listed, shown
from manifest_runner.values import text_of

_MAX_NEAR = 1_000  # keys searched for a near miss; more would take too long

Key = str | tuple[str, ...]


class Table(LookupTable):
    """The rows of a sheet by their key. A missing key raises KeyError; ``missing`` has the message for it.

    Keeps each row of text cells as one text, which takes a third of the memory.
    """

    def __init__(self, name: str, spec: TableSpec, rows: Rows) -> None:
        self._name = name
        self._key = spec.key
        self._lacks = f'the table "{name}" has no column "{{}}"'
        self._cell_place = rows.cell_place
        self.columns = rows.columns
        self.many = spec.many
        self._rows: dict[Key, Any] = {}
        self._odd: dict[int, RowId] = {}  # rows with an error value

    def add(self, key: Key, row: Any, row_id: RowId) -> None:
        packed = row if self.columns is None else CELL_SEPARATOR.join(row)
        if type(row) is OddRow:
            self._odd[id(packed)] = row_id
        if self.many:
            self._rows.setdefault(key, []).append(packed)
        else:
            self._rows[key] = packed

    def __contains__(self, key: object) -> bool:
        return self._normal(key) in self._rows

    def __getitem__(self, key: object) -> Any:
        """The row of a key as templates see it, or the list of its rows.

        Raises KeyError, and TemplateFault for a key with too few or too many columns.
        """
        found = self._rows[self._normal(key)]
        return [self._scope(row) for row in found] if self.many else self._scope(found)

    def cells(self, key: Key) -> list[str]:
        """The cells of the one row of a key, for a table of text cells without error values. Raises LookupError."""
        packed = self._rows[key]
        if self._odd and id(packed) in self._odd:
            raise LookupError
        cells: list[str] = packed.split(CELL_SEPARATOR)
        return cells

    def all_cells(self, key: Key) -> list[list[str]]:
        """The cells of all rows of a key, as ``cells``."""
        rows = self._rows[key]
        if self._odd and any(id(packed) in self._odd for packed in rows):
            raise LookupError
        return [packed.split(CELL_SEPARATOR) for packed in rows]

    def missing(self, key: object) -> str:
        """The message for a missing key."""
        names = listed(self._key, "and")
        wanted = " and ".join(shown(each) for each in key) if isinstance(key, tuple) else shown(key)
        near = ""
        if isinstance(key, str) and len(self._rows) <= _MAX_NEAR:
            near = near_miss(key, (each for each in self._rows if isinstance(each, str)))
        optional = f"`tables.{self._name}[…] | default(…)` makes it optional"
        return f'the table "{self._name}" has no row with {names} {wanted}{near}; {optional}'

    def _normal(self, key: object) -> Any:
        parts = _normal(key)
        given = parts if isinstance(parts, tuple) else (parts,)
        if len(given) != len(self._key):
            wanted = ", ".join(f"row.{column}" if column.isidentifier() else f"row[{column!r}]" for column in self._key)
            names = listed([shown(column) for column in self._key], "and")
            words = f'the key of the table "{self._name}" is {names}: write tables.{self._name}[{wanted}]'
            raise TemplateFault("MR402", words)
        return given[0] if len(given) == 1 else parts

    def _scope(self, packed: Any) -> RowScope:
        if self.columns is None:
            return RowScope(packed, self._lacks)
        cells = packed.split(CELL_SEPARATOR)
        values = dict(zip(self.columns, cells, strict=True))
        if not self._odd or id(packed) not in self._odd:
            return RowScope(values, self._lacks)
        row_id = self._odd[id(packed)]
        refused = {
            column: Refusal("MR310", error_words(column, value), self._cell_place(row_id, cell))
            for cell, (column, value) in enumerate(values.items())
            if value in ERROR_VALUES
        }
        kept = {column: each for column, each in values.items() if column not in refused}
        return RowScope(kept, self._lacks, refused=refused)


def _normal(key: object) -> Any:
    """A key as in the rows: text, or a tuple of texts."""
    if isinstance(key, (list, tuple)):
        return tuple(map(_normal, key))
    return text_of(key) if isinstance(key, (bool, int, float)) else key


def read_table(name: str, spec: TableSpec, rows: Rows, report: Report) -> Table:
    """The table of a sheet that has the key's columns. Faulty rows are reported and left out.

    Raises InvalidManifest if the sheet cannot be read.
    """
    table = Table(name, spec, rows)
    first: dict[Key, RowId] = {}
    for row_id, row in rows.read(report):
        key = _key(spec, rows, row_id, row, report)
        if key is None:
            continue
        if not spec.many and first.setdefault(key, row_id) != row_id:
            report(_repeated(spec, rows, key, first[key], row_id), "repeated")
            continue
        table.add(key, row, row_id)
    return table


def _key(spec: TableSpec, rows: Rows, row_id: RowId, row: Any, report: Report) -> Key | None:
    """The key of a row; None if it has none, which is reported."""
    values = row if rows.columns is None else dict(zip(rows.columns, row, strict=True))
    for column in spec.key:
        if fault := _key_fault(column, values):
            place = rows.place(row_id)
            if place is not None:
                report(Finding(place, fault[0], fault[1], row=place), ("key", column, fault[0]))
            return None
    parts = tuple(_normal(values[column]) for column in spec.key)
    return parts[0] if len(parts) == 1 else parts


def _key_fault(column: str, values: Mapping[str, Any]) -> tuple[str, str] | None:
    value = values.get(column)
    if column not in values or not isinstance(value, (str, bool, int, float)):
        return "MR306", f"the key column {shown(column)} must hold text or a number"
    if value in ERROR_VALUES:
        return "MR310", error_words(column, str(value))
    return None


def _repeated(spec: TableSpec, rows: Rows, key: Key, first: RowId, row_id: RowId) -> Finding:
    place, before = rows.place(row_id), rows.place(first)
    assert place is not None
    assert before is not None
    values = (key,) if isinstance(key, str) else key
    what = " and ".join(f"{column} {shown(value)}" for column, value in zip(spec.key, values, strict=True))
    message = f"duplicate key {what}; first used at {before.brief()}. Add `many: true` to look up all rows of a key"
    return Finding(place, "MR311", message, row=place)


def key_columns(spec: TableSpec, rows: Rows) -> Iterator[str]:
    """The columns of the key that a sheet does not have."""
    return (column for column in spec.key if rows.columns is not None and column not in rows.columns)
