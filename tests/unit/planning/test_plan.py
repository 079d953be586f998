"""Items × lockfile → what a run would do: each item in one list, and no digest launched that was launched before."""

from __future__ import annotations

import orjson
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from manifest_runner.launch.record import launched
from manifest_runner.lockfile.model import LockedAnalysis, LockedBatch, LockedItem, Lockfile
from manifest_runner.lockfile.requests import keep_requests
from manifest_runner.manifest.document import Move
from manifest_runner.model import Item
from manifest_runner.planning.choices import Choices
from manifest_runner.planning.identity import item_digester
from manifest_runner.planning.known_digests import Naming
from manifest_runner.planning.launched_requests import request_hash
from manifest_runner.planning.planner import make_plan

STATES = ("new", "changed", "unchanged", "failed", "pending")
digest_of = item_digester("study", "p-1")
DONE = LockedAnalysis("n", None, "SUCCEEDED")
BROKEN = LockedAnalysis("n", None, "FAILED")


def make_item(reference: str = "a", content: str = "x", revision: str = "1.1", kind: str = "nextflow") -> Item:
    request = rfc8785.dumps({"userReference": reference, "content": content})
    return Item(reference, kind, revision, request, 0, 0)


def lock(item: Item, attempt: int = 0, status: str | None = "SUCCEEDED", analysis: LockedAnalysis = DONE) -> LockedItem:
    digest = digest_of(item.request, item.kind, item.revision, attempt)
    found = analysis if status == "SUCCEEDED" else None
    return LockedItem(digest, item.kind, item.revision, attempt, f"b-{digest[:8]}", None, status, None, found)


def planned(items: list[Item], locked: dict[str, LockedItem], pending: tuple[str, ...] = (), **choices: object):
    lockfile = Lockfile("study", "p-1", "s", items=locked)
    return make_plan(items, lockfile, Choices(**choices), pending=pending, keep=lambda request: request)


def launches(plan) -> list[tuple[str, str, int]]:
    return [(launch.user_reference, launch.revision, launch.attempt) for launch in plan.launches]


names = st.sampled_from("abcdefg")
contents = st.sampled_from("xyz")
revisions = st.sampled_from(["1.1", "1.2", "2.1", "10.1"])
statuses = st.sampled_from([None, "RUNNING", "SUCCEEDED", "FAILED"])
histories = st.lists(
    st.tuples(contents, revisions, st.integers(0, 2), statuses, st.sampled_from([DONE, BROKEN])), min_size=1, max_size=4
)
choices_ = st.builds(
    dict,
    retry_failed=st.booleans(),
    relaunch_changed=st.booleans(),
    targets=st.sampled_from([(), ("a", "[bc]"), ("*",), ("none",)]),
    limit=st.none() | st.integers(0, 3),
)


def locked_history(name: str, launches_: list[tuple[str, str, int, str | None, object]]) -> LockedItem:
    first, *later = [lock(make_item(name, c, r), a, s, d) for c, r, a, s, d in launches_]
    for each in later:
        first = launched(first, each)
    return first


@given(
    st.dictionaries(names, st.tuples(contents, revisions)),
    st.dictionaries(names, histories),
    st.sets(names),
    choices_,
)
def test_every_item_is_in_one_list_and_launches_keep_the_manifests_order(manifest, history, pending, choices):
    items = [make_item(name, *rest) for name, rest in manifest.items()]
    locked = {name: locked_history(name, each) for name, each in history.items()}
    plan = planned(items, locked, tuple(pending), **choices)
    listed = [name for state in STATES for name in getattr(plan, state)]
    wanted = [name for name in manifest if Choices(**choices).wants(name)]
    assert len(set(listed)) == len(listed)
    assert set(listed) <= set(wanted)
    assert choices["limit"] is not None or choices["retry_failed"] or set(listed) == set(wanted)
    assert all(getattr(plan, state) == [name for name in wanted if name in getattr(plan, state)] for state in STATES)
    assert plan.removed == ([] if choices["retry_failed"] else sorted(locked.keys() - manifest.keys()))
    due = [launch.user_reference for launch in plan.launches]
    assert due == [name for name in manifest if name in due]
    assert choices["limit"] is None or len(due) <= choices["limit"]
    assert not set(due) & (pending | set(plan.unchanged) | set(plan.unapproved))


@given(st.dictionaries(names, st.tuples(contents, revisions)), st.dictionaries(names, histories), choices_)
def test_no_digest_is_launched_that_was_launched_before(manifest, history, choices):
    locked = {name: locked_history(name, each) for name, each in history.items()}
    plan = planned([make_item(name, *rest) for name, rest in manifest.items()], locked, **choices)
    spent = {digest for item in locked.values() for digest in (each.digest for each in item.launches)}
    for launch in plan.launches:
        assert launch.digest == digest_of(launch.request, launch.kind, launch.revision, launch.attempt)
        assert launch.digest not in spent


