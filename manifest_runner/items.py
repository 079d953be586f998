"""Rows × templates → items, streamed: one analysis of the manifest after the other, one row at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

import orjson

from manifest_runner.document import Document
from manifest_runner.errors import InvalidManifest
from manifest_runner.findings import Findings
from manifest_runner.manifest import Path_
from manifest_runner.model import Finding, Item, Place
from manifest_runner.prepare import Analysis, shown
from manifest_runner.render import Unrendered
from manifest_runner.repeats import Repeats
from manifest_runner.schema import ItemChecker, RowChecker, item_checker
from manifest_runner.shape import Leaf, written_at
from manifest_runner.templating import Template, TemplateFault

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
        self._places: dict[tuple[int, str], Place] = {}

    def items(self) -> Iterator[Item]:
        references, targets = Repeats(), Repeats()
        for analysis in self._analyses:
            yield from _Rendering(self._document, analysis, self._findings, references, targets).items()
        repeated = references.repeated(), targets.repeated()
        if any(repeated):
            self._report_repeats(*repeated)

    def named(self, references: Collection[str]) -> Iterator[Item]:
        """The items of these userReferences, read once more."""
        return (item for item in self._again() if item.user_reference in references)

    def place(self, item: Item) -> tuple[Place, Place | None]:
        """Where an item comes from: the manifest's place of its userReference, and the samplesheet's row."""
        return self._place(item, "userReference"), self._row(item)

    def _place(self, item: Item, field: str) -> Place:
        key = item.analysis, field
        if key not in self._places:
            self._places[key] = self._document.place(item.analysis, (field,))
        return self._places[key]

    def _row(self, item: Item) -> Place | None:
        return next(each.rows for each in self._analyses if each.spec.index == item.analysis).place(item.row)

    def _again(self) -> Iterator[Item]:
        """Every item once more; what is wrong with the rows has been told already."""
        for analysis in self._analyses:
            yield from _Rendering(self._document, analysis, Findings(), Repeats(), Repeats()).items()

    # -- what two items claim

    def _report_repeats(self, references: frozenset[int], targets: frozenset[int]) -> None:
        """Read everything once more for who came first; rows are not kept for a fault this rare."""
        first: dict[str, Item] = {}
        writer: dict[Target, Item] = {}
        twice: set[str] = set()
        for item in self._again():
            reference, kept = item.user_reference, item._replace(request=b"")
            if hash(reference) in references and first.setdefault(reference, kept) is not kept:
                twice.add(reference)
                if len(twice) <= _MAX_TWICE_SHOWN:
                    self._report_twice(first[reference], item, len(references))
            for target in targets_of(item.request) if targets else ():
                before = writer.setdefault(target, kept) if hash(target) in targets else kept
                if before.user_reference != reference:
                    self._warn_of_overwriting(before, item, target)

    def _report_twice(self, first: Item, item: Item, count: int) -> None:
        at, row = self.place(item)
        before = self._row(first) or self._place(first, "userReference")
        message = f'userReference "{item.user_reference}" is there already, from {before.file}:{before.line}'
        more = f" ({count:,} userReferences are there more than once)" if count > _MAX_TWICE_SHOWN else ""
        self._findings.add(Finding(at, "MR502", message + more, row=row), group=item.user_reference)

    def _warn_of_overwriting(self, first: Item, item: Item, target: Target) -> None:
        message = (
            f'"{item.user_reference}" writes its results to where "{first.user_reference}" does, {target.path} in '
            f"project {target.project}: one would overwrite the other's; give each a targetPath of its own, or set "
            "actionOnExist to RENAME"
        )
        place = self._place(item, "analysisOutput")
        self._findings.add(Finding(place, "MR601", message, "warning", self._row(item)), group="overwriting")


class _Rendering:
    """The items of one analysis. What they claim for themselves is added to ``references`` and ``targets``."""

    def __init__(
        self, document: Document, analysis: Analysis, findings: Findings, references: Repeats, targets: Repeats
    ) -> None:
        self._document = document
        self._analysis = analysis
        self._findings = findings
        self._references = references
        self._targets = targets
        self._places: dict[tuple[Path_, bool], Place] = {}

    def items(self) -> Iterator[Item]:
        analysis = self._analysis
        render, kind, number_of_it = self._renderer(), analysis.spec.kind, analysis.spec.index
        checker = item_checker(kind)
        is_valid, dumps, claim = checker.is_valid, orjson.dumps, self._references.add
        writes = "analysisOutput" in analysis.fields
        revisions = self._revisions()
        for index, number, row in self._wanted():
            try:
                request = render(row, index)
                body = dumps(request)
            except Exception:  # noqa: BLE001 - rendered again, leaf by leaf, to say what it was
                request, body = self._slowly(row, index, number)
                if not body:
                    continue
            if not is_valid(request):
                self._report_invalid(checker, request, number)
                continue
            revision = revisions(row, index, number)
            if revision is None:
                continue
            reference = request["userReference"]
            claim(reference)
            if writes:
                self._claim_targets(request)
            yield Item(reference, kind, revision, body, number_of_it, number)

    def _renderer(self) -> Callable[[Any, int], Any]:
        try:
            return self._analysis.renderer.compiled()
        except ValueError:
            return _give_up

    def _claim_targets(self, request: dict[str, Any]) -> None:
        for target in _targets(request):
            self._targets.add(target)

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

    def _ask(self, where: Template, row: Any, index: int, number: int) -> bool:
        return bool(self._value(where, ("forEach", "where"), row, index, number))

    def _value(self, template: Template, path: Path_, row: Any, index: int, number: int) -> Any:
        """A template's value; None, and the fault reported, where it has none."""
        try:
            return template.render(self._analysis.renderer.scope(row, index))
        except TemplateFault as e:
            self._add(path, e.code, f"{e}, in {shown(template.text)}", number, group=e.code)
            return None

    # -- revision

    def _revisions(self) -> Callable[[Any, int, int], str | None]:
        """The function from a row to its item's revision."""
        revision, head = self._analysis.revision, self._document.revision
        if isinstance(revision, Leaf):
            return lambda row, index, number: self._row_revision(revision.template, row, index, number)
        fixed = self._whole(revision, -1)
        return lambda _row, _index, _number: fixed and f"{head}.{fixed}"

    def _row_revision(self, template: Template, row: Any, index: int, number: int) -> str | None:
        value = self._value(template, ("revision",), row, index, number)
        whole = None if value is None else self._whole(value, number)
        return None if whole is None else f"{self._document.revision}.{whole}"

    def _whole(self, value: Any, number: int) -> str | None:
        text = "" if isinstance(value, bool) else str(value)
        if _WHOLE_NUMBER.fullmatch(text):
            return text
        self._add(("revision",), "MR407", f"revision must be a whole number, not {value!r}", number, group="whole")
        return None

    # -- faults

    def _slowly(self, row: Any, index: int, number: int) -> tuple[Any, bytes]:
        """A row that the compiled function gave up on; no bytes, and each fault reported, where it has no item."""
        try:
            request = self._analysis.renderer.render_slowly(row, index)
            return request, orjson.dumps(request)
        except Unrendered as e:
            for leaf, fault in e.faults:
                message = f"{fault}, in {shown(leaf.template.text)}"
                self._add(leaf.path, fault.code, message, number, group=fault.code)
        except (TypeError, ValueError) as e:  # half of a surrogate pair, an infinite number
            self._add((), "MR503", f"the item cannot be written as JSON: {e}", number, group="json")
        return None, b""

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


class Target(NamedTuple):
    """Where results are copied to, as far as two items can meet there."""

    project: str
    path: str


def targets_of(request: bytes) -> Iterator[Target]:
    """Where an item's results would overwrite what is there."""
    return _targets(orjson.loads(request))


def _targets(request: dict[str, Any]) -> Iterator[Target]:
    for each in request.get("analysisOutput") or ():
        if each is not None and each.get("actionOnExist") != "RENAME":
            yield Target(each["targetProjectId"], each["targetPath"].rstrip("/"))


def _give_up(_row: Any, _index: int) -> Any:
    raise NotImplementedError


def _dotted(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
