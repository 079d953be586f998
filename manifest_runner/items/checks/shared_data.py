"""Find data that an item uses twice in one input, and data that two items use as the same input.

Either may be a copied cell. Only hashes are kept; where a hash occurs twice, the items are read again as far as needed.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import orjson

from manifest_runner.diagnostics.collector import MAX_ALIKE, Findings
from manifest_runner.diagnostics.finding import Finding, Place
from manifest_runner.items.preparing.prepare import PreparedAnalysis
from manifest_runner.items.shorthands import has_slot, written_at
from manifest_runner.model import NO_ROW, DataPath, Item, RowId
from manifest_runner.text import shown

# Where an item has data: the list of inputs, the name of each, and its data.
_LISTS: tuple[tuple[tuple[str, str], str, str], ...] = (
    (("analysisInput", "inputs"), "parameterCode", "dataIds"),
    (("inputFormValues", "fields"), "id", "dataValues"),
)

_HASH_OF_BLANK = hash("")
# How many items of an analysis, from the first on, are compared with each other: comparing all of a hundred thousand
# would take a quarter as long as making them.
MAX_ITEMS = 10_000


class _Use(NamedTuple):
    """One input of an item, where its data is, and the data."""

    name: str
    path: DataPath
    data: Sequence[str]


class _Pair(NamedTuple):
    """Two items, by their number in the analysis, that use the same data as the input ``name``."""

    name: str
    first: int
    second: int


class _Hashes:
    """The hashes of the data of one input: of all items in turn, and how many each of them has."""

    def __init__(self) -> None:
        self.values = array("q")
        self.counts = array("L")


class SharedData:
    """The data of one analysis's items, while it ``is_needed``.

    ``place`` finds where a field was written, ``label`` what the manifest calls data.
    """

    def __init__(
        self,
        analysis: PreparedAnalysis,
        place: Callable[[DataPath], Place],
        findings: Findings,
        label: Callable[[str], str],
    ) -> None:
        self._analysis = analysis
        self._place = place
        self._findings = findings
        self._label = label
        self._lists = [each for each in _LISTS if _has_slots(analysis.fields, each[0])]
        self._names = _names_of_rows(analysis.fields)
        self._hashes: dict[str, _Hashes] = {}
        for_each = analysis.spec.for_each
        is_matrix = for_each is not None and for_each.format == "matrix"  # whose items share data by design
        self._left_to_compare = 0 if is_matrix else MAX_ITEMS
        self._is_first = True
        self.is_needed = True

    def look_at(self, request: dict[str, Any], row: RowId) -> None:
        """Take the data of an item; ``row`` is the id of its row."""
        if self._is_first:
            self._is_first = False
            self._look_at_constants(request)
            self.is_needed = bool(self._lists)
        names, is_compared = self._names, self._left_to_compare > 0
        self._left_to_compare -= is_compared
        for (outer, inner), name_key, data_key in self._lists:
            given = request[outer].get(inner) if outer in request else None
            for each in given or ():
                data = each.get(data_key) or ()
                if not is_compared and len(data) < 2:
                    continue
                name = each[name_key]
                if names is not None and name not in names:
                    continue
                data = _ids(data)
                if is_compared:
                    self._compare(name, data)
                if len(data) > 1 and len(set(data)) < len(data):
                    self._add_twice(name, request, row)

    def _compare(self, name: str, data: Sequence[str]) -> None:
        hashes = self._hashes.get(name) or self._hashes.setdefault(name, _Hashes())
        hashes.counts.append(len(data))
        hashes.values.extend(map(hash, data))

    def _look_at_constants(self, request: dict[str, Any]) -> None:
        """Look for data that are twice in an input that no row decides."""
        for use in _uses(request):
            if self._names is not None and use.name not in self._names and len(set(use.data)) < len(use.data):
                self._add_twice(use.name, request, NO_ROW)

    def report(self, items: Callable[[], Iterable[Item]]) -> None:
        """Report what two items share; ``items`` reads those of all analyses again."""
        for name, hashes in self._hashes.items():
            if len(set(hashes.values)) < len(hashes.values):
                self._add_shared(list(_pairs(name, hashes)), items)

    def _add_twice(self, name: str, request: dict[str, Any], row: RowId) -> None:
        use = next(each for each in _uses(request) if each.name == name)
        twice = self._label(next(each for i, each in enumerate(use.data) if each in use.data[:i]))
        path = written_at(self._analysis.fields, use.path, request)
        message = f"the input {shown(use.name)} lists {shown(twice)} twice; was a cell copied by mistake?"
        at = None if row == NO_ROW else self._analysis.rows.place(row)
        finding = Finding(self._place(path), "MR608", message, "warning", at, is_of_row=at is not None)
        self._findings.add(finding, ("twice", use.name))

    def _add_shared(self, pairs: list[_Pair], items: Callable[[], Iterable[Item]]) -> None:
        wanted = pairs[:MAX_ALIKE]
        numbers = {each.first for each in wanted} | {each.second for each in wanted}
        known = dict(self._numbered(numbers, items))
        for pair in wanted:
            if pair.first in known and pair.second in known:
                self._add_pair(pair, known[pair.first], known[pair.second], len(pairs))

    def _numbered(self, numbers: set[int], items: Callable[[], Iterable[Item]]) -> Iterator[tuple[int, Item]]:
        number = -1
        for item in items():
            if item.analysis != self._analysis.spec.index:
                continue
            number += 1
            if number in numbers:
                yield number, item
            if number >= max(numbers, default=-1):
                return

    def _add_pair(self, pair: _Pair, first: Item, second: Item, count: int) -> None:
        requests = orjson.loads(first.request), orjson.loads(second.request)
        before, after = (next((use for use in _uses(each) if use.name == pair.name), None) for each in requests)
        shared = [each for each in after.data if each and before and each in before.data] if after else []
        if after is None or not shared:
            return  # two hashes that are equal by chance
        path = written_at(self._analysis.fields, after.path, requests[1])
        more = f" ({count:,} such data in all)" if count > MAX_ALIKE else ""
        message = f'{self._label(shared[0])} is also the input {shown(pair.name)} of "{first.user_reference}"{more}'
        at = self._analysis.rows.place(second.row)
        finding = Finding(self._place(path), "MR609", message, "info", at, is_of_row=True)
        self._findings.add(finding, ("shared", pair.name, second.row))


def _uses(request: dict[str, Any]) -> Iterator[_Use]:
    """The inputs of an item that have data."""
    for (outer, inner), name, data in _LISTS:
        given = request[outer].get(inner) if outer in request else None
        for i, each in enumerate(given or ()):
            if found := _ids(each.get(data) or ()):
                yield _Use(each[name], (outer, inner, i), found)


def _ids(data: Sequence[Any]) -> Sequence[str]:
    """The ids of data, which a form has in objects."""
    return data if not data or isinstance(data[0], str) else [each["dataId"] for each in data if each]


def _pairs(name: str, hashes: _Hashes) -> Iterator[_Pair]:
    """Each use of data that an earlier item used, with that item."""
    first: dict[int, int] = {}
    ends = list(accumulate(hashes.counts))
    number = 0
    for at, value in enumerate(hashes.values):
        while at >= ends[number]:
            number += 1
        if value != _HASH_OF_BLANK and first.setdefault(value, number) != number:
            yield _Pair(name, first[value], number)


def _has_slots(fields: Mapping[str, Any], path: tuple[str, str]) -> bool:
    given = fields.get(path[0])
    return has_slot(given.get(path[1]) if isinstance(given, dict) else given)


def _names_of_rows(fields: Mapping[str, Any]) -> frozenset[str] | None:
    """The inputs whose data a row decides; None if any of them may be."""
    names: set[str] = set()
    for (outer, inner), _, _ in _LISTS:
        given = fields.get(outer)
        entries = given.get(inner) if isinstance(given, dict) else given
        if not isinstance(entries, dict):
            if has_slot(entries):
                return None
            continue
        names |= {name for name, value in entries.items() if has_slot(value)}
    return frozenset(names)
