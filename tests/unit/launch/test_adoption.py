"""Launches that already exist are adopted, not sent again."""

from __future__ import annotations

import pytest
from launch.launch_lab import NOW, A, B, C, analysis, launch

from manifest_runner.errors import ApprovalNeeded, Unreachable
from manifest_runner.ica.model import Analysis
from manifest_runner.launch.adoption import SETTLING_SECONDS
from manifest_runner.launch.lease.in_flight import START, Coming
from manifest_runner.lockfile.model import LockedItem
from manifest_runner.planning.identity import digest_stamp, name_stamp


def test_nothing_is_searched_when_nothing_is_due_or_nobody_wants_it(lab):
    assert lab.adopt([], "wait") == []
    assert lab.adopt([A], "never") == [A]
    assert lab.api.searches == 0


def test_other_peoples_launches_are_adopted_and_saved_before_anything_is_sent(lab):
    lab.api.analyses = [analysis(A, age=7200)]
    assert lab.adopt([A, B], "wait") == [B]
    assert lab.saves[-1].items["a"].analysis.id == "n-a"
    assert (lab.api.searches, lab.lockfile.items["a"].adopted) == (1, True)


@pytest.mark.parametrize(
    "found",
    [
        analysis(A, technical_tags=(digest_stamp(A.digest),)),
        analysis(A, name="Study"),
        analysis(A, technical_tags=(digest_stamp(A.digest).upper(), name_stamp("study"))),
        analysis(A, technical_tags=(digest_stamp(A.digest) + "0", name_stamp("study"))),
        analysis(A, technical_tags=(name_stamp("study"),)),
        analysis(launch("a", 7), technical_tags=(name_stamp("study"), name_stamp("study"))),
    ],
)
def test_what_a_lax_search_finds_besides_is_not_adopted(lab, found):
    lab.api.analyses = [found]
    assert lab.adopt([A], "wait") == [A]
    assert lab.lockfile.items == {}


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("2027-01-15T07:59:00Z", "2027-01-15T07:59:59Z"),
        ("2027-01-15T07:59:00Z", "2027-01-15T07:59:00.500Z"),
        ("2027-01-15T09:59:00+02:00", "2027-01-15T07:59:30.1Z"),
        ("2027-01-15t07:58:00z", "2027-01-15T07:59:00Z"),
    ],
)
def test_the_oldest_of_two_is_adopted_however_a_server_writes_times(lab, older, newer):
    new = analysis(A, time_created=newer)
    lab.api.analyses = [
        new,
        Analysis("n-old", None, "SUCCEEDED", "a", technical_tags=new.technical_tags, time_created=older),
    ]
    lab.adopt([A], "wait")
    assert lab.lockfile.items["a"].analysis.id == "n-old"


def test_a_partly_visible_launch_is_waited_for(lab):
    lab.api.analyses = [analysis(A)]
    lab.api.on_search = lambda: lab.api.analyses.append(analysis(B)) if lab.api.searches == 4 else None
    assert lab.adopt([A, B], "wait") == []
    assert (lab.api.searches, len(lab.lines)) == (4, 2)


def test_of_what_another_run_was_sending_only_that_is_waited_for(lab):
    lab.more = {"coming": (Coming(NOW + 3600, frozenset({A.digest[:START]})),), "is_complete": True}
    lab.api.on_search = lambda: lab.api.analyses.append(analysis(A)) if lab.api.searches == 4 else None
    assert lab.adopt([A, B], "wait") == [B]
    assert lab.api.searches == 4
    lab.api.analyses.clear()
    lab.api.searches = 9
    assert lab.adopt([B], "wait") == [B]
    assert lab.api.searches == 10


def test_what_another_run_was_sending_is_waited_for_while_it_is_partly_visible(lab):
    """ICA was slow: the visible analyses were created an hour after they were sent."""
    lab.more = {"coming": (Coming(NOW, frozenset({A.digest[:START], B.digest[:START]})),), "is_complete": True}
    lab.api.analyses = [analysis(A)]
    lab.api.on_search = lambda: lab.api.analyses.append(analysis(B)) if lab.api.searches == 4 else None
    assert lab.adopt([A, B, C], "wait") == [C]
    assert lab.api.searches == 4


def test_what_another_run_was_sending_is_waited_for_for_an_hour(lab):
    lab.more = {"coming": (Coming(NOW + 3600),), "is_complete": True}
    lab.timeout = 7200
    assert lab.adopt([A, B], "wait") == [A, B]
    assert NOW + 3600 <= lab.now < NOW + 3700


def test_a_launch_partly_visible_to_the_end_of_the_timeout_needs_a_person_and_nothing_is_adopted(lab):
    lab.api.analyses = [analysis(A)]
    lab.reopen(timeout=60.0)
    with pytest.raises(ApprovalNeeded, match=r"only partly visible: 1 of the 2 .*--adopt now"):
        lab.adopt([A, B], "wait")
    assert lab.now < NOW + 60, "the last search is within the timeout"
    assert lab.lockfile.items == {}


def test_a_timeout_in_the_middle_of_a_search_says_the_same(lab):
    lab.api.analyses = [analysis(A)]
    lab.reopen(timeout=60.0)

    def time_ends() -> None:
        if lab.api.searches > 1:
            lab.now = NOW + 60
            raise Unreachable("the time is over")

    lab.api.on_search = time_ends
    with pytest.raises(ApprovalNeeded, match=r"only partly visible: 1 of the 2"):
        lab.adopt([A, B], "wait")


@pytest.mark.parametrize(
    ("age", "mode"), [(SETTLING_SECONDS + 1, "wait"), (1, "now")], ids=["older than an hour", "by a person's word"]
)
def test_the_rest_of_a_partly_visible_launch_is_launched_at_once(lab, age, mode):
    lab.api.analyses = [analysis(A, age=age)]
    assert lab.adopt([A, B], mode) == [B]
    assert lab.api.searches == 1


def test_a_later_attempt_of_somebody_else_is_adopted_instead(lab):
    lab.api.analyses = [analysis(A), analysis(launch("a", 2))._replace(id="n-later")]
    assert lab.adopt([A], "wait") == []
    assert (lab.lockfile.items["a"].attempt, lab.lockfile.items["a"].digest) == (2, launch("a", 2).digest)


def test_an_adopted_launch_keeps_what_it_replaces(lab):
    lab.lockfile.items["a"] = LockedItem("f" * 64, "nextflow", "1.1", 0, "b-0", None, "FAILED", None, None)
    lab.api.analyses = [analysis(A)]
    lab.adopt([A], "wait")
    assert [each.batch_id for each in lab.lockfile.items["a"].previous] == ["b-0"]


@pytest.mark.parametrize("seen", [None, "yesterday", "0001-01-01T00:00:00"])
def test_what_does_not_say_when_it_was_created_may_be_of_this_minute(lab, seen):
    lab.api.analyses = [analysis(A)._replace(time_created=seen)]
    if seen and seen.startswith("0001"):
        assert lab.adopt([A, B], "wait") == [B]
    else:
        with pytest.raises(ApprovalNeeded):
            lab.adopt([A, B], "wait")


def test_where_nothing_is_seen_nothing_is_waited_for_whatever_the_clocks_say(lab):
    lab.api.now = lambda: 0.0
    assert lab.adopt([A, B], "wait") == [A, B]
