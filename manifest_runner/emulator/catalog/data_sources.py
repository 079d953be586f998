"""Sources of the emulator's data: the catalog, or anything that is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Protocol

from manifest_runner.emulator.catalog.data_rows import NO_ROWS, DataRow, DataRows
from manifest_runner.emulator.catalog.query import DataQuery, meets, select
from manifest_runner.emulator.catalog.remembered_names import Known, Memory
from manifest_runner.emulator.protocol.identifiers import data_id

_DATA_ID = re.compile(r"f(?:il|ol)\.[^\s/]+")


class DataSource(Protocol):
    """Finds the data of a project."""

    def select(self, project: str, query: DataQuery) -> list[DataRow]:
        """The rows that match a query, sorted by path."""


class CatalogData:
    """The data of a catalog: by project, or (under the empty name) of every project."""

    def __init__(self, rows: Mapping[str, DataRows]) -> None:
        self._rows = rows
        # The next page of a long list is asked for soon.
        self._select = lru_cache(maxsize=16)(self._selected)

    def select(self, project: str, query: DataQuery) -> list[DataRow]:
        """The rows that match a query, sorted by path."""
        return self._select(project, query)

    def _selected(self, project: str, query: DataQuery) -> list[DataRow]:
        rows = self._rows.get("") or self._rows.get(project, NO_ROWS)
        return select(rows, query, project)


class MadeUpData:
    """Every full path exists, and every id; lists are empty.

    A last part without a dot is a folder, however it is spelled.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def select(self, project: str, query: DataQuery) -> list[DataRow]:
        """The rows that match a query, sorted by path."""
        named = {row.id: row for row in self._named(project, query)}.values()
        found = [row for row in named if meets(row, query, project)]
        if not query.ids:
            self._memory.remember("data", [Known(row.id, project, row.path) for row in found])
        return sorted(found, key=lambda row: row.path)

    def _named(self, project: str, query: DataQuery) -> Iterator[DataRow]:
        if query.ids:
            rows = (self._by_id(each) for each in query.ids if _DATA_ID.fullmatch(each))
            yield from (row for row in rows if row.owner in ("", project))
            return
        for path in _full_paths(query):
            if path.startswith("/") and path.strip("/") and "//" not in path:
                yield _row(project, path)

    def _by_id(self, wanted: str) -> DataRow:
        known = self._memory.recall("data", wanted)
        path = known.name if known else f"/{wanted}" + "/" * wanted.startswith("fol.")
        return DataRow(id=wanted, path=path, size=_size(wanted), owner=known.project if known else "")


def _full_paths(query: DataQuery) -> Iterator[str]:
    if query.paths and not query.by_prefix:
        yield from query.spelled_paths
    elif query.parent_path is not None and query.names.mode == "EXACT":
        yield from (query.parent_path + name for name in query.names.values)


def _row(project: str, path: str) -> DataRow:
    is_folder = path.endswith("/") or "." not in path.rpartition("/")[2]
    path = path.rstrip("/") + "/" * is_folder
    wanted = data_id(path, project)
    return DataRow(id=wanted, path=path, size=0 if is_folder else _size(wanted))


def _size(wanted: str) -> int:
    """A few thousand bytes, always the same for the same id."""
    return 0 if wanted.startswith("fol.") else 1000 + sum(wanted.encode()) * 7 % 9000
