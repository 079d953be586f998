"""Reports the faults of the rows and items of one analysis, each at its place."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from typing import Any

from msgspec.structs import replace

from manifest_runner.diagnostics.collector import MAX_ALIKE, Findings
from manifest_runner.diagnostics.finding import Finding, Place
from manifest_runner.items.preparing.prepare import PreparedAnalysis
from manifest_runner.items.renderer import Unrendered
from manifest_runner.items.shorthands import TemplateSlot, has_slot, written_at
from manifest_runner.items.unknown_parts import Part
from manifest_runner.manifest.document import Document
from manifest_runner.model import NO_ROW, DataPath, RowId
from manifest_runner.names.request_fault import RequestFault
from manifest_runner.rows.row_schema import RowSchema
from manifest_runner.templates.model import TemplateFault
from manifest_runner.text import dotted, quoted_template
from manifest_runner.validation.messages import Fault
from manifest_runner.validation.shipped_schemas import ItemChecker
from manifest_runner.validation.validator import Checker

_MAX_KINDS = 200
_MORE_FAULTS = Fault((), "has further problems; fix the ones listed first")
_WITHOUT_BRACES = r"\b(row|vars|env|source)\.\w"
_CURLY_QUOTES = frozenset("\u2018\u2019\u201c\u201d\u201e")
_NOT_TEXT = r"expected (a number|a whole number|true or false), got text"


class ConstantChecks:
    """The number of faulty analyses whose constants may still be checked: each check takes a millisecond."""

    def __init__(self) -> None:
        self._left = _MAX_KINDS

    def take(self) -> bool:
        """Use one up; whether there was one left."""
        self._left -= 1
        return self._left >= 0


class _Messages:
    """Messages for the first rows with each kind of fault; further rows repeat a known fault."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._kinds: dict[Hashable, tuple[int, list[Fault]]] = {}

    def faults(self, checker: Checker, data: Any, code: str) -> list[Fault]:
        """The faults, by path; once enough rows are reported, with the messages of an earlier row."""
        kind = (checker, checker.traits(data))
        times, faults = self._kinds.get(kind, (0, [_MORE_FAULTS]))
        is_too_much = len(self._kinds) >= _MAX_KINDS or self._findings.is_full(code)
        if times > MAX_ALIKE or (times == 0 and is_too_much):
            return faults
        faults = checker.faults(data)
        self._kinds[kind] = times + 1, faults
        return faults


