"""The rows of an analysis that become items: those that ``where`` keeps and the row schema allows, in their groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from manifest_runner.diagnostics.finding import Finding, InvalidManifest
from manifest_runner.items.analysis_faults import AnalysisFaults
from manifest_runner.items.compiler import NOTHING_BESIDE, Beside
from manifest_runner.items.preparing.prepare import PreparedAnalysis
from manifest_runner.model import RowId
from manifest_runner.rows.base import OddRow
from manifest_runner.rows.cells import ERROR_VALUES, error_words
from manifest_runner.rows.groups import Group, grouped
from manifest_runner.rows.row_schema import RowSchema
from manifest_runner.templates.model import TemplateFault
from manifest_runner.text import listed, shown

if TYPE_CHECKING:  # jinja2 is imported once there is a template
    from manifest_runner.templates.template import Template

# An index, the id of a row, the row, and what comes with it; for a group, the id of its first row and what all of its
# rows share. A plain tuple: one is made for each row, and a named one takes seven times as long to make.
WantedRow = tuple[int, RowId, Any, Beside]


class WantedRows:
    """The rows that become items. ``read`` counts those that were read, ``kept`` those that ``where`` kept."""

    def __init__(self, analysis: PreparedAnalysis, faults: AnalysisFaults) -> None:
        self._analysis = analysis
        self._faults = faults
        self._keys: list[Any] = []  # where a row has the values of `groupBy`
        self.read = 0
        self.kept = 0

    def __iter__(self) -> Iterator[WantedRow]:
        each = self._analysis.spec.for_each
        rows = self._single()
        if each is None or each.group_by is None:
            return rows
        columns = self._analysis.rows.columns
        self._keys = list(each.group_by if columns is None else map(columns.index, each.group_by))
        return map(self._of_group, grouped(rows, columns, each.group_by, self._add_ungrouped))

    def known(self) -> Iterator[WantedRow]:
        """The rows that a faulty analysis wants, if that is known. All of its rows are checked."""
        analysis, each = self._analysis, self._analysis.spec.for_each
        if not any(path[:1] in ((), ("forEach",)) for path in analysis.broken):
            yield from self
            return
        has_where = each is not None and each.where is not None
        for _ in self.all() if has_where and analysis.where is None else self._single():
            pass

    def all(self) -> Iterator[tuple[RowId, Any]]:
        """Every row, regardless of ``where``."""
        try:
            yield from self._analysis.rows.read(self._faults.add_finding)
        except InvalidManifest as e:
            for finding in e.findings:
                self._faults.add_finding(finding)

    def _single(self) -> Iterator[WantedRow]:
        """The rows one by one."""
        where = self._analysis.where
        rows = self._counted() if where is None else self._kept(where)
        return rows if self._analysis.row_schema is None else self._meeting_schema(self._analysis.row_schema, rows)

    def _of_group(self, group: Group) -> WantedRow:
        file_of = self._analysis.rows.file
        if self._keys and not group.row[self._keys[0]] and len(group.members) > 1:
            self._warn_of_blank(group)
        beside = Beside(group.members, None if file_of is None else file_of(group.row_id))
        return group.index, group.row_id, group.row, beside

    def _warn_of_blank(self, group: Group) -> None:
        """Rows without a value to group them by would be one item, which is seldom meant."""
        if all(group.row[key] in (None, "") for key in self._keys):
            each = self._analysis.spec.for_each
            names = listed(list(map(shown, (each and each.group_by) or ())), "and")
            cure = "fill in the cells, or leave the rows out with `where`"
            message = f"{len(group.members):,} rows have no {names} to group them by, so they are one item; {cure}"
            place = self._faults.place(("forEach", "groupBy"))
            row = self._analysis.rows.place(group.row_id)
            self._faults.add_finding(Finding(place, "MR613", message, "warning", row=row), "blank")

    def _add_ungrouped(self, row: RowId, column: str) -> None:
        message = f'the row has no column "{column}" to group it by'
        self._faults.add(("forEach", "groupBy"), "MR402", message, row, group=column, is_of_row=True)

    # -- where

    def _counted(self) -> Iterator[WantedRow]:
        beside_of, checked, index = self._beside_of(), self._analysis.checked_columns, -1
        for index, (row_id, row) in enumerate(self.all()):
            if type(row) is not OddRow or not self._has_error(row, row_id, checked):
                yield index, row_id, row, NOTHING_BESIDE if beside_of is None else beside_of(row_id)
        self.read = self.kept = index + 1

    def _kept(self, where: Template) -> Iterator[WantedRow]:
        analysis, beside_of, beside, index, kept = self._analysis, self._beside_of(), NOTHING_BESIDE, -1, 0
        is_wanted = analysis.renderer.condition(where) or _give_up
        try:
            for index, (row_id, row) in enumerate(self.all()):
                if type(row) is OddRow and self._has_error(row, row_id, analysis.columns_of_where):
                    continue
                if beside_of is not None:
                    beside = beside_of(row_id)
                try:
                    wanted = is_wanted(row, index, beside)
                except Exception:  # noqa: BLE001 - asked again through Jinja, which can say what is wrong
                    wanted = self._ask(where, row, index, row_id, beside)
                if type(wanted) is str and wanted:
                    wanted = self._ask(where, row, index, row_id, beside)
                if wanted:
                    kept += 1
                    if type(row) is not OddRow or not self._has_error(row, row_id, analysis.checked_columns):
                        yield index, row_id, row, beside
                elif analysis.budget.is_spent:
                    return
        finally:
            self.read, self.kept = index + 1, kept

    def _beside_of(self) -> Callable[[RowId], Beside] | None:
        """What belongs to a row, if templates use it."""
        file_of = self._analysis.rows.file
        if file_of is None or "source" not in self._analysis.roots:
            return None
        return lambda row_id: Beside(None, file_of(row_id))

    def _ask(self, where: Template, row: Any, index: int, row_id: RowId, beside: Beside) -> bool:
        from manifest_runner.templates.conditions import holds  # which imports jinja2

        try:
            return holds(where.render(self._analysis.renderer.scope(row, index, beside)))
        except TemplateFault as e:
            self._faults.add_template(("forEach", "where"), e, where.text, row_id)
            return False

    # -- error values of Excel

    def _has_error(self, row: list[str], row_id: RowId, columns: frozenset[str]) -> bool:
        """Whether one of these columns has an error value, which is reported."""
        rows, has_error = self._analysis.rows, False
        for cell, (column, value) in enumerate(zip(rows.columns or (), row, strict=True)):
            if value in ERROR_VALUES and column in columns:
                has_error, place = True, rows.cell_place(row_id, cell)
                assert place is not None  # a table is a file
                finding = Finding(place, "MR310", error_words(column, value), row=place)
                self._faults.add_finding(finding, (column, value))
        return has_error

    # -- the row schema

    def _meeting_schema(self, schema: RowSchema, rows: Iterable[WantedRow]) -> Iterator[WantedRow]:
        columns = self._analysis.rows.columns
        for each in rows:
            row = schema.row(columns, each[2])
            if schema.checker.is_valid(row):
                yield each
            else:
                self._faults.add_row_schema(schema, row, each[1], is_text=columns is not None)


def _give_up(_row: Any, _index: int, _beside: Beside) -> bool:
    raise LookupError