def test_a_new_item_is_launched_at_attempt_0():
    plan = planned([make_item("a"), make_item("b")], {"a": lock(make_item("a"))})
    assert (plan.unchanged, plan.new, launches(plan)) == (["a"], ["b"], [("b", "1.1", 0)])
    assert not plan.is_covered


def test_an_item_that_moved_in_the_file_is_unchanged():
    items = [make_item("a"), make_item("b")]
    locked = {each.user_reference: lock(each) for each in items}
    plan = planned(items[::-1], locked)
    assert (plan.unchanged, plan.launches, plan.is_covered) == (["b", "a"], [], True)


def test_a_changed_item_needs_a_persons_word_and_raises_its_attempt():
    locked = {"a": lock(make_item("a", "old"))}
    plan = planned([make_item("a", "new")], locked)
    assert (plan.changed, plan.unapproved, plan.launches, plan.is_covered) == (["a"], ["a"], [], False)
    plan = planned([make_item("a", "new")], locked, relaunch_changed=True)
    assert (plan.changed, plan.unapproved, launches(plan)) == (["a"], [], [("a", "1.1", 1)])


@pytest.mark.parametrize(("old", "new"), [("1.1", "2.1"), ("1.1", "1.2"), ("9.1", "10.1"), ("1.9", "1.10")])
def test_a_raised_revision_is_the_approval(old, new):
    plan = planned([make_item("a", revision=new)], {"a": lock(make_item("a", revision=old))})
    assert (plan.new, plan.unapproved, launches(plan)) == (["a"], [], [("a", new, 0)])


@pytest.mark.parametrize(("old", "new"), [("2.1", "1.1"), ("10.1", "9.1"), ("1.10", "1.9")])
def test_a_lowered_revision_is_a_change(old, new):
    plan = planned([make_item("a", revision=new)], {"a": lock(make_item("a", revision=old))})
    assert (plan.changed, plan.unapproved, plan.launches) == (["a"], ["a"], [])


def test_a_plan_shows_that_a_revision_was_lowered_or_a_kind_changed():
    before, now = make_item("a", "x", "2.1"), make_item("a", "y", "1.1", kind="cwl")
    launch = lock(before)
    sent = keep_requests(b'{"nextflowItems":[%b]}' % before.request)
    batches = {str(launch.batch_id): LockedBatch("k", 1, None, "2026-11-23T10:00:00Z", sent)}
    plan = make_plan([now], Lockfile("study", "p-1", "s", batches, {"a": launch}), Choices())
    assert plan.changes == {"a": [("kind", "nextflow", "cwl"), ("revision", "2.1", "1.1"), ("content", "x", "y")]}


@pytest.mark.parametrize("body", [
    b"{}", b'{"nextflowItems": 1}', b'{"nextflowItems": [{"userReference": "a", "tags": []}]}',
    b'{"nextflowItems": [{"userReference": "a", "text": "\\ud800"}]}',
    b'{"nextflowItems": [{"userReference": "a"}, 1]}',
])  # fmt: skip
def test_a_changed_item_is_planned_without_its_changes_where_the_sent_request_was_edited(body):
    launch = lock(make_item("a", "x"))
    batches = {str(launch.batch_id): LockedBatch("k", 1, None, "2026-11-23T10:00:00Z", keep_requests(body))}
    plan = make_plan([make_item("a", "y")], Lockfile("study", "p-1", "s", batches, {"a": launch}), Choices())
    assert (plan.changed, plan.changes) == (["a"], {"a": None})


@pytest.mark.parametrize(
    "locked", [lock(make_item(), status="FAILED"), lock(make_item(), analysis=BROKEN)], ids=["creation", "analysis"]
)
def test_what_failed_is_launched_again_only_when_asked_and_with_a_new_attempt(locked):
    plan = planned([make_item()], {"a": locked})
    assert (plan.failed, plan.launches, plan.is_covered) == (["a"], [], True)
    assert launches(planned([make_item()], {"a": locked}, retry_failed=True)) == [("a", "1.1", 1)]


def test_a_retry_launches_nothing_that_is_new_or_runs():
    locked = {"a": lock(make_item("a"), status="FAILED"), "b": lock(make_item("b"), status=None)}
    items = [make_item(name) for name in "abc"]
    plan = planned(items, locked, retry_failed=True)
    assert launches(plan) == [("a", "1.1", 1)]
    assert launches(planned(items, locked, ("a",), retry_failed=True)) == []


