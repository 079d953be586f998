"""Reports things that are allowed in an analysis, but may not be intended."""

from __future__ import annotations

from typing import Any

from manifest_runner.diagnostics.collector import Findings
from manifest_runner.diagnostics.finding import Finding, Place
from manifest_runner.items.analysis_faults import AnalysisFaults
from manifest_runner.items.compiler import what_it_gives
from manifest_runner.items.preparing.prepare import PreparedAnalysis
from manifest_runner.items.shorthands import TemplateSlot, written_at
from manifest_runner.model import RowId
from manifest_runner.rows.base import Rows
from manifest_runner.text import shown

# An id is empty if a cell is, which is easy to see, or if a list in a cell ends in its separator. The latter would take
# long to check in each row of a table; where it happens, it happens in the first rows.
FIRST_ROWS = 1_000


class AnalysisNotes:
    """Hints about one analysis: no rows, inputs without data."""

    def __init__(self, analysis: PreparedAnalysis, faults: AnalysisFaults, findings: Findings) -> None:
        self._analysis = analysis
        self._faults = faults
        self._findings = findings
        self._inputs: dict[tuple[int, str], Place] = {}
        self.has_inputs = _may_get_no_data(analysis.fields, analysis.rows)
        self.is_table = analysis.rows.columns is not None

    def add_no_rows(self, rows_read: int) -> None:
        if not rows_read and self._analysis.rows.notes:  # which say why
            return
        place, words = self._faults.place(("forEach",)), "there are no rows"
        if rows_read:
            place = self._faults.place(("forEach", "where"))
            one = "the only row does not meet the condition"
            words = one if rows_read == 1 else f"none of the {rows_read:,} rows meets the condition"
        self._findings.add(Finding(place, "MR604", f"{words}, so this analysis has no items", "warning"))

    def look_for_empty_inputs(self, request: Any, row: RowId) -> None:
        """Report the inputs of an item that have no data."""
        for i, each in enumerate(request["analysisInput"].get("inputs") or ()):
            ids = each.get("dataIds")
            if ids is not None and not ids:
                self._add_empty_input(request, i, row)

    def _add_empty_input(self, request: Any, i: int, row: RowId) -> None:
        code = request["analysisInput"]["inputs"][i]["parameterCode"]
        group, place = ("empty", code), self._inputs.get((i, code))
        if place is None:
            path = written_at(self._analysis.fields, ("analysisInput", "inputs", i), request)
            place = self._inputs[i, code] = self._faults.place(path)
        if not self._findings.is_reported("MR605", place, group):
            cure = 'to leave it out, use a template such as "{{ row.x or none }}"'
            message = f"the input {shown(code)} has no data; {cure}"
            at = self._analysis.rows.place(row)
            self._findings.add(Finding(place, "MR605", message, "info", at, is_of_row=True), group)


def _may_get_no_data(fields: Any, rows: Rows) -> bool:
    """Whether a template of the inputs may give an empty list."""
    given = fields.get("analysisInput")
    return _may_be_empty(given.get("inputs") if isinstance(given, dict) else given, rows)


def _may_be_empty(value: Any, rows: Rows) -> bool:
    if isinstance(value, TemplateSlot):
        return what_it_gives(value.template, rows) != "text"
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_may_be_empty(each, rows) for each in children)
