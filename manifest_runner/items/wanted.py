"""The rows of an analysis that become items: those that meet the row schema and that ``where`` keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from manifest_runner.diagnostics.finding import InvalidManifest
from manifest_runner.items.faults import AnalysisFaults
from manifest_runner.items.prepare import Analysis
from manifest_runner.model import RowId
from manifest_runner.templates.model import TemplateFault
from manifest_runner.validation.validator import RowChecker

if TYPE_CHECKING:  # jinja2 is imported once there is a template
    from manifest_runner.templates.template import Template

WantedRow = tuple[int, RowId, Any]


class WantedRows:
    """The rows, each with its index and id. ``read`` counts those that came by, where there is a condition."""

    def __init__(self, analysis: Analysis, faults: AnalysisFaults) -> None:
        self._analysis = analysis
        self._faults = faults
        self.read = 0

    def __iter__(self) -> Iterator[WantedRow]:
        where = self._analysis.where
        if where is None:
            return ((index, row_id, row) for index, (row_id, row) in enumerate(self.all()))
        return self._kept(where)

    def all(self) -> Iterator[tuple[RowId, Any]]:
        """Every row that meets the row schema, whatever ``where`` says."""
        checker = self._analysis.row_checker
        try:
            rows = self._analysis.rows.read(self._faults.add_finding)
            if checker is None:
                yield from rows
            else:
                yield from (each for each in rows if self._meets(checker, *each))
        except InvalidManifest as e:
            for finding in e.findings:
                self._faults.add_finding(finding)

    def _kept(self, where: Template) -> Iterator[WantedRow]:
        is_wanted = self._analysis.renderer.condition(where) or _give_up
        for index, (row_id, row) in enumerate(self.all()):
            try:
                wanted = is_wanted(row, index)
            except Exception:  # noqa: BLE001 - asked again through Jinja, which can say what is wrong
                wanted = self._ask(where, row, index, row_id)
            if wanted:
                yield index, row_id, row
            elif self._analysis.budget.is_spent:
                return
            self.read = index + 1

    def _ask(self, where: Template, row: Any, index: int, row_id: RowId) -> bool:
        try:
            return bool(where.render(self._analysis.renderer.scope(row, index)))
        except TemplateFault as e:
            self._faults.add_template(("forEach", "where"), e, where.text, row_id)
            return False

    def _meets(self, checker: RowChecker, row_id: RowId, row: Any) -> bool:
        columns = self._analysis.rows.columns
        mapping = row if columns is None else dict(zip(columns, row, strict=True))
        is_valid = checker.is_valid(mapping)
        if not is_valid:
            self._faults.add_row_schema(checker, mapping, row_id, is_text=columns is not None)
        return is_valid


def _give_up(_row: Any, _index: int) -> bool:
    raise LookupError
