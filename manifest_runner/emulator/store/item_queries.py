"""Items and their analyses, filtered, sorted and paged by the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any, NamedTuple

from manifest_runner.emulator.protocol.paging import Cursor, Listing, Page
from manifest_runner.emulator.protocol.problems import Problem
from manifest_runner.emulator.store.database import read_one
from manifest_runner.emulator.store.timetable import Fate

_MOMENT = ":now, i.settled, i.duration, i.fate, a.at"
_STATUS = f"analysis_status({_MOMENT})"
# Unique thanks to the id, and within the API's limit of 255 characters.
_REFERENCE = "substr(i.user_reference, 1, 218) || '-' || i.analysis"
_COLUMNS = f"""i.batch, i.id, i.analysis, i.settled, i.fate, i.kind, i.user_reference, i.pipeline,
    i.technical_tags, i.user_tags, i.reference_tags, i.duration, i.launch, i.details,
    b.project, b.owner, b.created, a.at, {_REFERENCE}"""
_TABLES = "items i JOIN batches b ON b.number = i.batch LEFT JOIN aborts a ON a.analysis = i.analysis"
_SELECT = f"SELECT {_COLUMNS} FROM {_TABLES}"  # noqa: S608
_SORT_COLUMNS = {
    "reference": _REFERENCE,
    "userReference": "i.user_reference",
    "pipeline": "i.pipeline",
    "status": _STATUS,
    "startDate": f"analysis_start({_MOMENT})",
    "endDate": f"analysis_end({_MOMENT})",
    "summary": "NULL",
}


class ItemRow(NamedTuple):
    """An item with the required columns of its batch; ``aborted`` is when its analysis was asked to abort."""

    batch: int
    id: str
    analysis: str
    settled: float
    fate: int
    kind: str
    user_reference: str
    pipeline: str
    technical_tags: str
    user_tags: str
    reference_tags: str
    duration: float
    launch: int
    details: str | None
    project: str
    owner: str
    created: float
    aborted: float | None
    reference: str


class Filter:
    """Conditions that rows of one project, or of any, must all meet, at the moment ``now``."""

    def __init__(self, now: float, project: str | None = None) -> None:
        self._conditions = ["TRUE" if project is None else "b.project = :project"]
        self.values: dict[str, Any] = {"now": now, "project": project}

    @property
    def where(self) -> str:
        """The conditions as SQL."""
        return " AND ".join(self._conditions)

    def equal(self, column: str, value: str) -> Filter:
        """Keep rows with this value in a column such as ``i.id``."""
        self._conditions.append(f"{column} = {self._bind(value)}")
        return self

    def starting(self, column: str, prefix: str) -> Filter:
        """Keep rows whose value in a column starts like this, found through the column's index."""
        self._conditions.append(f"{column} >= {self._bind(prefix)} AND {column} < {self._bind(prefix + '~')}")
        return self

    def reference(self, reference: str) -> Filter:
        """Keep the row whose analysis has this reference."""
        return self.equal(_REFERENCE, reference)

    def created(self, lag: float = 0.0) -> Filter:
        """Keep items that have had an analysis for ``lag`` seconds."""
        self._conditions.append(f"i.settled + {lag!r} <= :now AND i.fate != {Fate.CREATION_FAILS:d}")
        return self

    def item_status(self, statuses: Iterable[str]) -> Filter:
        """Keep items with one of these statuses."""
        return self._among("item_status(:now, b.created, i.settled, i.fate)", statuses)

    def analysis_status(self, statuses: Iterable[str]) -> Filter:
        """Keep items whose analysis has one of these statuses."""
        return self._among(_STATUS, statuses)

    def tag(self, column: str, tag: str) -> Filter:
        """Keep rows that have exactly this tag in a column of tags."""
        carried = f"(SELECT value FROM json_each({column}))"  # noqa: S608
        self._conditions.append(f"{self._bind(tag)} IN {carried}")
        return self

    def pipeline(self, ids: Iterable[str]) -> Filter:
        """Keep rows of one of these pipelines, which a request gives by its id or by a URN that contains it."""
        named = [f"instr(lower(i.pipeline), {self._bind(each)})" for each in ids]
        self._conditions.append(f"({' OR '.join(named) or 'FALSE'})")
        return self

    def sample(self, ids: Iterable[str]) -> Filter:
        """Keep rows whose input form names one of these samples."""
        named = ", ".join(self._bind(each) for each in ids)
        self._conditions.append(f"EXISTS (SELECT 1 FROM json_tree(i.details) WHERE atom IN ({named}))")  # noqa: S608
        return self

    def after(self, cursor: Cursor) -> Filter:
        """Keep rows that come after the cursor by batch and id."""
        self._conditions.append(f"(i.batch, i.id) > ({cursor.batch:d}, {self._bind(cursor.item)})")
        return self

    def _among(self, expression: str, values: Iterable[str]) -> Filter:
        self._conditions.append(f"{expression} IN ({', '.join(self._bind(value) for value in values)})")
        return self

    def _bind(self, value: str) -> str:
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f":{name}"


