"""Rows × templates → items, streamed: one analysis of the manifest after the other, one row at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from manifest_runner.document import Document
from manifest_runner.errors import InvalidManifest
from manifest_runner.findings import Findings
from manifest_runner.manifest import Path_
from manifest_runner.model import Finding, Item, Place
from manifest_runner.prepare import Analysis, shown
from manifest_runner.render import row_scope
from manifest_runner.schema import ItemChecker, RowChecker, item_checker
from manifest_runner.shape import Leaf, written_at
from manifest_runner.templating import TemplateFault

_WHOLE_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")
_MAX_TWICE_SHOWN = 20


class Expansion:
    """The items of a document. ``items`` can be called again and reads the samplesheets anew.

    Everything wrong with the input is added to ``findings``; an item with a fault is not yielded.
    """

    def __init__(self, document: Document, analyses: list[Analysis], findings: Findings) -> None:
        self._document = document
        self._analyses = analyses
        self._findings = findings

    def items(self) -> Iterator[Item]:
        seen: set[str] = set()
        twice: dict[str, None] = {}
        for item in self._all():
            if item.user_reference in seen:
                twice[item.user_reference] = None
            seen.add(item.user_reference)
            yield item
        if twice:
            self._report_twice(set(list(twice)[:_MAX_TWICE_SHOWN]), len(twice))

    def place(self, item: Item) -> tuple[Place, Place | None]:
        """Where an item comes from: the manifest's place of its userReference, and the samplesheet's row."""
        rows = next(each.rows for each in self._analyses if each.spec.index == item.analysis)
        return self._document.place(item.analysis, ("userReference",)), rows.place(item.row)

    def _all(self) -> Iterator[Item]:
        for analysis in self._analyses:
            yield from _Rendering(self._document, analysis, self._findings).items()

    def _report_twice(self, references: set[str], count: int) -> None:
        """Read everything once more for the first place of each; rows are not kept for a fault this rare."""
        first: dict[str, Item] = {}
        for item in Expansion(self._document, self._analyses, Findings())._all():
            reference = item.user_reference
            if reference not in references:
                continue
            if reference not in first:
                first[reference] = item
                continue
            (_, first_row), (at, row) = self.place(first[reference]), self.place(item)
            before = first_row or self.place(first[reference])[0]
            message = f'userReference "{reference}" is there already, from {before.file}:{before.line}'
            more = f" ({count:,} userReferences are there more than once)" if count > len(references) else ""
            self._findings.add(Finding(at, "MR502", message + more, row=row))


class _Rendering:
    """The items of one analysis."""

    def __init__(self, document: Document, analysis: Analysis, findings: Findings) -> None:
        self._document = document
        self._analysis = analysis
        self._findings = findings
        self._places: dict[tuple[Path_, bool], Place] = {}

    def items(self) -> Iterator[Item]:
        analysis = self._analysis
        render, filtered = analysis.renderer.render, analysis.where is not None
        kind, index_ = analysis.spec.kind, analysis.spec.index
        checker = item_checker(kind)
        is_valid, dumps = checker.is_valid, orjson.dumps
        fixed = self._fixed_revision()
        for index, (number, row) in enumerate(self._rows()):
            if filtered and not self._wanted(row, index, number):
                continue
            try:
                request = render(row, index)
                body = dumps(request)
            except Exception as e:  # noqa: BLE001 - rendered again, leaf by leaf, to say what it was
                self._report_row(row, index, number, e)
                continue
            if not is_valid(request):
                self._report_invalid(checker, request, number)
                continue
            revision = fixed or self._row_revision(row, index, number)
            if revision is not None:
                yield Item(request["userReference"], kind, revision, body, index_, number)

    # -- rows

    def _rows(self) -> Iterator[tuple[int, Any]]:
        checker = self._analysis.row_checker
        try:
            rows = self._analysis.rows.read(self._findings.add)
            if checker is None:
                yield from rows
            else:
                yield from (each for each in rows if self._meets(checker, *each))
        except InvalidManifest as e:
            for finding in e.findings:
                self._findings.add(finding)

    def _meets(self, checker: RowChecker, number: int, row: Any) -> bool:
        columns = self._analysis.rows.columns
        mapping = row if columns is None else dict(zip(columns, row, strict=True))
        if checker.is_valid(mapping):
            return True
        for fault in checker.faults(mapping):
            where = ".".join(map(str, fault.path))
            message = f"{where}: {fault.message}" if where else fault.message
            self._add(("forEach", "schema"), "MR307", message, number, group=("row", fault.path))
        return False

    def _wanted(self, row: Any, index: int, number: int) -> bool:
        where = self._analysis.where
        assert where is not None
        try:
            return bool(where.render(self._scope(row, index)))
        except TemplateFault as e:
            self._add(("forEach", "where"), e.code, f"{e}, in {shown(where.text)}", number, group="where")
            return False

    def _scope(self, row: Any, index: int) -> dict[str, Any]:
        analysis = self._analysis
        return {**analysis.scope, "row": row_scope(row, analysis.rows.columns), "index": index}

    # -- revision

    def _fixed_revision(self) -> str | None:
        revision = self._analysis.revision
        if isinstance(revision, Leaf):
            return None
        return f"{self._document.revision}.{self._whole(revision, -1)}"

    def _row_revision(self, row: Any, index: int, number: int) -> str | None:
        revision = self._analysis.revision
        if not isinstance(revision, Leaf):
            return None
        try:
            value = revision.template.render(self._scope(row, index))
        except TemplateFault as e:
            self._add(("revision",), e.code, f"{e}, in {shown(revision.template.text)}", number, group="revision")
            return None
        whole = self._whole(value, number)
        return None if whole is None else f"{self._document.revision}.{whole}"

    def _whole(self, value: Any, number: int) -> str | None:
        text = "" if isinstance(value, bool) else str(value)
        if _WHOLE_NUMBER.fullmatch(text):
            return text
        self._add(("revision",), "MR407", f"revision must be a whole number, not {value!r}", number, group="whole")
        return None

    # -- faults

    def _report_row(self, row: Any, index: int, number: int, error: Exception) -> None:
        found = False
        for leaf, fault in self._analysis.renderer.faults(row, index):
            found = True
            message = f"{fault}, in {shown(leaf.template.text)}"
            self._add(leaf.path, fault.code, message, number, group=fault.code)
        if not found and isinstance(error, TypeError | ValueError):
            self._add((), "MR503", f"the item cannot be written as JSON: {error}", number, group="json")
        elif not found:
            raise error

    def _report_invalid(self, checker: ItemChecker, request: Any, number: int) -> None:
        for fault in checker.faults(request):
            path = written_at(self._analysis.fields, fault.path)
            where = _dotted(fault.path)
            message = f"{where}: {fault.message}" if where else fault.message
            self._add(path, "MR501", message, number, group=fault.path, at_key=fault.at_key)

    def _add(self, path: Path_, code: str, message: str, number: int, *, group: object, at_key: bool = False) -> None:
        place = self._place(path, at_key=at_key)
        self._findings.add(Finding(place, code, message, row=self._analysis.rows.place(number)), group=(group, path))

    def _place(self, path: Path_, *, at_key: bool) -> Place:
        """To find a place is to read the manifest once more, which a fault in every row must not do each time."""
        if (path, at_key) not in self._places:
            self._places[path, at_key] = self._document.place(self._analysis.spec.index, path, at_key=at_key)
        return self._places[path, at_key]


def _dotted(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
