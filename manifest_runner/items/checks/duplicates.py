"""Find userReferences that two items share, and places to which two items write their results.

Only a hash of each is kept, eight bytes an item. Two values can have the same hash by chance, so where a hash occurs
twice, all items are read again and compared.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Iterable
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
import orjson

from manifest_runner.diagnostics.collector import Findings
from manifest_runner.diagnostics.finding import Finding
from manifest_runner.items.provenance import Provenance
from manifest_runner.model import Item

MAX_SHOWN = 20


class ResultPlace(NamedTuple):
    """A place to which results are copied; two items may use the same one."""

    project: str
    path: str


class Repeats:
    """Remembers the hashes of values, to find repeated ones."""

    def __init__(self) -> None:
        self._hashes = array("q")

    def add(self, value: Hashable) -> None:
        self._hashes.append(hash(value))

    def repeated(self) -> frozenset[int]:
        """The hashes that occur more than once."""
        return frozenset(one for one, next_ in pairwise(sorted(self._hashes)) if one == next_)


class Claims:
    """The userReferences and targets that the items of all analyses claim."""

    def __init__(self) -> None:
        self.references = Repeats()
        self.targets = Repeats()

    def add(self, request: dict[str, Any]) -> None:
        """The claims of an item that meets the API's rules."""
        self.references.add(request["userReference"])
        for place in _places(request):
            self.targets.add(place)


def _places(request: dict[str, Any]) -> list[tuple[str, str]]:
    """The projects and paths where an item's results would overwrite existing ones.

    They are hashed as a ResultPlace would be, but making one would take longer than all the rest of a claim.
    """
    return [
        (each["targetProjectId"].lower(), each["targetPath"].rstrip("/"))
        for each in request.get("analysisOutput") or ()
        if each is not None and each.get("actionOnExist") != "RENAME"
    ]


class DuplicateCheck:
    """Reports what several items claim, with the provenance of both."""

    def __init__(self, provenance: Provenance, findings: Findings) -> None:
        self._provenance = provenance
        self._findings = findings
        self._first: dict[str, Item] = {}
        self._writer: dict[ResultPlace, Item] = {}
        self._twice: set[str] = set()
        self._warned: set[int] = set()

    def report(self, claims: Claims, items: Callable[[], Iterable[Item]]) -> None:
        """If a hash occurs twice, compare the items themselves, which ``items`` reads again."""
        references, targets = claims.references.repeated(), claims.targets.repeated()
        for item in items() if references or targets else ():
            claimant = msgspec.structs.replace(item, request=b"")  # to keep as little as possible of each
            if hash(item.user_reference) in references:
                self._check_reference(claimant, len(references))
            if targets:
                for target in map(ResultPlace._make, _places(orjson.loads(item.request))):
                    if hash(target) in targets:
                        self._check_target(claimant, target)

    def _check_reference(self, item: Item, count: int) -> None:
        first = self._first.setdefault(item.user_reference, item)
        if first is item:
            return
        if item.user_reference not in self._twice and len(self._twice) >= MAX_SHOWN:
            return
        self._twice.add(item.user_reference)
        provenance = self._provenance
        before = provenance.row(first) or provenance.place(first, "userReference")._replace(column=1)
        message = f'duplicate userReference "{item.user_reference}"; first used at {before.brief()}'
        message += f" ({count:,} userReferences are used more than once)" if count > MAX_SHOWN else ""
        message += self._cure(item) if first.analysis == item.analysis else ""
        place, is_of_row = provenance.place(item, "userReference"), provenance.is_named_by_row(item)
        finding = Finding(place, "MR502", message, row=provenance.row(item), is_of_row=is_of_row)
        self._findings.add(finding, item.user_reference, everywhere=True)

    def _cure(self, item: Item) -> str:
        """How the rows of one analysis get userReferences of their own."""
        if not self._provenance.is_named_by_row(item):
            return "; it is the same for every row, so put a column into it"
        if self._provenance.is_grouped(item):
            return "; put all columns of `groupBy` into it, or group by fewer"
        return "; to make one item of several rows, add `groupBy` to forEach"

    def _check_target(self, item: Item, target: ResultPlace) -> None:
        first = self._writer.setdefault(target, item)
        if first.user_reference == item.user_reference:
            return
        self._warned.add(item.analysis)
        if len(self._warned) > MAX_SHOWN:  # those of one analysis are reported together
            return
        message = (
            f'"{item.user_reference}" writes its results to the same place as "{first.user_reference}", {target.path} '
            f"in project {target.project}, and would overwrite them; give each its own targetPath, or set "
            "actionOnExist to RENAME"
        )
        place, row = self._provenance.place(item, "analysisOutput"), self._provenance.row(item)
        finding = Finding(place, "MR601", message, "warning", row)
        self._findings.add(finding, group="overwriting")