def find_item(connection: sqlite3.Connection, filters: Filter) -> ItemRow | None:
    """The row that matches the filter, or None."""
    return read_one(connection, ItemRow._make, f"{_SELECT} WHERE {filters.where}", filters.values)


def list_items(connection: sqlite3.Connection, filters: Filter, page: Page) -> Listing:
    """One page of the rows that match the filter, by batch and id unless the page says otherwise."""
    if page.by_offset:
        rows = _select(connection, filters, order=_order(page.sort), limit=page.size, offset=page.offset or 0)
        return Listing(rows, _count(connection, filters), None, None)
    if page.cursor is None:
        total = _count(connection, filters)
        return _first_rows(_select(connection, filters, limit=page.size + 1), page.size, total, total)
    rows = _select(connection, filters.after(page.cursor), limit=page.size + 1)
    return _first_rows(rows, page.size, page.cursor.remaining, None)


def _first_rows(rows: list[ItemRow], size: int, matching: int, total: int | None) -> Listing:
    """The first ``size`` rows, with a cursor if there are more.

    The remaining rows are counted down from the count for the first page: counting again for each page would make
    reading a long list quadratic.
    """
    if len(rows) <= size:
        return Listing(rows, total, 0, None)
    remaining = max(matching - size, 1)
    last = rows[size - 1]
    return Listing(rows[:size], total, remaining, Cursor(last.batch, last.id, remaining))


def _select(
    connection: sqlite3.Connection,
    filters: Filter,
    *,
    limit: int,
    offset: int = 0,
    order: str = "i.batch, i.id",
) -> list[ItemRow]:
    sql = f"{_SELECT} WHERE {filters.where} ORDER BY {order} LIMIT {limit} OFFSET {offset}"
    return [ItemRow(*row) for row in connection.execute(sql, filters.values)]


def _count(connection: sqlite3.Connection, filters: Filter) -> int:
    sql = f"SELECT count(*) FROM {_TABLES} WHERE {filters.where}"  # noqa: S608
    (count,) = connection.execute(sql, filters.values).fetchone()
    return int(count)


def _order(sort: str | None) -> str:
    """SQL for a ``sort`` parameter such as ``status, userReference desc``. Raises Problem 400."""
    terms = [_term(term) for term in sort.split(",")] if sort else []
    return ", ".join([*terms, "i.batch", "i.id"])


def _term(term: str) -> str:
    name, *direction = term.split()[:3] or [""]
    if name not in _SORT_COLUMNS or direction not in ([], ["asc"], ["desc"]):
        message = f"{term.strip()!r} is not one of {', '.join(_SORT_COLUMNS)}, with ' asc' or ' desc' after it"
        raise Problem(400, f"sort: {message}.", parameters={"sort": message})
    return f"{_SORT_COLUMNS[name]} {' '.join(direction)}".strip()
