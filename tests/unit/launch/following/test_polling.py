"""Following launches: what is asked of the server, how rarely, and how odd answers are handled."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from unittest.mock import Mock

import pytest
from msgspec.structs import replace

from manifest_runner.errors import Refused, Unreachable
from manifest_runner.ica.model import Analysis, Batch, BatchItem
from manifest_runner.launch.following.polling import (
    LONGEST_PAUSE,
    MAX_MISSES,
    Poller,
    analysis_done,
    creation_done,
    pauses,
)
from manifest_runner.launch.following.status_search import PAGE
from manifest_runner.launch.record import new_launch
from manifest_runner.lockfile.model import LockedAnalysis, LockedBatch, LockedItem, Lockfile
from manifest_runner.planning.identity import digest_stamp, name_stamp
from manifest_runner.timestamps import timestamp

RUNNING = ("RUNNING", None)
REQUESTED = ("SUCCEEDED", "REQUESTED")
DONE = ("SUCCEEDED", "SUCCEEDED")
FAILED = ("FAILED", None)


@dataclass
class Server:
    """A client that knows the items of batches and remembers what it was asked."""

    items: dict[str, dict[str, tuple[str, str | None]]]
    job: str | None = "RUNNING"
    asked: list[tuple[str, ...]] = field(default_factory=list)
    forgotten: dict[str, int] = field(default_factory=dict)
    found: list[Analysis] = field(default_factory=list)

    def now(self):
        return 1_790_000_000.0

    def _look_for(self, what):
        if what in self.forgotten:
            raise Refused(f"no {what}", status=self.forgotten[what])

    def search_analyses(self, *, technical_tags=(), statuses=()):
        self._look_for("project")
        self.asked.append(("search", *technical_tags))
        return iter(self.found)

    def list_items(self, batch_id, statuses=()):
        self.asked.append(("list", batch_id, *statuses))
        self._look_for(batch_id)
        if statuses:
            self._look_for("status")
        found = [self._item(batch_id, name) for name in reversed(self.items[batch_id])]
        return iter([item for item in found if not statuses or item.status in statuses])

    def get_item(self, batch_id, item_id):
        self.asked.append(("item", item_id))
        return self._item(batch_id, item_id.removeprefix("i-"))

    def get_batch(self, batch_id):
        self.asked.append(("batch", batch_id))
        return Batch(batch_id, self.job)

    def get_analysis(self, analysis_id):
        self.asked.append(("analysis", analysis_id))
        self._look_for(analysis_id)
        return Analysis(analysis_id, "ref", "SUCCEEDED", end_date="2026-11-23T10:00:00Z")

    def _item(self, batch_id, name):
        status, analysis = self.items[batch_id][name]
        return BatchItem(f"i-{name}", name, status, None, analysis and Analysis(f"n-{name}", None, analysis))


def lockfile_of(server: Server) -> Lockfile:
    lockfile = Lockfile("study", "p-1", "s")
    for batch_id, items in server.items.items():
        lockfile.batches[batch_id] = LockedBatch("mr1-x", len(items), "INITIALIZED", "now")
        lockfile.items |= {name: new_launch("0" * 64, "nextflow", "1.1", 0, batch_id) for name in items}
    return lockfile


def make(server: Server, is_done=creation_done) -> Poller:
    return Poller(server, lockfile_of(server), is_done)


def statuses(poller: Poller) -> dict[str, str | None]:
    return {name: item.status for name, item in poller.lockfile.items.items()}


def test_items_are_matched_by_user_reference_in_whatever_order_they_come():
    poller = make(Server({"b-1": {"a": DONE, "b": RUNNING, "c": FAILED}}))
    assert poller.poll() == 1
    assert statuses(poller) == {"a": "SUCCEEDED", "b": "RUNNING", "c": "FAILED"}
    assert [item.item_id for item in poller.lockfile.items.values()] == ["i-a", "i-b", "i-c"]


def test_items_that_took_names_of_other_items_get_their_own_outcome():
    poller = make(Server({"b-1": {"a": DONE, "b": FAILED}}))
    first, second = poller.lockfile.items["a"], poller.lockfile.items["b"]
    renamed = {"c": replace(first, renamed_from="a"), "a": replace(second, renamed_from="b")}
    poller.lockfile.items = renamed
    assert poller.poll() == 0
    assert statuses(poller) == {"c": "SUCCEEDED", "a": "FAILED"}


def test_nothing_is_asked_when_nothing_is_open():
    server = Server({"b-1": {"a": DONE}})
    poller = make(server)
    poller.poll()
    server.asked.clear()
    assert poller.poll() == 0
    assert server.asked == []


def test_after_the_first_pass_only_statuses_that_can_change_are_asked_for():
    server = Server({"b-1": {f"s{n}": RUNNING for n in range(50)}})
    poller = make(server)
    poller.poll()
    server.asked.clear()
    assert poller.poll() == 50
    assert server.asked[0] == ("list", "b-1", "RUNNING", "WAITING_RESOURCES")
    assert ("list", "b-1") not in server.asked


@pytest.mark.parametrize(
    ("size", "still_open", "asked"),
    [(50, 1, "item"), (50, 2, "list"), (2 * PAGE, 2, "item"), (2 * PAGE, 3, "list")],
)
def test_items_are_asked_for_one_by_one_where_that_takes_no_more_requests_than_pages(size, still_open, asked):
    slow = {f"slow{n}": RUNNING for n in range(still_open)}
    server = Server({"b-1": {**{f"s{n}": DONE for n in range(size - still_open)}, **slow}})
    poller = make(server)
    poller.poll()
    server.asked.clear()
    server.items["b-1"]["slow0"] = DONE
    assert poller.poll() == still_open - 1
    assert server.asked[0][0] == asked


def test_a_server_that_does_not_know_a_status_is_asked_for_all_items():
    server = Server({"b-1": {"a": RUNNING, "b": RUNNING, "c": RUNNING}}, forgotten={"status": 400})
    poller = make(server)
    poller.poll()
    server.items["b-1"] |= {"a": DONE, "b": DONE}
    assert (poller.poll(), statuses(poller)) == (1, {"a": "SUCCEEDED", "b": "SUCCEEDED", "c": "RUNNING"})


def test_an_item_that_the_list_does_not_hold_yet_stays_open():
    server = Server({"b-1": {"a": DONE, "b": DONE}})
    poller = make(server)
    hidden = server.items["b-1"].pop("b")
    assert (poller.poll(), statuses(poller)["b"]) == (1, None)
    server.items["b-1"]["b"] = hidden
    assert poller.poll() == 0


def test_an_item_of_another_batch_or_of_nobody_is_left_alone():
    server = Server({"b-1": {"a": DONE}, "b-2": {"b": DONE}})
    poller = make(server)
    server.items["b-1"] = {"a": DONE, "b": FAILED, "stranger": FAILED}
    assert poller.poll() == 0
    assert statuses(poller) == {"a": "SUCCEEDED", "b": "SUCCEEDED"}


def test_created_without_an_analysis_is_not_done():
    server = Server({"b-1": {"a": ("SUCCEEDED", None)}})
    poller = make(server)
    assert poller.poll() == 1
    server.items["b-1"]["a"] = REQUESTED
    assert poller.poll() == 0


@pytest.mark.parametrize("odd", ["QUEUED_SOMEHOW", ""])
def test_a_status_that_is_not_known_is_kept_and_not_final(odd):
    poller = make(Server({"b-1": {"a": (odd, None)}}))
    assert (poller.poll(), statuses(poller)) == (1, {"a": odd})


def test_waiting_for_the_end_continues_until_the_analysis_has_ended():
    server = Server({"b-1": {"a": REQUESTED, "b": FAILED}})
    poller = make(server, analysis_done)
    assert poller.poll() == 1
    server.items["b-1"]["a"] = DONE
    assert poller.poll() == 0
    assert poller.lockfile.items["a"].analysis.status == "SUCCEEDED"


def test_a_job_is_asked_for_until_it_is_final():
    server = Server({"b-1": {"a": RUNNING}}, job="SUCCEEDED")
    poller = make(server)
    poller.poll()
    poller.poll()
    assert server.asked.count(("batch", "b-1")) == 1
    assert poller.lockfile.batches["b-1"].status == "SUCCEEDED"


def test_a_job_is_asked_for_when_its_last_item_has_ended_although_a_search_shows_the_items():
    server = Server({"b-1": {"a": DONE, "b": DONE}}, job="PARTIALLY_SUCCEEDED")
    lockfile, tag = lockfile_of(server), name_stamp("study")
    for name in ("a", "b"):
        found = LockedAnalysis(f"n-{name}", None, "IN_PROGRESS")
        lockfile.items[name] = replace(lockfile.items[name], status="SUCCEEDED", analysis=found)
    poller = Poller(server, lockfile, analysis_done, names=("study",))
    for status, left in (("IN_PROGRESS", 1), ("SUCCEEDED", 0)):
        server.asked.clear()
        server.found = [
            Analysis(f"n-{name}", None, each, technical_tags=(tag,))
            for name, each in (("a", "SUCCEEDED"), ("b", status))
        ]
        assert poller.poll() == left
        assert server.asked == [("search", tag), *([] if left else [("batch", "b-1")])]
    assert lockfile.batches["b-1"].status == "PARTIALLY_SUCCEEDED"


@pytest.mark.parametrize("error", [Refused("no", status=400), Unreachable("no answer")])
def test_a_run_whose_items_have_ended_does_not_fail_for_a_job(error, monkeypatch):
    server = Server({"b-1": {"a": DONE}})
    lockfile, tag = lockfile_of(server), name_stamp("study")
    found = LockedAnalysis("n-a", None, "IN_PROGRESS")
    lockfile.items["a"] = replace(lockfile.items["a"], status="SUCCEEDED", analysis=found)
    server.found = [Analysis("n-a", None, "SUCCEEDED", technical_tags=(tag,))]
    monkeypatch.setattr(server, "get_batch", Mock(side_effect=error))
    assert Poller(server, lockfile, analysis_done, names=("study",)).poll() == 0
    assert (lockfile.items["a"].analysis.status, lockfile.batches["b-1"].status) == ("SUCCEEDED", "INITIALIZED")


def test_an_adopted_launch_is_followed_by_its_analysis():
    server = Server({})
    found = LockedAnalysis("n-9", None, "IN_PROGRESS")
    item = LockedItem("0" * 64, "nextflow", "1.1", 0, None, None, "SUCCEEDED", None, found, adopted=True)
    poller = Poller(server, Lockfile("study", "p-1", "s", items={"a": item}), analysis_done)
    assert poller.poll() == 0
    assert server.asked == [("analysis", "n-9")]
    assert poller.lockfile.items["a"].analysis.end_date == "2026-11-23T10:00:00Z"


def launched(server: Server, **by_name: str | None) -> Poller:
    """A poller of launches that were created, with the status of their analyses, None as long as there is none."""
    poller = make(server, analysis_done)
    for name, status in by_name.items():
        found = status and LockedAnalysis(f"n-{name}", None, status)
        poller.lockfile.items[name] = replace(poller.lockfile.items[name], status="SUCCEEDED", analysis=found)
    return poller


@pytest.mark.parametrize("status", [403, 404, 410])
def test_the_analyses_of_a_batch_that_is_hidden_are_asked_for_themselves(status):
    poller = launched(Server({"b-1": {"a": DONE}}, forgotten={"b-1": status}), a="IN_PROGRESS")
    assert poller.poll() == 0
    assert poller.lockfile.items["a"].succeeded


@pytest.mark.parametrize("status", [403, 404, 410])
def test_an_analysis_that_was_deleted_is_not_waited_for(status):
    server = Server({"b-1": {"a": DONE, "b": DONE}}, forgotten={"b-1": 404, "n-b": status})
    poller = launched(server, a="IN_PROGRESS", b="IN_PROGRESS")
    assert (poller.poll(), poller.lost_items()) == (0, ["b"])
    assert poller.lockfile.items["b"].analysis.status == "IN_PROGRESS"


def test_a_batch_that_is_not_there_yet_is_waited_for_and_given_up_in_the_end():
    server = Server({"b-1": {"a": DONE}}, forgotten={"b-1": 404})
    poller = make(server)
    assert [poller.poll() for _ in range(MAX_MISSES)] == [1] * (MAX_MISSES - 1) + [0]
    assert poller.lost_items() == ["a"]
    early = make(server)
    assert (early.poll(), early.lost_items()) == (1, ["a"])
    server.forgotten.clear()
    assert (early.poll(), early.lost_items()) == (0, [])


def test_a_batch_that_was_just_sent_may_stay_hidden_for_minutes():
    server = Server({"b-1": {"a": DONE}}, forgotten={"b-1": 404})
    poller = make(server)
    poller.lockfile.batches["b-1"] = replace(poller.lockfile.batches["b-1"], submitted_at=timestamp(server.now() - 60))
    assert [poller.poll() for _ in range(MAX_MISSES + 1)] == [1] * (MAX_MISSES + 1)
    assert poller.lost_items() == []
    server.forgotten.clear()
    assert (poller.poll(), statuses(poller)) == (0, {"a": "SUCCEEDED"})


def test_a_project_that_is_not_visible_is_not_a_deleted_analysis():
    server = Server({"b-1": {"a": DONE}}, forgotten={"b-1": 404, "n-a": 404, "project": 404})
    with pytest.raises(Refused, match="no project"):
        launched(server, a="IN_PROGRESS").poll()
    with pytest.raises(Refused, match="no project"):
        make(server).poll()


def test_an_analysis_that_its_batch_does_not_show_any_more_is_asked_for_itself():
    poller = launched(Server({"b-1": {"a": ("SUCCEEDED", None)}}), a="IN_PROGRESS")
    assert poller.poll() == 0
    assert poller.lockfile.items["a"].succeeded


def test_an_analysis_that_its_batch_never_shows_is_found_by_its_stamp():
    server = Server({"b-1": {"a": ("SUCCEEDED", None)}})
    lockfile = lockfile_of(server)
    tags = (digest_stamp(lockfile.items["a"].digest), name_stamp("study"))
    server.found = [Analysis("n-a", None, "SUCCEEDED", "a", technical_tags=tags)]
    poller = Poller(server, lockfile, creation_done, names=("study",))
    assert [poller.poll(), poller.poll()] == [1, 0], "a moment after its creation nothing is odd yet"
    assert lockfile.items["a"].analysis.id == "n-a"


def test_pauses_grow_to_half_a_minute_or_are_as_asked_for():
    growing = list(islice(pauses(None), 30))
    assert growing[0] == 0.5
    assert growing == sorted(growing)
    assert growing[-1] == LONGEST_PAUSE == 30
    assert list(islice(pauses(7.0), 3)) == [7.0] * 3
