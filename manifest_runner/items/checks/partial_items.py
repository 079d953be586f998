"""Checks the rest of items with a faulty part, so that all problems are reported at once."""

from __future__ import annotations

from typing import Any

from manifest_runner.items.analysis_faults import AnalysisFaults
from manifest_runner.items.checks.analysis_notes import FIRST_ROWS
from manifest_runner.items.preparing.prepare import PreparedAnalysis
from manifest_runner.items.renderer import Unrendered
from manifest_runner.items.requirements import meets_requirements
from manifest_runner.items.unknown_parts import Part, Unknown, slot_paths
from manifest_runner.items.wanted_rows import WantedRow, WantedRows
from manifest_runner.model import NO_ROW, RowId
from manifest_runner.names.pins import Pins
from manifest_runner.validation.shipped_schemas import item_checker


class PartialItems:
    """Checks the rest of the items of one analysis, even if most of it is faulty."""

    def __init__(self, analysis: PreparedAnalysis, faults: AnalysisFaults, pins: Pins) -> None:
        self._analysis = analysis
        self._faults = faults
        self._pins = pins
        self._broken = Unknown(analysis.broken)

    def check_broken(self, rows: WantedRows) -> None:
        """Check the rows of a faulty analysis, and the rest of its first items."""
        analysis, may_check = self._analysis, self._faults.may_check_parts()
        self.check_constants()
        for number, wanted in enumerate(rows.known()):
            if may_check and number < FIRST_ROWS and not analysis.budget.is_spent:
                meets_requirements(analysis, self._faults, wanted)
                self._check_row(wanted)

    def _check_row(self, wanted: WantedRow) -> None:
        index, row_id, row, beside = wanted
        try:
            rendered = self._analysis.renderer.render_slowly(row, index, beside)
        except Unrendered as e:
            if not self._analysis.rows.lacks:  # otherwise it is already reported, at the file that lacks it
                self._faults.add_unrendered(e, row_id)
            self.check_rest(e, row_id)
        else:
            self._check(rendered, (self._broken,), row_id)

    def check_rest(self, error: Unrendered, row: RowId) -> None:
        """Check the rest of an item, without the templates that failed."""
        failed = Unknown(slot.path for slot, _ in error.faults)
        self._check(error.rest, (self._broken, failed), row)

    def check_constants(self) -> None:
        """If no item could be rendered, check the parts without templates."""
        if self._faults.may_check_parts():
            slots = Unknown(slot_paths(self._analysis.fields))
            self._check(self._analysis.renderer.constant(), (self._broken, slots), NO_ROW)

    def _check(self, rendered: dict[str, Any], unknown: tuple[Unknown, ...], row: RowId) -> None:
        part = Part(rendered, self._pins.named(rendered), unknown, row)
        found = self._pins.faults_of_rest(part.rendered, part.request)
        self._faults.add_part(item_checker(self._analysis.spec.kind), part, found)
