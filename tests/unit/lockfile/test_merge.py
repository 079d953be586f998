"""``lock merge``: whatever two branches launched is in the merged lockfile, and the sides are equal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from manifest_runner.errors import BadState
from manifest_runner.launch.record import launched
from manifest_runner.lockfile.file import dump_lockfile, parse_lockfile
from manifest_runner.lockfile.merge import merge_lockfiles
from manifest_runner.lockfile.model import LockedAnalysis, LockedBatch, LockedItem, Lockfile

STATUSES = ["REQUESTED", "IN_PROGRESS", "SUCCEEDED", "FAILED"]
NAMES = ["alpha", "beta", "gamma"]


def lockfile(items, name="study"):
    ids = {item.batch_id for item in items.values() if item.batch_id}
    ids |= {launch.batch_id for item in items.values() for launch in item.previous if launch.batch_id}
    batches = {each: LockedBatch(f"mr1-{each}", 1, "RUNNING", f"2026-11-23T10:00:{each[1:]:0>2}Z") for each in ids}
    return Lockfile(name, "p", "emulator", batches, dict(items))


def item(number, status="SUCCEEDED", **more):
    """The launch of a number: its digest, batch and analysis follow from that."""
    analysis = LockedAnalysis(f"a{number}", None, status)
    launch = LockedItem(f"{number:064x}", "nextflow", "1.1", number, f"b{number}", None, "SUCCEEDED", None, analysis)
    return structs.replace(launch, **more)


def launches(state):
    """Every launch that a lockfile knows, as its batch and its analysis name it."""
    every = [each for item in state.items.values() for each in item.launches]
    return {(each.batch_id, each.analysis.id) for each in every}


def as_set(state):
    """A lockfile without the order of its histories."""
    return {
        name: (item.digest, item.batch_id, str(item.analysis), sorted(map(str, item.previous)), item.removed)
        for name, item in state.items.items()
    } | {key: (batch.status, batch.submitted_at) for key, batch in state.batches.items()}


@st.composite
def _histories(draw):
    """An item as it was launched and launched again, on one side of a branch."""
    numbers = draw(st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True))
    now = None
    for number in numbers:
        adopted = {"batch_id": None, "adopted": True} if draw(st.booleans()) else {}
        now = launched(now, item(number, draw(st.sampled_from(STATUSES)), **adopted))
    return now


lockfiles = st.dictionaries(st.sampled_from(NAMES), _histories(), max_size=3).map(lockfile)
bases = st.none() | lockfiles


def sides(merged):
    """Launches by their analysis: one that was sent here and adopted there is one launch."""
    return {analysis for _, analysis in launches(merged)}


@given(bases, lockfiles, lockfiles)
def test_no_launch_is_lost_and_none_is_made_up(base, ours, theirs):
    merged = merge_lockfiles(base, ours, theirs)
    assert sides(merged) == sides(ours) | sides(theirs)
    assert {batch for batch, _ in launches(merged)} - {None} == (
        {batch for batch, _ in launches(ours) | launches(theirs)} - {None}
    )
    assert merged.batches.keys() == ours.batches.keys() | theirs.batches.keys()


@given(bases, lockfiles, lockfiles)
def test_it_makes_no_difference_which_side_is_which(base, ours, theirs):
    assert as_set(merge_lockfiles(base, ours, theirs)) == as_set(merge_lockfiles(base, theirs, ours))


@given(bases, lockfiles, lockfiles)
def test_merging_again_changes_nothing(base, ours, theirs):
    merged = merge_lockfiles(base, ours, theirs)
    assert merge_lockfiles(base, merged, merged) == merged
    assert as_set(merge_lockfiles(base, merged, theirs)) == as_set(merged)


@given(lockfiles, lockfiles)
def test_a_merged_lockfile_is_a_lockfile(ours, theirs):
    merged = merge_lockfiles(None, ours, theirs)
    assert parse_lockfile(dump_lockfile(merged), "merged") == merged


@given(lockfiles, st.data())
def test_what_only_one_side_changed_is_as_that_side_has_it(base, data):
    again = {name: launched(now, item(50)) for name, now in base.items.items() if data.draw(st.booleans())}
    ours = lockfile({**base.items, **again})
    assert merge_lockfiles(base, ours, base).items == ours.items
    assert merge_lockfiles(base, base, ours).items == ours.items


# -- cases with a name


def test_a_relaunch_on_one_side_wins_and_keeps_its_history():
    base = lockfile({"alpha": item(1, "FAILED")})
    ours = lockfile({"alpha": launched(base.items["alpha"], item(2))})
    merged = merge_lockfiles(base, ours, base)
    assert merged.items == ours.items


def test_relaunches_on_both_sides_are_both_kept_the_later_one_in_front():
    first = item(1, "FAILED")
    base = lockfile({"alpha": first})
    ours, theirs = (lockfile({"alpha": launched(first, item(number))}) for number in (2, 3))
    merged = merge_lockfiles(base, ours, theirs).items["alpha"]
    assert merged.batch_id == "b3"
    assert [launch.batch_id for launch in merged.previous] == ["b1", "b2"]


def test_the_time_of_the_batch_decides_which_launch_is_later_not_its_attempt():
    ours, theirs = lockfile({"alpha": item(4)}), lockfile({"alpha": item(5, attempt=0)})
    assert merge_lockfiles(None, ours, theirs).items["alpha"].batch_id == "b5"


def test_times_of_batches_are_compared_as_times_whatever_their_zone():
    early, late = lockfile({"alpha": item(1)}), lockfile({"alpha": item(2)})
    early.batches["b1"] = structs.replace(early.batches["b1"], submitted_at="2026-11-23T11:00:00+02:00")
    late.batches["b2"] = structs.replace(late.batches["b2"], submitted_at="2026-11-23T09:30:00.5Z")
    for merged in (merge_lockfiles(None, early, late), merge_lockfiles(None, late, early)):
        assert merged.items["alpha"].batch_id == "b2"


def test_one_launch_seen_at_two_times_is_as_it_was_seen_last():
    ours, theirs = (lockfile({"alpha": item(1, status)}) for status in ("SUCCEEDED", "IN_PROGRESS"))
    for merged in (merge_lockfiles(None, ours, theirs), merge_lockfiles(None, theirs, ours)):
        assert merged.items["alpha"].analysis.status == "SUCCEEDED"
        assert merged.items["alpha"].previous == ()


def test_a_launch_that_the_other_side_adopted_is_the_one_that_was_sent():
    ours, theirs = lockfile({"alpha": item(1)}), lockfile({"alpha": item(1, batch_id=None, adopted=True)})
    for merged in (merge_lockfiles(None, ours, theirs), merge_lockfiles(None, theirs, ours)):
        assert (merged.items["alpha"].batch_id, merged.items["alpha"].previous) == ("b1", ())


def test_a_launch_that_one_side_adopted_and_the_other_has_replaced_since_is_replaced():
    sent, adopted = item(8), item(8, batch_id=None, adopted=True)
    replaced = launched(sent, item(1, batch_id=None, adopted=True))
    merged = merge_lockfiles(None, lockfile({"alpha": adopted}), lockfile({"alpha": replaced}))
    assert merged.items["alpha"] == replaced


def test_two_launches_of_the_same_content_were_both_paid_for_and_both_stay():
    ours = lockfile({"alpha": item(1)})
    theirs = lockfile({"alpha": item(1, batch_id="b7", analysis=LockedAnalysis("a7", None, "FAILED"))})
    assert sides(merge_lockfiles(None, ours, theirs)) == {"a1", "a7"}


def test_an_abort_that_one_side_asked_for_is_recorded_however_far_the_other_saw():
    ours = lockfile({"alpha": item(1, "IN_PROGRESS", abort_requested_at="2026-11-23T10:00:00Z")})
    theirs = lockfile({"alpha": item(1, "ABORTED")})
    merged = merge_lockfiles(None, ours, theirs).items["alpha"]
    assert (merged.analysis.status, merged.abort_requested_at) == ("ABORTED", "2026-11-23T10:00:00Z")


@pytest.mark.parametrize(("base", "ours", "theirs", "merged"), [
    (False, True, False, True), (False, False, True, True), (True, False, True, False), (None, True, False, False),
])  # fmt: skip
def test_an_item_is_removed_where_the_side_that_changed_it_removed_it(base, ours, theirs, merged):
    one, other = (lockfile({"alpha": item(1, removed=removed)}) for removed in (ours, theirs))
    known = None if base is None else lockfile({"alpha": item(1, removed=base)})
    assert merge_lockfiles(known, one, other).items["alpha"].removed is merged


def test_lockfiles_of_two_manifests_are_not_merged():
    with pytest.raises(BadState, match="name 'study' and 'other'"):
        merge_lockfiles(None, lockfile({}), lockfile({}, name="other"))


def test_histories_that_contradict_each_other_give_the_same_launch_however_often_they_are_merged():
    ours = lockfile({"beta": item(0, batch_id=None, adopted=True, previous=(item(1),))})
    theirs = lockfile({"beta": item(1, batch_id=None, adopted=True, previous=(item(0),))})
    once = merge_lockfiles(None, ours, theirs)
    assert once.items["beta"].digest == merge_lockfiles(None, once, theirs).items["beta"].digest
    assert once.items["beta"].digest == merge_lockfiles(None, once, ours).items["beta"].digest


def test_of_both_names_of_a_renamed_item_the_new_one_stays_with_every_launch():
    base = lockfile({"alpha": item(1)})
    ours = lockfile({"omega": item(1, renamed_from="alpha", accepted="f" * 64)})
    theirs = lockfile({"alpha": item(2, previous=(item(1, "FAILED"),))})
    for merged in (merge_lockfiles(base, ours, theirs), merge_lockfiles(base, theirs, ours)):
        assert list(merged.items) == ["omega"]
        assert launches(merged) == {("b1", "a1"), ("b2", "a2")}
        assert merged.items["omega"].batch_id == "b2"
        assert merged.items["omega"].renamed_from == "alpha"
    assert merge_lockfiles(base, ours, base).items == ours.items


@pytest.mark.parametrize("theirs", [item(1), item(1, batch_id=None, adopted=True), item(2, previous=(item(1),))])
def test_an_item_that_was_renamed_twice_is_still_one_where_the_other_side_has_its_first_name(theirs):
    base, middle = lockfile({"alpha": item(1)}), lockfile({"beta": item(1, renamed_from="alpha")})
    ours, others = lockfile({"omega": item(1, renamed_from="beta")}), lockfile({"alpha": theirs})
    for merged in (merge_lockfiles(base, ours, others), merge_lockfiles(base, others, ours)):
        assert list(merged.items) == ["omega"]
        assert {analysis for _, analysis in launches(merged)} == {analysis for _, analysis in launches(others)}
        assert merged.items["omega"].renamed_from == ("alpha" if theirs.digest == item(2).digest else "beta")
        assert list(merge_lockfiles(base, merged, middle).items) == ["omega"]


def test_a_former_name_that_another_item_has_now_is_left_alone():
    ours = lockfile({"omega": item(1, renamed_from="alpha")})
    merged = merge_lockfiles(None, ours, lockfile({"alpha": item(7)}))
    assert sorted(merged.items) == ["alpha", "omega"]


def test_what_one_side_accepted_is_kept():
    base = lockfile({"alpha": item(1)})
    ours = lockfile({"alpha": item(1, accepted="f" * 64, failure_accepted=True)})
    seen = lockfile({"alpha": item(1, "FAILED")})
    for merged in (merge_lockfiles(base, ours, seen), merge_lockfiles(base, seen, ours)):
        found = merged.items["alpha"]
        assert (found.accepted, found.failure_accepted, found.analysis.status) == ("f" * 64, True, "FAILED")
