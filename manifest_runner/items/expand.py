"""Rows × templates → items, streamed: one analysis of the manifest after the other, one row at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from typing import Any

import orjson

from manifest_runner.diagnostics.collector import MAX_ALIKE, Findings
from manifest_runner.diagnostics.finding import Finding, InvalidManifest, Place
from manifest_runner.items.compiler import Unrendered
from manifest_runner.items.duplicates import Claims, DuplicateCheck
from manifest_runner.items.prepare import NO_ROW, Analysis, shown
from manifest_runner.items.shorthands import TemplateSlot, has_leaf, written_at
from manifest_runner.manifest.document import Document
from manifest_runner.manifest.yaml_file import Path_
from manifest_runner.model import Item
from manifest_runner.templates.template import Template, TemplateFault
from manifest_runner.text import described
from manifest_runner.text import shown as shown_text
from manifest_runner.validation.messages import Fault
from manifest_runner.validation.shipped import ItemChecker, item_checker
from manifest_runner.validation.validator import Checker, RowChecker

_MAX_KINDS = 200
# An id is empty where a cell is, which is seen at once, or where a list in a cell ends in its separator. The latter
# takes long to see for each row of a table; where it happens, it happens in the first of them.
_LOOKED_AT = 1_000
_OTHER_FAULTS = Fault((), "has faults of yet another kind; mend those that are told first")
_NOT_TEXT = re.compile(r"expected (a number|a whole number|true or false), got text")
_WHOLE_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")


class ItemStream:
    """The items of a document. ``items`` can be called again and reads the samplesheets anew.

    Everything wrong with the input is added to ``findings``; an item with a fault is not yielded.
    """

    def __init__(self, document: Document, analyses: list[Analysis], findings: Findings) -> None:
        self._document = document
        self._analyses = {analysis.spec.index: analysis for analysis in analyses}
        self._findings = findings

    def items(self) -> Iterator[Item]:
        claims = Claims()
        yield from self._expand(self._findings, claims)
        if any(analysis.sandbox.is_spent for analysis in self._analyses.values()):
            return  # to read the rows once more would cost as much again
        DuplicateCheck(self._place, self._row, self._is_of_row, self._findings).report(claims, self._again)

    def named(self, references: Collection[str]) -> Iterator[Item]:
        """The items of these userReferences, read once more."""
        return (item for item in self._again() if item.user_reference in references)

    def place(self, item: Item) -> tuple[Place, Place | None]:
        """Where an item comes from: the manifest's place of its userReference, and the samplesheet's row."""
        return self._place(item, "userReference"), self._row(item)

    def _place(self, item: Item, field: str) -> Place:
        return self._document.place(item.analysis, (field,))

    def _row(self, item: Item) -> Place | None:
        return self._analyses[item.analysis].rows.place(item.row)

    def _is_of_row(self, item: Item, field: str) -> bool:
        return _is_rendered(self._analyses[item.analysis].fields, (field,))

    def _again(self) -> Iterator[Item]:
        """Every item once more; what is wrong with the rows has been told already."""
        return self._expand(Findings(), Claims())

    def _expand(self, findings: Findings, claims: Claims) -> Iterator[Item]:
        for sandbox in {analysis.sandbox for analysis in self._analyses.values()}:
            sandbox.restart()
        looks = iter(range(_MAX_KINDS))
        for analysis in self._analyses.values():
            yield from _Rendering(self._document, analysis, findings, claims, looks).items()


class _Words:
    """Words the faults of the first rows of each kind: a row of a kind known by then is the same fault once more."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._kinds: dict[Hashable, tuple[int, list[Fault]]] = {}

    def faults(self, checker: Checker, data: Any, code: str) -> list[Fault]:
        """The faults, by path; their messages are of an earlier row where those of enough rows have been told."""
        kind = (checker, checker.traits(data))
        times, faults = self._kinds.get(kind, (0, [_OTHER_FAULTS]))
        is_too_much = len(self._kinds) >= _MAX_KINDS or self._findings.is_full(code)
        if times > MAX_ALIKE or (times == 0 and is_too_much):
            return faults
        faults = checker.faults(data)
        self._kinds[kind] = times + 1, faults
        return faults


