"""How the next run treats a batch without an answer."""

from __future__ import annotations

import pytest
from launch.launch_lab import BATCH, NOW, A, B, C, LaunchLab, analysis, lost, prepared

from manifest_runner.errors import ApprovalNeeded, KeyReused, Refused, Unreachable
from manifest_runner.launch.adoption import SETTLING_SECONDS
from manifest_runner.launch.environment import DEFAULT_KEY_WINDOW
from manifest_runner.launch.record import new_launch
from manifest_runner.launch.recovery import ALONE_SECONDS
from manifest_runner.planning.plan import Launch
from manifest_runner.timestamps import timestamp


def test_a_lost_batch_is_sent_again_byte_for_byte(lab):
    lost(lab).settle()
    assert lab.api.posts == [(BATCH.key, BATCH.body)] * 2
    assert (lab.pending, sorted(lab.lockfile.items)) == ([], ["a", "b"])
    assert lab.lockfile.batches["b-2"].submitted_at == timestamp(NOW)


REFUSALS = [KeyReused("no", status=422), *(Refused("no", status=each) for each in (400, 401, 403, 404, 407, 413, 415))]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda each: each.status)
def test_a_refusal_that_says_nothing_of_the_first_try_keeps_a_lost_batch(lab, refusal):
    lost(lab)
    lab.api.answers = [refusal]
    with pytest.raises(Refused):
        lab.settle()
    assert lab.pending == [BATCH.key]


def test_a_lost_batch_whose_key_has_another_body_is_found_by_its_stamps(lab):
    lost(lab)
    lab.api.analyses = [analysis(A), analysis(B)]
    lab.api.answers = [KeyReused("no", status=422)]
    lab.settle()
    assert (lab.pending, sorted(lab.lockfile.items)) == ([], ["a", "b"])


@pytest.mark.parametrize("refusal", [Refused("no", status=400), KeyReused("no", status=422)], ids=repr)
@pytest.mark.parametrize(("age", "mode"), [(SETTLING_SECONDS, "wait"), (10, "now")])
def test_a_lost_batch_that_is_refused_for_good_leaves_the_journal_if_none_of_it_shows(lab, age, mode, refusal):
    lost(lab)
    lab.now += age
    lab.api.answers = [refusal]
    with pytest.raises(Refused):
        lab.settle(mode)
    assert (lab.pending, lab.lockfile.items) == ([], {})


def test_what_a_lost_try_of_a_refused_batch_launched_is_adopted(lab):
    lost(lab)
    lab.now += SETTLING_SECONDS
    lab.api.analyses = [analysis(A)]
    lab.api.answers = [Refused("no", status=413)]
    lab.settle()
    assert (lab.pending, list(lab.lockfile.items)) == ([], ["a"])


def test_a_lost_batch_without_stamps_that_is_refused_is_kept(lab):
    lost(lab, stamped=False)
    lab.now += SETTLING_SECONDS
    lab.api.answers = [Refused("no", status=413)]
    with pytest.raises(Refused):
        lab.settle()
    assert lab.pending == [BATCH.key]


@pytest.mark.parametrize("age", [0, 60, DEFAULT_KEY_WINDOW - 1, -60, -SETTLING_SECONDS + 1])
def test_a_key_is_trusted_for_its_window_and_a_little_against_clocks_that_go_back(lab, age):
    lost(lab)
    lab.now += age
    lab.settle()
    assert (len(lab.api.posts), lab.api.searches) == (2, int(age >= ALONE_SECONDS))


DAY = 86400.0


@pytest.mark.parametrize(
    ("seen", "sent", "adopted"),
    [
        ([analysis(A, -1.0)], 2, []),  # the key finds the rest, which may have failed to be created
        ([analysis(A, -90.0)], 1, ["a"]),  # another user's: this batch never arrived
        ([analysis(A, -90.0), analysis(B, -90.0)], 1, ["a", "b"]),
        ([], 2, []),
    ],
    ids=["of this POST", "of a later POST", "all of a later POST", "none"],
)
def test_what_another_user_launched_while_a_batch_was_pending_is_not_launched_again(lab, seen, sent, adopted):
    lost(lab)
    lab.now += DAY
    lab.api.analyses = seen
    lab.settle()
    assert len(lab.api.posts) == sent
    assert [name for name, item in lab.lockfile.items.items() if item.adopted] == adopted
    assert lab.pending == []


