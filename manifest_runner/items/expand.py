"""Rows × templates → items, as a stream: one analysis of the manifest after the other, one row at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from manifest_runner.diagnostics.collector import Findings
from manifest_runner.diagnostics.finding import Place
from manifest_runner.items.analysis_faults import AnalysisFaults, ConstantChecks
from manifest_runner.items.checks.analysis_notes import FIRST_ROWS, AnalysisNotes
from manifest_runner.items.checks.duplicates import Claims, DuplicateCheck
from manifest_runner.items.checks.partial_items import PartialItems
from manifest_runner.items.checks.shared_data import SharedData
from manifest_runner.items.compiler import Beside
from manifest_runner.items.preparing.prepare import PreparedAnalysis
from manifest_runner.items.provenance import Provenance
from manifest_runner.items.renderer import Unrendered
from manifest_runner.items.requirements import meets_requirements
from manifest_runner.items.shorthands import TemplateSlot
from manifest_runner.items.wanted_rows import WantedRow, WantedRows
from manifest_runner.manifest.document import DEFAULT_REVISION, Document
from manifest_runner.model import NO_ROW, Item, RowId
from manifest_runner.names.api_keys import may_have_names
from manifest_runner.names.model import Names
from manifest_runner.names.pins import Pins
from manifest_runner.templates.model import TemplateFault
from manifest_runner.text import described
from manifest_runner.validation.shipped_schemas import item_checker

if TYPE_CHECKING:  # jinja2 is imported once there is a template
    from manifest_runner.templates.template import Template

_WHOLE_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")


class ItemStream:
    """The items of a document. ``items`` can be called again, and then reads the samplesheets again.

    Everything wrong with the input is added to ``findings``, in place of what an earlier call of ``items`` found; an
    item with a fault is not yielded.
    """

    def __init__(
        self, document: Document, analyses: list[PreparedAnalysis], findings: Findings, pins: Pins | None = None
    ) -> None:
        self._document = document
        self._analyses = {analysis.spec.index: analysis for analysis in analyses}
        self._provenance = Provenance(document, self._analyses)
        self._findings = findings
        self._pins = pins or Pins(Names("", ""))
        # Counted in the last pass over all rows, which may have ended early.
        self.rows_read = 0
        self.rows_left_out = 0

    @property
    def pins(self) -> Pins:
        return self._pins

    def with_pins(self, pins: Pins) -> ItemStream:
        """The same items with other names put in."""
        return ItemStream(self._document, list(self._analyses.values()), self._findings, pins)

    def items(self) -> Iterator[Item]:
        claims, data, findings = Claims(), list[SharedData](), self._findings.new_pass()
        yield from self._expand(findings, claims, data)
        if any(analysis.budget.is_spent for analysis in self._analyses.values()):
            return  # reading the rows again would take as long again
        DuplicateCheck(self._provenance, findings).report(claims, self._again)
        for each in data:
            each.report(self._again)

    def named(self, references: Collection[str]) -> Iterator[Item]:
        """The items of these userReferences, read again."""
        return (item for item in self._again() if item.user_reference in references)

    def place(self, item: Item) -> tuple[Place, Place | None]:
        """Where an item comes from: the manifest's place of its userReference, and the samplesheet's row."""
        return self._provenance.place(item, "userReference"), self._provenance.row(item)

    def _again(self) -> Iterator[Item]:
        """Every item once more; faults of the rows are already reported."""
        return self._expand(Findings(), Claims(), None)

    def _expand(self, findings: Findings, claims: Claims, data: list[SharedData] | None) -> Iterator[Item]:
        """The items; what they claim and use is added to ``claims`` and ``data``.

        Without ``data`` rows are not counted.
        """
        for budget in {analysis.budget for analysis in self._analyses.values()}:
            budget.restart()
        checks = ConstantChecks()
        if data is not None:
            self.rows_read = self.rows_left_out = 0
        for analysis in self._analyses.values():
            faults = AnalysisFaults(self._document, analysis, findings, checks)
            rows = WantedRows(analysis, faults)
            if analysis.broken:
                PartialItems(analysis, faults, self._pins).check_broken(rows)
                continue
            notes = AnalysisNotes(analysis, faults, findings)
            if data is not None:
                data.append(SharedData(analysis, faults.place, findings, self._pins.names.key_of_data))
            watch = _Watch(faults, notes, claims, data[-1] if data else None, self._pins)
            yield from _expand_analysis(analysis, rows, watch, self._document.revision)
            if data is not None and analysis.spec.for_each is not None:
                self.rows_read += rows.read
                self.rows_left_out += rows.read - rows.kept


class _Watch(NamedTuple):
    """The checks that each row and item of an analysis passes through."""

    faults: AnalysisFaults
    notes: AnalysisNotes
    claims: Claims
    data: SharedData | None
    pins: Pins

    def looking(self) -> Callable[[dict[str, Any], int, Any, RowId], None]:
        """A function that looks for inputs without data, and for data used twice, in each item, given its first row."""
        notes, data, has_inputs, is_table = self.notes, self.data, self.notes.has_inputs, self.notes.is_table

        def look_at(request: dict[str, Any], index: int, row: Any, row_id: RowId) -> None:
            if has_inputs and (index < FIRST_ROWS or not is_table or "" in row):
                notes.look_for_empty_inputs(request, row_id)
            if data is not None and data.is_needed:
                data.look_at(request, row_id)

        return look_at


def _expand_analysis(analysis: PreparedAnalysis, rows: WantedRows, watch: _Watch, revision: int) -> Iterator[Item]:
    """The items of one analysis."""
    render, kind, number = analysis.renderer.compiled(), analysis.spec.kind, analysis.spec.index
    checker, faults, pins = item_checker(kind), watch.faults, watch.pins
    is_valid, dumps, claim = checker.is_valid, orjson.dumps, watch.claims.add
    look_at, placed, has_names = watch.looking(), pins.placed, may_have_names(analysis.fields)
    revision_of = _revisions(analysis, faults, revision)
    has_requirements, is_checked = bool(analysis.requirements), False
    for wanted in rows:
        index, row_id, row, beside = wanted
        is_met = not has_requirements or meets_requirements(analysis, faults, wanted)
        try:
            rendered = render(row, index, beside)
            body = dumps(rendered)
        except Exception as e:  # noqa: BLE001 - rendered again, slot by slot, to say what it was
            rendered, body = _render_slowly(analysis, watch, wanted, e)
        if not body:
            if analysis.budget.is_spent:
                return
            is_checked = is_checked or faults.may_check_parts()
            continue
        is_checked = True
        request, effective = pins.named(rendered) if has_names else rendered, revision_of(row, index, row_id, beside)
        if not is_valid(request):
            refused = faults.add_invalid(checker, request, row_id)
            faults.add_request(pins.faults_of_refused(rendered, request, kind, refused), rendered, row_id)
            continue
        done = placed(rendered, request, kind)
        if done.remarks:
            faults.add_remarks(done.remarks, rendered, row_id)
        if done.faults or effective is None or not is_met:
            faults.add_request(done.faults, rendered, row_id)
            continue
        request = done.request
        if request is not rendered:
            body = dumps(request)
        claim(request)
        look_at(request, index, beside.members[0] if beside.members else row, row_id)
        yield Item(request["userReference"], kind, effective, body, number, row_id, done.unresolved)
    if not is_checked:
        _conclude_without_items(analysis, watch, rows)


def _conclude_without_items(analysis: PreparedAnalysis, watch: _Watch, rows: WantedRows) -> None:
    """No row became an item: check the parts that no row changes, or report that there are no rows."""
    if watch.faults.has_any:
        PartialItems(analysis, watch.faults, watch.pins).check_constants()
    else:
        watch.notes.add_no_rows(rows.read)


def _render_slowly(analysis: PreparedAnalysis, watch: _Watch, wanted: WantedRow, error: Exception) -> tuple[Any, bytes]:
    """The item of a row that the compiled function gave up on; no bytes if it has none, and its faults are reported."""
    index, row_id, row, beside = wanted
    try:
        request = analysis.renderer.render_slowly(row, index, beside, error)
        return request, orjson.dumps(request)
    except Unrendered as e:
        watch.faults.add_unrendered(e, row_id)
        if not analysis.budget.is_spent and watch.faults.may_check_parts():
            PartialItems(analysis, watch.faults, watch.pins).check_rest(e, row_id)
    except TypeError as e:  # half of a surrogate pair, which JSON can spell and UTF-8 cannot
        watch.faults.add((), "MR503", f"the item cannot be written as JSON: {e}", row_id, group="json")
    return None, b""


# -- revision

RevisionOf = Callable[[Any, int, RowId, Beside], str | None]


def _revisions(analysis: PreparedAnalysis, faults: AnalysisFaults, revision: int) -> RevisionOf:
    """A function from a row to its item's revision, or to None if that is not valid, which is reported."""
    own, renderer = analysis.revision, analysis.renderer

    def of_row(template: Template, row: Any, index: int, row_id: RowId, beside: Beside) -> str | None:
        try:
            value = template.render(renderer.scope(row, index, beside))
        except TemplateFault as e:
            faults.add_template(("revision",), e, template.text, row_id)
            return None
        whole = _whole(value, faults, row_id)
        return whole and f"{revision}.{whole}"

    if isinstance(own, TemplateSlot):
        return lambda row, index, row_id, beside: of_row(own.template, row, index, row_id, beside)
    fixed = _whole(own, faults, NO_ROW)
    return lambda _row, _index, _row_id, _beside: fixed and f"{revision}.{fixed}"


def _whole(value: Any, faults: AnalysisFaults, row: RowId) -> str | None:
    """The revision of an analysis; null counts as the default."""
    value = DEFAULT_REVISION if value is None else value
    text = "" if isinstance(value, bool) else str(value)
    if _WHOLE_NUMBER.fullmatch(text):
        return text
    message = f"revision must be a whole number, not {described(value)}"
    faults.add(("revision",), "MR407", message, row, group="whole", is_of_row=row != NO_ROW)
    return None