class _Rendering:
    """The items of one analysis. What they claim for themselves is added to ``claims``."""

    def __init__(
        self, document: Document, analysis: Analysis, findings: Findings, claims: Claims, looks: Iterator[int]
    ) -> None:
        self._document = document
        self._analysis = analysis
        self._looks = looks  # at constants of analyses at fault: to word what is wrong with each takes a millisecond
        self._findings = findings
        self._claims = claims
        self._words = _Words(findings)
        self._read = 0  # rows, as far as it is of interest
        self._is_faulty = False
        self._places: dict[tuple[Path_, bool], Place] = {}
        self._inputs: dict[tuple[int, str], Place] = {}

    def items(self) -> Iterator[Item]:
        if self._analysis.broken:
            self._check_what_is_left()
            return iter(())
        return self._rendered()

    def _rendered(self) -> Iterator[Item]:
        analysis = self._analysis
        render, kind, number_of_it = analysis.renderer.compiled(), analysis.spec.kind, analysis.spec.index
        checker = item_checker(kind)
        is_valid, dumps, claim = checker.is_valid, orjson.dumps, self._claims.add
        revisions = self._revisions()
        has_inputs, is_table = _has_leaf_inputs(analysis.fields), analysis.rows.columns is not None
        index, is_rendered = -1, False
        for index, number, row in self._wanted():
            try:
                request = render(row, index)
                body = dumps(request)
            except Exception as e:  # noqa: BLE001 - rendered again, leaf by leaf, to say what it was
                request, body = self._slowly(row, index, number, e)
                if not body and analysis.sandbox.is_spent:
                    return
                if not body:
                    continue
            is_rendered = True
            if not is_valid(request):
                self._report_invalid(checker, request, number)
                continue
            revision = revisions(row, index, number)
            if revision is None:
                continue
            claim(request)
            if has_inputs and (index < _LOOKED_AT or not is_table or "" in row):
                self._look_for_empty_inputs(request, number)
            yield Item(request["userReference"], kind, revision, body, number_of_it, number)
        if self._is_faulty and not is_rendered:
            self._report_constants(checker)
        elif index < 0 and not self._is_faulty:
            self._tell_of_no_rows()

    # -- rows

    def _rows(self) -> Iterator[tuple[int, Any]]:
        checker = self._analysis.row_checker
        try:
            rows = self._analysis.rows.read(self._add_row_fault)
            if checker is None:
                yield from rows
            else:
                yield from (each for each in rows if self._meets(checker, *each))
        except InvalidManifest as e:
            for finding in e.findings:
                self._add_row_fault(finding)

    def _add_row_fault(self, finding: Finding, group: Hashable = None) -> None:
        self._is_faulty = True
        self._findings.add(finding, group)

    def _meets(self, checker: RowChecker, number: int, row: Any) -> bool:
        columns = self._analysis.rows.columns
        mapping = row if columns is None else dict(zip(columns, row, strict=True))
        if checker.is_valid(mapping):
            return True
        for fault in self._words.faults(checker, mapping, "MR307"):
            where = ".".join(map(str, fault.path))
            message = f"{where}: {fault.message}" if where else fault.message
            if columns is not None and _NOT_TEXT.search(message):
                message += "; the cells of a table are text, which a `pattern` can check"
            self._add(
                ("forEach", "schema"), "MR307", message, number, group=("row", fault.path, fault.lacks), is_of_row=True
            )
        return False

    def _wanted(self) -> Iterator[tuple[int, int, Any]]:
        """The rows that ``where`` lets through, as (index, number, row)."""
        where = self._analysis.where
        if where is None:
            for index, (number, row) in enumerate(self._rows()):
                yield index, number, row
            return
        is_wanted = self._analysis.renderer.condition(where) or _give_up
        for index, (number, row) in enumerate(self._rows()):
            try:
                wanted = is_wanted(row, index)
            except Exception:  # noqa: BLE001 - asked again through Jinja, which has the words for it
                wanted = self._ask(where, row, index, number)
            if wanted:
                yield index, number, row
            elif self._analysis.sandbox.is_spent:
                return
            self._read = index + 1

    def _ask(self, where: Template, row: Any, index: int, number: int) -> bool:
        return bool(self._value(where, ("forEach", "where"), row, index, number))

    def _value(self, template: Template, path: Path_, row: Any, index: int, number: int) -> Any:
        """A template's value; None, and the fault reported, where it has none."""
        try:
            return template.render(self._analysis.renderer.scope(row, index))
        except TemplateFault as e:
            self._add(path, e.code, f"{e}, in {shown(template.text)}", number, group=e.code, is_of_row=True)
            return None

    # -- revision

    def _revisions(self) -> Callable[[Any, int, int], str | None]:
        """The function from a row to its item's revision."""
        revision, head = self._analysis.revision, self._document.revision
        if isinstance(revision, TemplateSlot):
            return lambda row, index, number: self._row_revision(revision.template, row, index, number)
        fixed = self._whole(revision, NO_ROW)
        return lambda _row, _index, _number: fixed and f"{head}.{fixed}"

    def _row_revision(self, template: Template, row: Any, index: int, number: int) -> str | None:
        value = self._value(template, ("revision",), row, index, number)
        whole = None if value is None else self._whole(value, number)
        return None if whole is None else f"{self._document.revision}.{whole}"

    def _whole(self, value: Any, number: int) -> str | None:
        text = "" if isinstance(value, bool) else str(value)
        if _WHOLE_NUMBER.fullmatch(text):
            return text
        message = f"revision must be a whole number, not {described(value)}"
        self._add(("revision",), "MR407", message, number, group="whole", is_of_row=number != NO_ROW)
        return None

    # -- what is no fault, and may not be meant

    def _tell_of_no_rows(self) -> None:
        place, words = self._place(("forEach",)), "there are no rows"
        if self._read:
            place, words = self._place(("forEach", "where")), f"none of the {self._read:,} rows meets the condition"
        self._findings.add(Finding(place, "MR604", f"{words}, so this analysis gives no items", "info"))

    def _look_for_empty_inputs(self, request: Any, number: int) -> None:
        for i, each in enumerate(request["analysisInput"].get("inputs") or ()):
            ids = each.get("dataIds")
            if ids is not None and (not ids or "" in ids):
                self._tell_of_empty_input(request, i, number)

    def _tell_of_empty_input(self, request: Any, i: int, number: int) -> None:
        code = request["analysisInput"]["inputs"][i]["parameterCode"]
        group, place = ("empty", code), self._inputs.get((i, code))
        if place is None:
            path = written_at(self._analysis.fields, ("analysisInput", "inputs", i), request)
            place = self._inputs[i, code] = self._place(path)
        if not self._findings.is_told("MR605", place, group):
            what = "an empty id" if request["analysisInput"]["inputs"][i]["dataIds"] else "no id"
            message = f"the input {shown_text(code)} gets {what}; a template that gives null leaves an input out"
            row = self._analysis.rows.place(number)
            self._findings.add(Finding(place, "MR605", message, "info", row, is_of_row=True), group)

    # -- faults

    def _slowly(self, row: Any, index: int, number: int, error: Exception) -> tuple[Any, bytes]:
        """A row that the compiled function gave up on; no bytes, and each fault reported, where it has no item."""
        try:
            request = self._analysis.renderer.render_slowly(row, index, error)
            return request, orjson.dumps(request)
        except Unrendered as e:
            for leaf, fault in e.faults:
                group = (fault.code, leaf.path)
                if not self._findings.is_told(fault.code, self._place(leaf.path), group):
                    message = f"{fault}, in {shown(leaf.template.text)}"
                    self._add(leaf.path, fault.code, message, number, group=fault.code, is_of_row=True)
        except TypeError as e:  # half of a surrogate pair, which JSON can spell and UTF-8 cannot
            self._add((), "MR503", f"the item cannot be written as JSON: {e}", number, group="json")
        return None, b""

    def _check_what_is_left(self) -> None:
        """Of an analysis at fault: what is wrong with its rows, and with what no template makes."""
        for _ in self._rows():
            pass
        self._report_constants(item_checker(self._analysis.spec.kind))

    def _report_constants(self, checker: ItemChecker) -> None:
        """A part of an item may lack anything, and what holds something unknown may be right with it."""
        if next(self._looks, None) is None:
            return
        fields, request = self._analysis.fields, self._analysis.renderer.constant()
        unknown = [*self._analysis.broken, *_leaf_paths(fields)]
        for fault in checker.faults(request):
            path = written_at(fields, fault.path, request)
            if not fault.lacks and not any(_are_related(path, each) for each in unknown):
                where = _dotted(fault.path)
                message = f"{where}: {fault.message}" if where else fault.message
                self._add(path, "MR501", message, NO_ROW, group=fault.path, at_key=fault.at_key)

    def _report_invalid(self, checker: ItemChecker, request: Any, number: int) -> None:
        for fault in self._words.faults(checker, request, "MR501"):
            path = written_at(self._analysis.fields, fault.path, request)
            where = _dotted(fault.path)
            message = f"{where}: {fault.message}" if where else fault.message
            is_of_row = _is_rendered(self._analysis.fields, path)
            self._add(
                path,
                "MR501",
                message,
                number,
                group=(fault.path, fault.lacks),
                at_key=fault.at_key,
                is_of_row=is_of_row,
            )

    def _add(
        self,
        path: Path_,
        code: str,
        message: str,
        number: int,
        *,
        group: object,
        at_key: bool = False,
        is_of_row: bool = False,
    ) -> None:
        self._is_faulty = True
        row = self._analysis.rows.place(number) if number != NO_ROW else None
        finding = Finding(self._place(path, at_key=at_key), code, message, row=row, is_of_row=is_of_row)
        self._findings.add(finding, group=(group, path))

    def _place(self, path: Path_, *, at_key: bool = False) -> Place:
        place = self._places.get((path, at_key))
        if place is None:
            place = self._document.place(self._analysis.spec.index, path, at_key=at_key)
            self._places[path, at_key] = place
        return place


def _has_leaf_inputs(fields: Any) -> bool:
    given = fields.get("analysisInput")
    return has_leaf(given.get("inputs") if isinstance(given, dict) else given)


def _leaf_paths(value: Any) -> Iterator[Path_]:
    if isinstance(value, TemplateSlot):
        yield value.path
    elif isinstance(value, (Mapping, list)):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _leaf_paths(each)


def _are_related(one: Path_, other: Path_) -> bool:
    """Whether one place is the other, or holds it."""
    return all(a == b for a, b in zip(one, other, strict=False))


def _is_rendered(fields: Any, path: Path_) -> bool:
    """Whether a template makes what stands at ``path``, or above it, from the row."""
    for step in path:
        fields = fields[step]
    return isinstance(fields, TemplateSlot)


def _give_up(_row: Any, _index: int) -> bool:
    raise LookupError


def _dotted(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
