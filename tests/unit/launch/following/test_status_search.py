"""Asking for launches takes few requests: at most one for each thousand that are open, and none if none is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from manifest_runner.errors import Refused
from manifest_runner.ica.model import Analysis, Batch, BatchItem, LatestEnded
from manifest_runner.launch.following.polling import Poller, analysis_done
from manifest_runner.launch.following.replaced import look_at_replaced
from manifest_runner.launch.following.status_search import ENDED_FILTER, PAGE
from manifest_runner.lockfile.model import LockedAnalysis, LockedBatch, LockedItem, Lockfile
from manifest_runner.planning.identity import digest_stamp, name_stamp

NAME = "study"


def pages(count: int) -> int:
    return max(1, -(-count // PAGE))


@dataclass
class Server:
    """Knows analyses by their ids, and counts the requests that answers take."""

    batches: dict[str, list[str]]
    ended: dict[str, str]
    strangers: int = 0
    counts: bool = True
    filters: bool = True
    refuses: int | None = None
    requests: int = 0
    kinds: list[str] = field(default_factory=list)

    def _took(self, kind: str, requests: int = 1) -> None:
        self.requests += requests
        self.kinds.append(kind)

    def analysis(self, name: str) -> Analysis:
        end = self.ended.get(name)
        tags = (digest_stamp(digest_of(name)), name_stamp(NAME))
        return Analysis(f"n-{name}", None, "FAILED" if end else "IN_PROGRESS", name, None, end, "t", tags)

    @property
    def _all(self) -> list[Analysis]:
        names = [name for items in self.batches.values() for name in items]
        others = [
            Analysis(f"x-{number}", None, "SUCCEEDED", f"x-{number}", None, "9", "t", (name_stamp(NAME),))
            for number in range(self.strangers)
        ]
        return [*map(self.analysis, names), *others]

    def search_analyses(self, *, technical_tags=(), statuses=()):
        found = [each for each in self._all if not (statuses and self.filters) or each.status in statuses]
        self._took("search", pages(len(found)))
        return iter(found)

    def latest_ended(self, tag, statuses, most):
        found = [each for each in self._all if not self.filters or each.status in ENDED_FILTER]
        found.sort(key=lambda each: each.end_date or "", reverse=self.filters)
        shown = found[: pages(most) * PAGE]
        self._took("ended", pages(len(shown)))
        if self.refuses:
            raise Refused("what is endDate?", status=self.refuses)
        return LatestEnded(shown, len(found) if self.counts else None)

    def list_items(self, batch_id, statuses=()):
        self._took("items", pages(len(self.batches[batch_id])))
        return iter([self._item(name) for name in self.batches[batch_id]])

    def get_item(self, batch_id, item_id):
        self._took("item")
        return self._item(item_id.removeprefix("i-"))

    def get_analysis(self, analysis_id):
        self._took("analysis")
        return self.analysis(analysis_id.removeprefix("n-"))

    def get_batch(self, batch_id):
        self._took("batch")
        return Batch(batch_id, "SUCCEEDED")

    def _item(self, name: str) -> BatchItem:
        return BatchItem(f"i-{name}", name, "SUCCEEDED", None, self.analysis(name))


def digest_of(name: str) -> str:
    return f"{int(name.removeprefix('s')):064x}"


def launched(total: int, size: int, is_open: Callable[[int], bool]) -> Lockfile:
    """A lockfile of so many launches in batches of a size, of which those with an open number have not ended."""
    lockfile = Lockfile(NAME, "p-1", "s")
    for number in range(total):
        name, batch = f"s{number}", f"b-{number // size}"
        analysis = LockedAnalysis(f"n-{name}", None, "IN_PROGRESS" if is_open(number) else "SUCCEEDED", None, "1")
        lockfile.batches.setdefault(batch, LockedBatch("mr1-x", min(size, total), "SUCCEEDED", "now"))
        item = LockedItem(digest_of(name), "nextflow", "1.1", 0, batch, f"i-{name}", "SUCCEEDED", None, analysis)
        lockfile.items[name] = item
    return lockfile


def look(lockfile: Lockfile, ended: dict[str, str], **odd: object) -> Server:
    batches: dict[str, list[str]] = {}
    for name, item in lockfile.items.items():
        batches.setdefault(item.batch_id or "", []).append(name)
    known = {name: "1" for name, item in lockfile.items.items() if item.analysis_is_final}
    server = Server(batches, {**known, **ended}, **odd)
    Poller(server, lockfile, analysis_done, names=(NAME,), in_detail=False).poll()
    for name, item in lockfile.items.items():
        assert item.analysis_is_final == (name in server.ended), name
    return server


@settings(max_examples=25, deadline=None)
@given(
    total=st.integers(1, 5000),
    size=st.sampled_from([1, 500, 2500]),
    every=st.integers(1, 400),
    ends=st.integers(1, 5),
)
def test_a_look_takes_at_most_one_request_for_each_thousand_that_are_open(total, size, every, ends):
    lockfile = launched(total, size, lambda number: number % every == 0)
    is_open = [name for name, item in lockfile.items.items() if not item.analysis_is_final]
    server = look(lockfile, dict.fromkeys(is_open[::ends], "2"))
    assert server.requests <= pages(len(is_open)), server.kinds


def test_where_all_has_ended_nothing_is_asked():
    assert look(launched(3000, 500, lambda _number: False), {}).kinds == []


@pytest.mark.parametrize("spelling", ["FAILED_FINAL", "FAILEDFINAL"])
def test_an_analysis_that_ended_in_either_spelling_counts_as_ended(spelling):
    lockfile = launched(3000, 500, lambda number: number % 100 == 0)
    analysis = LockedAnalysis("n-s1", None, spelling, None, "1")
    lockfile.items["s1"] = structs.replace(lockfile.items["s1"], analysis=analysis)
    assert look(lockfile, {"s0": "2"}).kinds == ["ended"]


@pytest.mark.parametrize(
    "odd", [{"strangers": 3}, {"counts": False}, {"filters": False}, {"refuses": 400}, {"refuses": 405}]
)
def test_a_server_whose_numbers_say_nothing_is_asked_for_each(odd):
    lockfile = launched(3000, 500, lambda number: number % 100 == 0)
    server = look(lockfile, {"s0": "2", "s100": "3"}, **odd)
    assert server.kinds[0] == "ended"
    assert len(server.kinds) > 1


def test_who_wants_details_gets_them_for_one_request_more():
    lockfile = launched(3000, 500, lambda number: number % 100 == 0)
    for item in lockfile.items.values():
        assert item.analysis is not None
    server = Server({f"b-{each}": [f"s{each * 500 + n}" for n in range(500)] for each in range(6)}, {})
    server.ended = {name: "1" for name, item in lockfile.items.items() if item.analysis_is_final}
    Poller(server, lockfile, analysis_done, names=(NAME,)).poll()
    assert server.kinds == ["ended", "search"]


@pytest.mark.parametrize(("replaced", "kinds"), [(1, ["analysis"]), (3, ["search"]), (0, [])])
def test_launches_that_were_replaced_are_looked_at_until_they_have_ended(replaced, kinds):
    lockfile = launched(3, 500, lambda _number: False)
    server = Server({"b-0": [f"s{number}" for number in range(6)]}, {f"s{number}": "2" for number in range(5)})
    for number in range(replaced):
        old = LockedAnalysis(f"n-s{3 + number}", None, "IN_PROGRESS")
        item = lockfile.items[f"s{number}"]
        before = LockedItem("e" * 64, "nextflow", "1.1", 0, "b-0", "i", "SUCCEEDED", None, old)
        lockfile.items[f"s{number}"] = structs.replace(item, previous=(before,))
    look_at_replaced(server, lockfile, (NAME,))
    assert server.kinds == kinds
    ended = [each.analysis.status for item in lockfile.items.values() for each in item.previous if each.analysis]
    assert ended == ["FAILED", "FAILED", "IN_PROGRESS"][:replaced]


def test_a_launch_that_was_replaced_before_its_analysis_showed_is_read_from_its_batch():
    lockfile = launched(1, 500, lambda _number: False)
    server = Server({"b-0": ["s0"], "b-1": ["s0", "s1"]}, {"s0": "2"})
    before = LockedItem(digest_of("s0"), "nextflow", "1.1", 0, "b-1", None, "RUNNING", None, None)
    lockfile.items["s0"] = structs.replace(lockfile.items["s0"], previous=(before,))
    for kinds in (["items"], ["items"]):  # the second time it has ended, and is not asked for again
        look_at_replaced(server, lockfile, (NAME,))
        assert server.kinds == kinds
    (seen,) = lockfile.items["s0"].previous
    assert (seen.status, seen.item_id, seen.analysis and seen.analysis.status) == ("SUCCEEDED", "i-s0", "FAILED")