def test_what_a_later_try_of_a_batch_launched_is_not_taken_for_another_users(lab):
    """Nothing would be sent for an item that failed to be created, or too much with --adopt now."""
    lost(lab)
    lab.now += 300.0
    lab.api.answers = [Unreachable("lost")]
    with pytest.raises(Unreachable):
        lab.settle()
    lab.now += 100.0
    lab.api.analyses = [analysis(A, -310.0)]
    lab.reopen().settle("now")
    assert (lab.api.posts, lab.pending) == ([(BATCH.key, BATCH.body)] * 3, [])


def test_a_credential_that_may_not_search_still_sends_a_pending_batch_again(lab):
    lost(lab)
    lab.now += DAY

    def refuse() -> None:
        raise Refused("no", status=403)

    lab.api.on_search = refuse
    lab.settle()
    assert (len(lab.api.posts), lab.pending) == (2, [])


@pytest.mark.parametrize(("age", "questions"), [(0, 0), (SETTLING_SECONDS - 1, 0), (SETTLING_SECONDS, 1), (-1, 1)])
def test_how_old_a_batch_is_the_server_is_asked_unless_it_seems_to_be_of_this_hour(lab, age, questions):
    lost(lab)
    lab.now += age
    lab.settle()
    assert lab.api.questions == questions


@pytest.mark.parametrize(
    ("then", "now"), [(None, DEFAULT_KEY_WINDOW), (-DEFAULT_KEY_WINDOW, 0), (0, DEFAULT_KEY_WINDOW)]
)
def test_a_batch_is_as_old_as_any_clock_makes_it(lab, then, now):
    lab.api.server_now = lambda: then if then is None else NOW + then
    lost(lab)
    lab.api.server_now = lambda: NOW + now
    lab.api.analyses = [analysis(A), analysis(B)]
    lab.settle()
    assert (len(lab.api.posts), lab.pending) == (1, [])


@pytest.mark.parametrize("age", [DEFAULT_KEY_WINDOW, 30 * 86400, -SETTLING_SECONDS, -86400])
def test_outside_of_the_window_a_batch_is_looked_up_and_adopted(lab, age):
    lost(lab)
    lab.api.analyses = [analysis(A), analysis(B)]
    lab.now += age
    lab.settle()
    assert (len(lab.api.posts), lab.pending) == (1, [])
    assert all(item.adopted and item.batch_id is None for item in lab.lockfile.items.values())
    assert lab.saves[-1].items.keys() == {"a", "b"}, "they are on disk before the journal lets go"


def test_outside_of_the_window_a_batch_that_is_not_there_is_sent_again(lab):
    lost(lab)
    lab.now += DEFAULT_KEY_WINDOW
    lab.settle()
    assert lab.api.posts == [(BATCH.key, BATCH.body)] * 2
    assert lab.pending == []


def test_outside_of_the_window_what_is_missing_of_an_old_batch_is_left_to_the_plan(lab):
    lost(lab)
    lab.now += DEFAULT_KEY_WINDOW
    lab.api.analyses = [analysis(A)]
    lab.settle()
    assert (len(lab.api.posts), lab.pending, sorted(lab.lockfile.items)) == (1, [], ["a"])


def test_a_batch_that_was_sent_again_after_its_window_is_waited_for_while_it_is_partly_visible(lab):
    lost(lab)
    lab.now += DEFAULT_KEY_WINDOW
    lab.reopen()
    lab.api.analyses = [analysis(A, age=-DEFAULT_KEY_WINDOW)]
    lab.api.on_search = lambda: lab.api.analyses.append(analysis(B)) if lab.api.searches == 3 else None
    lab.settle()
    assert (len(lab.api.posts), lab.api.searches, sorted(lab.lockfile.items)) == (1, 3, ["a", "b"])