class AnalysisFaults:
    """The faults of one analysis. ``has_any`` says whether there is one."""

    def __init__(
        self, document: Document, analysis: PreparedAnalysis, findings: Findings, checks: ConstantChecks
    ) -> None:
        self._document = document
        self._analysis = analysis
        self._findings = findings
        self._checks = checks
        self._messages = _Messages(findings)
        self._places: dict[tuple[DataPath, bool], Place] = {}
        self._may_check_parts: bool | None = None
        self.has_any = False

    def add_finding(self, finding: Finding, group: Hashable = None) -> None:
        """A finding of the source of the rows."""
        self.has_any |= finding.severity == "error"
        self._findings.add(finding, group)

    def add(
        self,
        path: DataPath,
        code: str,
        message: str,
        row: RowId,
        *,
        group: object,
        at_key: bool = False,
        is_of_row: bool = False,
    ) -> None:
        """``path`` is a place in the analysis; faults of one group there are alike."""
        self.has_any = True
        place = self._analysis.rows.place(row) if row != NO_ROW else None
        finding = Finding(self.place(path, at_key=at_key), code, message, row=place, is_of_row=is_of_row)
        self._findings.add(finding, group=(group, path))

    def add_template(self, path: DataPath, fault: TemplateFault, text: str, row: RowId) -> None:
        if fault.place is not None:  # of a cell, however many rows look it up
            self.has_any = True
            self._findings.add(Finding(fault.place, fault.code, str(fault), row=fault.place), (str(fault), fault.place))
            return
        message = f"{quoted_template(text)}: {fault}"
        self.add(path, fault.code, message, row, group=fault.code, is_of_row=True)

    def add_unrendered(self, error: Unrendered, row: RowId) -> None:
        for slot, fault in error.faults:
            if not self._findings.is_reported(fault.code, self.place(slot.path), (fault.code, slot.path)):
                self.add_template(slot.path, fault, slot.template.text, row)

    def add_requirement(self, path: DataPath, message: str, row: RowId) -> None:
        """A requirement of the manifest's author that an item does not meet."""
        self.add(path, "MR313", message, row, group=message, is_of_row=True)

    def add_row_schema(self, schema: RowSchema, row: Any, row_id: RowId, *, is_text: bool) -> None:
        """Add what the row schema rejects in a row; with ``is_text`` the cells are those of a table."""
        for fault in self._messages.faults(schema.checker, row, "MR307"):
            where = ".".join(map(str, fault.path))
            words = schema.message(fault)
            message = f"{where}: {words}" if where else words
            if is_text and not schema.is_of_sheet and re.search(_NOT_TEXT, message):
                message += "; the cells of a table are text, which a `pattern` can check"
            group = ("row", fault.path, fault.lacks)
            self.add(("forEach", "schema"), "MR307", message, row_id, group=group, is_of_row=True)

    def add_invalid(self, checker: ItemChecker, request: Any, row: RowId) -> set[str]:
        """Add what the API would reject in an item. Returns the fields that it would reject."""
        fields, refused = self._analysis.fields, set[str]()
        for fault in self._messages.faults(checker, request, "MR501"):
            path = written_at(fields, fault.path, request)
            group, of_row = (fault.path, fault.lacks), is_rendered(fields, path)
            words = _message(fault, request)
            self.add(path, "MR501", words, row, group=group, at_key=fault.at_key, is_of_row=of_row)
            refused.update(map(str, fault.path[:1]))
        return refused

    def add_request(self, found: Iterable[RequestFault], request: Any, row: RowId) -> None:
        """The faults in the names and the data of an item."""
        for fault in found:
            self._findings.add(self._of_request(fault, request, row), group=_group(fault))
            self.has_any = True

    def add_remarks(self, found: Iterable[RequestFault], request: Any, row: RowId) -> None:
        """The warnings about the names and the data of an item."""
        for fault in found:
            finding = replace(self._of_request(fault, request, row), severity="warning")
            self._findings.add(finding, group=_group(fault))

    def _of_request(self, fault: RequestFault, request: Any, row: RowId) -> Finding:
        fields = self._analysis.fields
        path = written_at(fields, fault.path, request)
        differs = not fault.at_key and row != NO_ROW and has_slot(_value_at(fields, path))
        return Finding(
            self.place(fault.path if fault.path == ("kind",) else path, at_key=fault.at_key),
            fault.code,
            fault.message,
            row=self._analysis.rows.place(row) if differs else None,
            is_of_row=not fault.at_key and is_rendered(fields, path),
        )

    # -- items with a faulty part

    def may_check_parts(self) -> bool:
        """Whether to check the rest of this analysis's items; in a manifest full of faults, not every analysis's."""
        if self._may_check_parts is None:
            self._may_check_parts = len(self._analysis.broken) <= _MAX_KINDS and self._checks.take()
        return self._may_check_parts

    def add_part(self, checker: ItemChecker, part: Part, found: Iterable[RequestFault]) -> None:
        """Add what the API would reject in the rest of an item, and the faults ``found`` in its names and data.

        The rest may lack anything, and a value with an unknown part may turn out to be right.
        """
        fields = self._analysis.fields
        for fault in self._messages.faults(checker, part.request, "MR501"):
            path = written_at(fields, fault.path, part.request)
            if not fault.lacks and not part.is_unknown(path):
                of_row = part.row != NO_ROW and is_rendered(fields, path)
                row = part.row if of_row else NO_ROW
                words = _message(fault, part.request)
                self.add(path, "MR501", words, row, group=fault.path, at_key=fault.at_key, is_of_row=of_row)
        known = (each for each in found if not part.is_unknown(written_at(fields, each.path, part.rendered)))
        self.add_request(known, part.rendered, part.row)

    def place(self, path: DataPath, *, at_key: bool = False) -> Place:
        place = self._places.get((path, at_key))
        if place is None:
            place = self._document.place(self._analysis.spec.index, path, at_key=at_key)
            self._places[path, at_key] = place
        return place


def _value_at(fields: Any, path: DataPath) -> Any:
    for step in path:
        fields = fields[step]
    return fields


def is_rendered(fields: Any, path: DataPath) -> bool:
    """Whether the value at ``path``, or one that contains it, is a template."""
    return isinstance(_value_at(fields, path), TemplateSlot)


def _group(fault: RequestFault) -> Hashable:
    return fault.code if fault.group is None else fault.group


def _message(fault: Fault, request: Any) -> str:
    where = dotted(fault.path)
    words = f"{where}: {fault.message}" if where else fault.message
    return words + (_reference_hint(request.get("userReference")) if fault.path == ("userReference",) else "")


def _reference_hint(value: Any) -> str:
    """What was probably done wrong in a userReference that is not valid."""
    if not isinstance(value, str):
        return ""
    if re.search(_WITHOUT_BRACES, value):
        return '; a template needs double braces: "{{ row.sample }}"'
    if _CURLY_QUOTES.intersection(value):
        return "; replace curly quotes with straight ones"
    accented = next((each for each in value if each.isalpha() and not each.isascii()), None)
    return f'; only the letters A to Z are allowed, not "{accented}"' if accented else ""
