"""The data that analyses have made, found by its id or path. It is computed, not stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from manifest_runner.emulator.catalog.data_rows import DataRow, DataRows
from manifest_runner.emulator.catalog.format import Rule
from manifest_runner.emulator.catalog.query import DataQuery, select
from manifest_runner.emulator.outcomes.analysis import Outcome, analysis_at, analysis_prefix, outcome_of
from manifest_runner.emulator.outcomes.details import ANALYSES, read_details
from manifest_runner.emulator.outcomes.rules import Rules
from manifest_runner.emulator.protocol.paging import Page
from manifest_runner.emulator.store.item_queries import Filter, ItemRow, find_item, list_items
from manifest_runner.emulator.store.places import find_places
from manifest_runner.emulator.store.timetable import AnalysisState, Fate, analysis_state

# A list of all data examines at most this many analyses.
_MOST = 1000


class Outcomes:
    """The outcomes of analyses at a given moment."""

    def __init__(self, connection: sqlite3.Connection, rules: Rules) -> None:
        self._connection = connection
        self._rules = rules

    def of(self, item: ItemRow, now: float) -> Outcome:
        """The outcome of one analysis."""
        return outcome_of(item, state_of(item, now), self._rule(item))

    def reason(self, item: ItemRow) -> str:
        """Why it ended as it did, according to its request or rule; empty if neither says so."""
        if item.fate == Fate.CREATION_FAILS and (problem := read_details(item.details).problem):
            return problem
        rule = self._rule(item)
        return rule.summary if rule else ""

    def _rule(self, item: ItemRow) -> Rule | None:
        return self._rules.find(item.project, item.pipeline, item.user_reference, item.launch, item.fate)

    def select(self, project: str, query: DataQuery, now: float) -> list[DataRow]:
        """The data that matches a query, of the analyses that the query names, or of all if it names no place."""
        analyses = {item.analysis: item for item in self._named(project, query, now)}
        rows = [row for item in analyses.values() for row in self.of(item, now).rows.values() if row.owner == project]
        # Several analyses can have their outputs in one folder.
        folders = {row.path: row for row in reversed(rows)}
        return select(DataRows(row for row in rows if not row.is_folder or folders[row.path] is row), query, project)

    def _named(self, project: str, query: DataQuery, now: float) -> Iterator[ItemRow]:
        paths = _paths(query)
        ids = [*query.analyses, *filter(None, map(analysis_at, paths)), *find_places(self._connection, project, paths)]
        for analysis in ids:
            yield from self._one(Filter(now).created().equal("i.analysis", analysis))
        for prefix in filter(None, map(analysis_prefix, (*query.ids, *query.parent_ids))):
            yield from self._one(Filter(now).created().starting("i.analysis", prefix))
        if _is_broad(query):
            yield from list_items(self._connection, Filter(now, project).created(), Page(size=_MOST)).rows

    def _one(self, filters: Filter) -> Iterator[ItemRow]:
        if item := find_item(self._connection, filters):
            yield item


def state_of(item: ItemRow, now: float) -> AnalysisState:
    """The state of an item's analysis."""
    return analysis_state(now, item.settled, item.duration, item.fate, item.aborted)


def _is_broad(query: DataQuery) -> bool:
    """Whether data of any analysis may match it."""
    if query.ids or query.parent_ids or query.analyses:
        return False
    paths = [path.lower() for path in _paths(query) if analysis_at(path) is None]
    return not _paths(query) or any(path.startswith(ANALYSES) or ANALYSES.startswith(path) for path in paths)


def _paths(query: DataQuery) -> tuple[str, ...]:
    parent = () if query.parent_path is None else (query.parent_path,)
    return (*query.spelled_paths, *parent)