def test_partly_visible_to_the_end_of_the_timeout_it_stays_in_the_journal(lab):
    lost(lab)
    lab.now += DEFAULT_KEY_WINDOW
    lab.api.analyses = [analysis(A, age=-DEFAULT_KEY_WINDOW)]
    lab.reopen(timeout=60.0)
    with pytest.raises(ApprovalNeeded, match="only partly visible: 1 of the 2"):
        lab.settle()
    assert (lab.pending, lab.lockfile.items) == ([BATCH.key], {})
    lab.settle("now")
    assert (lab.pending, sorted(lab.lockfile.items)) == ([], ["a"])


def test_without_stamps_an_old_batch_needs_a_person(lab):
    lost(lab, stamped=False)
    lab.now += DEFAULT_KEY_WINDOW
    with pytest.raises(ApprovalNeeded, match="import --batch-id"):
        lab.settle()
    assert (len(lab.api.posts), lab.pending) == (1, [BATCH.key])


def test_a_batch_of_another_user_is_looked_up_and_adopted(lab):
    lost(lab)
    lab.api.user = "two"
    lab.api.on_search = lambda: lab.api.searches == 3 and lab.api.analyses.extend([analysis(A), analysis(B)])
    lab.settle()
    assert (len(lab.api.posts), lab.api.searches, sorted(lab.lockfile.items)) == (1, 3, ["a", "b"])


def test_a_batch_of_another_user_that_does_not_come_up_needs_a_person_or_an_hour(lab):
    lost(lab)
    lab.api.user = "two"
    with pytest.raises(ApprovalNeeded, match="only partly visible: 0 of the 2"):
        lab.reopen(timeout=60.0).settle()
    assert (len(lab.api.posts), lab.pending) == (1, [BATCH.key])
    lab.now = NOW + SETTLING_SECONDS - 120
    lab.reopen(timeout=600).settle()
    assert (len(lab.api.posts), lab.pending) == (2, [])
    assert lab.now >= NOW + SETTLING_SECONDS


def test_without_stamps_a_batch_of_another_user_needs_a_person(lab):
    lost(lab, stamped=False)
    lab.api.user = "two"
    with pytest.raises(ApprovalNeeded, match="another user"):
        lab.settle()
    assert len(lab.api.posts) == 1


def test_one_batch_that_cannot_be_settled_leaves_the_others_to_the_next_run(lab):
    lost(lab)
    lost(lab, prepared(C))
    lab.api.answers = [Unreachable("lost")]
    with pytest.raises(Unreachable):
        lab.settle()
    assert lab.pending == [BATCH.key, prepared(C).key]


# -- what another run may have launched


def known(lab: LaunchLab, *launches: Launch) -> LaunchLab:
    """The lockfile has these launches, of other batches."""
    for each in launches:
        new = new_launch(each.digest, each.kind, each.revision, each.attempt, "b-other")
        lab.lockfile.items[each.user_reference] = new
    return lab


@pytest.mark.parametrize("renamed", ["", "new-"])
def test_a_lost_batch_all_of_which_the_lockfile_has_is_never_sent_again(lab, renamed):
    known(lost(lab), A, B)
    lab.lockfile.items = {renamed + name: item for name, item in lab.lockfile.items.items()}
    lab.settle()
    assert (len(lab.api.posts), lab.api.searches, lab.pending) == (1, 0, [])


def test_of_a_lost_batch_that_the_lockfile_has_in_part_the_rest_is_adopted_or_planned_again(lab):
    lab.api.analyses = [analysis(B, age=SETTLING_SECONDS + 10)]
    known(lost(lab), A).settle()
    assert (len(lab.api.posts), lab.pending) == (1, [])
    assert lab.lockfile.items["a"].batch_id == "b-other"
    assert lab.lockfile.items["b"].adopted


def test_a_lost_batch_that_the_lockfile_has_in_part_needs_a_person_without_stamps(lab):
    with pytest.raises(ApprovalNeeded, match="another run launched a part of it"):
        known(lost(lab, stamped=False), A).settle()
    assert (len(lab.api.posts), lab.pending) == (1, [BATCH.key])


def test_where_another_run_held_the_lease_a_lost_batch_is_looked_for_first(lab):
    lost(lab)
    lab.was_anothers = True
    lab.api.analyses = [analysis(A), analysis(B)]
    lab.settle()
    assert (len(lab.api.posts), lab.pending) == (1, [])
    assert all(item.adopted for item in lab.lockfile.items.values())