def test_what_changed_after_its_creation_failed_is_new_since_nothing_was_paid():
    plan = planned([make_item("a", "new")], {"a": lock(make_item("a", "old"), status="FAILED")})
    assert (plan.new, launches(plan)) == (["a"], [("a", "1.1", 0)])


def test_an_edit_that_is_taken_back_after_failures_is_launched_under_a_new_attempt():
    first = lock(make_item("a", "old"), status="FAILED")
    second = launched(first, lock(make_item("a", "new"), status="FAILED"))
    plan = planned([make_item("a", "old")], {"a": second})
    assert (plan.new, launches(plan)) == (["a"], [("a", "1.1", 1)])


def test_a_raised_revision_that_is_taken_back_does_not_launch_again_what_was_launched():
    first = lock(make_item("a", revision="1.1"))
    second = launched(first, lock(make_item("a", revision="2.1"), status="FAILED"))
    plan = planned([make_item("a", revision="1.1")], {"a": second})
    assert (plan.unapproved, plan.launches) == (["a"], [])
    plan = planned([make_item("a", revision="1.1")], {"a": second}, relaunch_changed=True)
    assert launches(plan) == [("a", "1.1", 1)]


def test_a_pending_item_waits_whatever_the_manifest_says_now():
    plan = planned([make_item("a", "new"), make_item("b")], {"a": lock(make_item("a", "old"))}, ("a", "b"))
    assert (plan.pending, plan.changed, plan.new, plan.launches, plan.is_covered) == (["a", "b"], [], [], [], False)


def test_a_limit_takes_the_first_that_are_due_and_passes_over_the_rest():
    items = [make_item(name) for name in "abcd"]
    plan = planned(items, {"b": lock(make_item("b"))}, limit=2)
    assert (launches(plan), plan.new, plan.unchanged) == (
        [("a", "1.1", 0), ("c", "1.1", 0)],
        ["a", "c"],
        ["b"],
    )
    assert planned(items, {}, limit=0).launches == []


def test_targets_are_globs_and_the_rest_is_not_even_removed():
    items = [make_item(name) for name in ("s1", "s2", "t1")]
    plan = planned(items, {"t1": lock(make_item("t1", "old"))}, targets=("s*",))
    assert (plan.new, plan.changed, plan.removed) == (["s1", "s2"], [], [])
    assert plan.references == {"s1", "s2", "t1"}


def test_what_left_the_manifest_is_removed_and_what_comes_back_is_known():
    locked = {"b": lock(make_item("b")), "a": lock(make_item("a"))}
    assert planned([], locked).removed == ["a", "b"]
    assert planned([make_item("a"), make_item("b")], locked).unchanged == ["a", "b"]


def test_a_launch_moves_to_a_name_that_an_item_had_which_left_the_manifest():
    gone = structs.replace(lock(make_item("b", "old")), removed=True)
    lockfile = Lockfile("study", "p-1", "s", items={"a": lock(make_item("a")), "b": gone})
    naming = Naming("study", moves=(Move("a", "b", 0),))
    plan = make_plan([make_item("b")], lockfile, Choices(), naming=naming)
    assert (plan.unchanged, plan.renamed, plan.removed) == (["b"], {"b": "a"}, [])
    assert plan.moved["b"].digest == lockfile.items["a"].digest
    assert [each.digest for each in plan.moved["b"].previous] == [gone.digest]


def test_only_requests_that_are_due_are_kept():
    kept = []
    lockfile = Lockfile("study", "p-1", "s", items={"a": lock(make_item("a"))})
    make_plan([make_item("a"), make_item("b")], lockfile, Choices(), keep=kept.append)
    assert kept == [make_item("b").request]


def test_a_plan_that_leaves_items_beyond_its_limit_does_not_cover_the_manifest():
    made = planned([make_item("a"), make_item("b")], {}, limit=0)
    assert (made.new, made.beyond_limit, made.is_covered) == ([], 2, False)


def test_a_renamed_item_is_noticed_although_an_early_lockfile_has_no_requests():
    locked = {"a": lock(make_item("a", "x")), "b": structs.replace(lock(make_item("older", "y")), renamed_from="older")}
    plan = planned([make_item("c", "x"), make_item("d", "y"), make_item("e", "z"), make_item("f", "x")], locked)
    assert (plan.guarded, plan.removed) == ({"c": "a", "d": "b"}, ["a", "b"])


def test_renamed_items_with_one_request_are_matched_in_their_order():
    sent = request_hash("nextflow", orjson.loads(make_item().request))
    old = {name: structs.replace(lock(make_item(name)), adopted=True, request_hash=sent) for name in "abc"}
    assert planned([make_item(name) for name in "xyz"], old).guarded == dict(zip("xyz", "abc", strict=True))
