"""Group rows that agree in some columns: several lanes of a sample, tumor and normal, a whole cohort."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

import msgspec

from manifest_runner.model import RowId
from manifest_runner.rows.cells import CELL_SEPARATOR
from manifest_runner.values import spelled_json


class Differs:
    """Takes the place of a cell that the rows of a group do not share. Raises, whatever a template does with it."""

    def _refuse(self, *_: object) -> Any:
        raise LookupError("the rows of the group do not share this cell")

    __str__ = __format__ = __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __iter__ = _refuse
    __hash__ = object.__hash__


DIFFERS = Differs()


class Group(msgspec.Struct, frozen=True, eq=False):
    """The rows of one item. ``index`` and ``row_id`` are those of the first; ``row`` has what all rows share."""

    index: int
    row_id: RowId
    row: Any
    members: Sequence[Any]


# The index, the id and the cells of a row, and something that grouping does not need.
IndexedRow = tuple[int, RowId, Any, Any]
# Called with a row that has not all of the columns to group by, and with the missing column.
Lacks = Callable[[RowId, str], None]


def grouped(
    rows: Iterable[IndexedRow], columns: Sequence[str] | None, by: Sequence[str], lacks: Lacks
) -> Iterator[Group]:
    """The groups, in the order of their first rows. ``columns`` are those of a table, None if rows are mappings."""
    if columns is None:
        return _grouped_mappings(rows, by, lacks)
    return _grouped_cells(rows, [columns.index(column) for column in by])


def _grouped_cells(rows: Iterable[IndexedRow], by: Sequence[int]) -> Iterator[Group]:
    """Keeps each row as one text, which takes a third of the memory."""
    key_of: Callable[[list[str]], Any] = itemgetter(*by) if by else lambda _: None
    groups: dict[Any, list[Any]] = {}
    for index, row_id, row, _ in rows:
        packed = CELL_SEPARATOR.join(row)
        known = groups.get(key := key_of(row))
        if known is None:
            groups[key] = [index, row_id, packed]
        else:
            known.append(packed)
    for index, row_id, *texts in groups.values():
        members = [text.split(CELL_SEPARATOR) for text in texts]
        yield Group(index, row_id, _shared_cells(members), members)


def _shared_cells(members: list[list[str]]) -> list[Any]:
    if len(members) == 1:
        return members[0]
    if len(members) == 2:
        return [a if a == b else DIFFERS for a, b in zip(*members, strict=True)]
    return [cells[0] if cells.count(cells[0]) == len(cells) else DIFFERS for cells in zip(*members, strict=True)]


def _grouped_mappings(rows: Iterable[IndexedRow], by: Sequence[str], lacks: Lacks) -> Iterator[Group]:
    groups: dict[tuple[str, ...], list[Any]] = {}
    for index, row_id, row, _ in rows:
        missing = next((column for column in by if column not in row), None)
        if missing is not None:
            lacks(row_id, missing)
            continue
        key = tuple(spelled_json(row[column]) for column in by)
        groups.setdefault(key, [index, row_id]).append(row)
    for index, row_id, *members in groups.values():
        yield Group(index, row_id, _shared_values(members), members)


def _shared_values(members: list[Mapping[str, Any]]) -> dict[str, Any]:
    first, *others = members
    spelled = {column: spelled_json(value) for column, value in first.items()}
    return {
        column: value
        for column, value in first.items()
        if all(column in each and spelled_json(each[column]) == spelled[column] for each in others)
    }
