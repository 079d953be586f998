"""What can be said of items of which a part is at fault: all problems are reported at once, not one after the other."""

from __future__ import annotations

from manifest_runner.items.checks.faults import FIRST_ROWS, AnalysisFaults, Part, Unknown, slot_paths
from manifest_runner.items.prepare import NO_ROW, Analysis
from manifest_runner.items.renderer import Unrendered
from manifest_runner.items.wanted import WantedRow, WantedRows
from manifest_runner.model import RowId
from manifest_runner.names.pins import Pins
from manifest_runner.templates.model import TemplateFault
from manifest_runner.validation.shipped import item_checker


def meets_requirements(analysis: Analysis, faults: AnalysisFaults, wanted: WantedRow) -> bool:
    """Whether all requirements hold for an item; those that do not are reported."""
    index, row_id, row, beside = wanted
    scope, is_met = analysis.renderer.scope(row, index, beside), True
    for each in analysis.requirements:
        try:
            if not each.that.render(scope):
                is_met = False
                message = each.message if isinstance(each.message, str) else str(each.message.template.render(scope))
                faults.add_requirement(("require", each.index, "that"), message, row_id)
        except TemplateFault as e:
            is_met = False
            faults.add_template(("require", each.index), e, e.template.text if e.template else "", row_id)
    return is_met


def check_broken(analysis: Analysis, faults: AnalysisFaults, rows: WantedRows, pins: Pins) -> None:
    """Check the rows of an analysis at fault, and what its faults leave of its first items."""
    may_check, broken = faults.may_check_parts(), Unknown(analysis.broken)
    check_constants(analysis, faults, pins)
    for number, wanted in enumerate(rows.known()):
        if may_check and number < FIRST_ROWS and not analysis.budget.is_spent:
            meets_requirements(analysis, faults, wanted)
            _check_row(analysis, faults, pins, (wanted, broken))


def _check_row(
    analysis: Analysis, faults: AnalysisFaults, pins: Pins, row_of_broken: tuple[WantedRow, Unknown]
) -> None:
    (index, row_id, row, beside), broken = row_of_broken
    try:
        rendered = analysis.renderer.render_slowly(row, index, beside)
        unknown: tuple[Unknown, ...] = (broken,)
    except Unrendered as e:
        if not analysis.rows.lacks:  # else that is reported already, at the file that lacks it
            faults.add_unrendered(e, row_id)
        rendered, unknown = e.rest, (broken, _failed(e))
    _check(analysis, faults, pins, Part(rendered, pins.named(rendered), unknown, row_id))


def check_rest(analysis: Analysis, faults: AnalysisFaults, pins: Pins, error: Unrendered, row: RowId) -> None:
    """Check what a row gives besides the templates that failed."""
    _check(analysis, faults, pins, Part(error.rest, pins.named(error.rest), (_failed(error),), row))


def _failed(error: Unrendered) -> Unknown:
    return Unknown(slot.path for slot, _ in error.faults)


def check_constants(analysis: Analysis, faults: AnalysisFaults, pins: Pins) -> None:
    """Check the parts that no template makes, where no item could be made."""
    if faults.may_check_parts():
        constant = analysis.renderer.constant()
        unknown = Unknown((*analysis.broken, *slot_paths(analysis.fields)))
        _check(analysis, faults, pins, Part(constant, pins.named(constant), (unknown,), NO_ROW))


def _check(analysis: Analysis, faults: AnalysisFaults, pins: Pins, part: Part) -> None:
    found = pins.faults_of_rest(part.rendered, part.request)
    faults.add_part(item_checker(analysis.spec.kind), part, found)
