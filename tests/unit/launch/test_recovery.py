"""How the next run treats a batch without an answer."""

from __future__ import annotations

import pytest
from launch.desk import BATCH, NOW, A, B, C, Desk, analysis, lost, prepared

from manifest_runner.errors import ApprovalNeeded, KeyReused, Refused, Unreachable
from manifest_runner.launch.adoption import SETTLING_SECONDS
from manifest_runner.launch.environment import DEFAULT_KEY_WINDOW
from manifest_runner.launch.record import new_launch
from manifest_runner.launch.recovery import ALONE_SECONDS
from manifest_runner.planning.plan import Launch
from manifest_runner.timestamps import timestamp


def test_a_lost_batch_is_sent_again_byte_for_byte(desk):
    lost(desk).settle()
    assert desk.api.posts == [(BATCH.key, BATCH.body)] * 2
    assert (desk.pending, sorted(desk.lockfile.items)) == ([], ["a", "b"])
    assert desk.lockfile.batches["b-2"].submitted_at == timestamp(NOW)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 407, 413, 415])
def test_a_refusal_that_says_nothing_of_the_first_try_keeps_a_lost_batch(desk, status):
    lost(desk)
    desk.api.answers = [Refused("no", status=status)]
    with pytest.raises(Refused):
        desk.settle()
    assert desk.pending == [BATCH.key]


def test_a_lost_batch_whose_key_has_another_body_was_never_executed(desk):
    lost(desk)
    desk.api.answers = [KeyReused("no", status=422)]
    with pytest.raises(KeyReused):
        desk.settle()
    assert desk.pending == []


@pytest.mark.parametrize(("age", "mode"), [(SETTLING_SECONDS, "wait"), (10, "now")])
def test_a_lost_batch_that_is_refused_for_good_leaves_the_journal_if_none_of_it_shows(desk, age, mode):
    lost(desk)
    desk.now += age
    desk.api.answers = [Refused("no", status=400)]
    with pytest.raises(Refused):
        desk.settle(mode)
    assert (desk.pending, desk.lockfile.items) == ([], {})


def test_what_a_lost_try_of_a_refused_batch_launched_is_adopted(desk):
    lost(desk)
    desk.now += SETTLING_SECONDS
    desk.api.analyses = [analysis(A)]
    desk.api.answers = [Refused("no", status=413)]
    desk.settle()
    assert (desk.pending, list(desk.lockfile.items)) == ([], ["a"])


def test_a_lost_batch_without_stamps_that_is_refused_is_kept(desk):
    lost(desk, stamped=False)
    desk.now += SETTLING_SECONDS
    desk.api.answers = [Refused("no", status=413)]
    with pytest.raises(Refused):
        desk.settle()
    assert desk.pending == [BATCH.key]


@pytest.mark.parametrize("age", [0, 60, DEFAULT_KEY_WINDOW - 1, -60, -SETTLING_SECONDS + 1])
def test_a_key_is_trusted_for_its_window_and_a_little_against_clocks_that_go_back(desk, age):
    lost(desk)
    desk.now += age
    desk.settle()
    assert (len(desk.api.posts), desk.api.searches) == (2, int(age >= ALONE_SECONDS))


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
def test_what_another_user_launched_while_a_batch_was_pending_is_not_launched_again(desk, seen, sent, adopted):
    lost(desk)
    desk.now += DAY
    desk.api.analyses = seen
    desk.settle()
    assert len(desk.api.posts) == sent
    assert [name for name, item in desk.lockfile.items.items() if item.adopted] == adopted
    assert desk.pending == []


def test_what_a_later_try_of_a_batch_launched_is_not_taken_for_another_users(desk):
    """Nothing would be sent for an item that failed to be created, or too much with --adopt now."""
    lost(desk)
    desk.now += 300.0
    desk.api.answers = [Unreachable("lost")]
    with pytest.raises(Unreachable):
        desk.settle()
    desk.now += 100.0
    desk.api.analyses = [analysis(A, -310.0)]
    desk.reopen().settle("now")
    assert (desk.api.posts, desk.pending) == ([(BATCH.key, BATCH.body)] * 3, [])


def test_a_credential_that_may_not_search_still_sends_a_pending_batch_again(desk):
    lost(desk)
    desk.now += DAY

    def refuse() -> None:
        raise Refused("no", status=403)

    desk.api.on_search = refuse
    desk.settle()
    assert (len(desk.api.posts), desk.pending) == (2, [])


@pytest.mark.parametrize(("age", "questions"), [(0, 0), (SETTLING_SECONDS - 1, 0), (SETTLING_SECONDS, 1), (-1, 1)])
def test_how_old_a_batch_is_the_server_is_asked_unless_it_seems_to_be_of_this_hour(desk, age, questions):
    lost(desk)
    desk.now += age
    desk.settle()
    assert desk.api.questions == questions


@pytest.mark.parametrize(
    ("then", "now"), [(None, DEFAULT_KEY_WINDOW), (-DEFAULT_KEY_WINDOW, 0), (0, DEFAULT_KEY_WINDOW)]
)
def test_a_batch_is_as_old_as_any_clock_makes_it(desk, then, now):
    desk.api.server_now = lambda: then if then is None else NOW + then
    lost(desk)
    desk.api.server_now = lambda: NOW + now
    desk.api.analyses = [analysis(A), analysis(B)]
    desk.settle()
    assert (len(desk.api.posts), desk.pending) == (1, [])


@pytest.mark.parametrize("age", [DEFAULT_KEY_WINDOW, 30 * 86400, -SETTLING_SECONDS, -86400])
def test_outside_of_the_window_a_batch_is_looked_up_and_adopted(desk, age):
    lost(desk)
    desk.api.analyses = [analysis(A), analysis(B)]
    desk.now += age
    desk.settle()
    assert (len(desk.api.posts), desk.pending) == (1, [])
    assert all(item.adopted and item.batch_id is None for item in desk.lockfile.items.values())
    assert desk.saves[-1].items.keys() == {"a", "b"}, "they are on disk before the journal lets go"


def test_outside_of_the_window_a_batch_that_is_not_there_is_sent_again(desk):
    lost(desk)
    desk.now += DEFAULT_KEY_WINDOW
    desk.settle()
    assert desk.api.posts == [(BATCH.key, BATCH.body)] * 2
    assert desk.pending == []


def test_outside_of_the_window_what_is_missing_of_an_old_batch_is_left_to_the_plan(desk):
    lost(desk)
    desk.now += DEFAULT_KEY_WINDOW
    desk.api.analyses = [analysis(A)]
    desk.settle()
    assert (len(desk.api.posts), desk.pending, sorted(desk.lockfile.items)) == (1, [], ["a"])


def test_a_batch_that_was_sent_again_after_its_window_is_waited_for_while_it_is_partly_visible(desk):
    lost(desk)
    desk.now += DEFAULT_KEY_WINDOW
    desk.reopen()
    desk.api.analyses = [analysis(A, age=-DEFAULT_KEY_WINDOW)]
    desk.api.on_search = lambda: desk.api.analyses.append(analysis(B)) if desk.api.searches == 3 else None
    desk.settle()
    assert (len(desk.api.posts), desk.api.searches, sorted(desk.lockfile.items)) == (1, 3, ["a", "b"])


def test_partly_visible_to_the_end_of_the_timeout_it_stays_in_the_journal(desk):
    lost(desk)
    desk.now += DEFAULT_KEY_WINDOW
    desk.api.analyses = [analysis(A, age=-DEFAULT_KEY_WINDOW)]
    desk.reopen(timeout=60.0)
    with pytest.raises(ApprovalNeeded, match="only partly visible: 1 of the 2"):
        desk.settle()
    assert (desk.pending, desk.lockfile.items) == ([BATCH.key], {})
    desk.settle("now")
    assert (desk.pending, sorted(desk.lockfile.items)) == ([], ["a"])


def test_without_stamps_an_old_batch_needs_a_person(desk):
    lost(desk, stamped=False)
    desk.now += DEFAULT_KEY_WINDOW
    with pytest.raises(ApprovalNeeded, match="import --batch-id"):
        desk.settle()
    assert (len(desk.api.posts), desk.pending) == (1, [BATCH.key])


def test_a_batch_of_another_user_is_looked_up_and_adopted(desk):
    lost(desk)
    desk.api.user = "two"
    desk.api.on_search = lambda: desk.api.searches == 3 and desk.api.analyses.extend([analysis(A), analysis(B)])
    desk.settle()
    assert (len(desk.api.posts), desk.api.searches, sorted(desk.lockfile.items)) == (1, 3, ["a", "b"])


def test_a_batch_of_another_user_that_does_not_come_up_needs_a_person_or_an_hour(desk):
    lost(desk)
    desk.api.user = "two"
    with pytest.raises(ApprovalNeeded, match="only partly visible: 0 of the 2"):
        desk.reopen(timeout=60.0).settle()
    assert (len(desk.api.posts), desk.pending) == (1, [BATCH.key])
    desk.now = NOW + SETTLING_SECONDS - 120
    desk.reopen(timeout=600).settle()
    assert (len(desk.api.posts), desk.pending) == (2, [])
    assert desk.now >= NOW + SETTLING_SECONDS


def test_without_stamps_a_batch_of_another_user_needs_a_person(desk):
    lost(desk, stamped=False)
    desk.api.user = "two"
    with pytest.raises(ApprovalNeeded, match="another user"):
        desk.settle()
    assert len(desk.api.posts) == 1


def test_one_batch_that_cannot_be_settled_leaves_the_others_to_the_next_run(desk):
    lost(desk)
    lost(desk, prepared(C))
    desk.api.answers = [Unreachable("lost")]
    with pytest.raises(Unreachable):
        desk.settle()
    assert desk.pending == [BATCH.key, prepared(C).key]


# -- what another run may have launched


def known(desk: Desk, *launches: Launch) -> Desk:
    """The lockfile has these launches, of other batches."""
    for each in launches:
        new = new_launch(each.digest, each.kind, each.revision, each.attempt, "b-other")
        desk.lockfile.items[each.user_reference] = new
    return desk


@pytest.mark.parametrize("renamed", ["", "new-"])
def test_a_lost_batch_all_of_which_the_lockfile_has_is_never_sent_again(desk, renamed):
    known(lost(desk), A, B)
    desk.lockfile.items = {renamed + name: item for name, item in desk.lockfile.items.items()}
    desk.settle()
    assert (len(desk.api.posts), desk.api.searches, desk.pending) == (1, 0, [])


def test_of_a_lost_batch_that_the_lockfile_has_in_part_the_rest_is_adopted_or_planned_again(desk):
    desk.api.analyses = [analysis(B, age=SETTLING_SECONDS + 10)]
    known(lost(desk), A).settle()
    assert (len(desk.api.posts), desk.pending) == (1, [])
    assert desk.lockfile.items["a"].batch_id == "b-other"
    assert desk.lockfile.items["b"].adopted


def test_a_lost_batch_that_the_lockfile_has_in_part_needs_a_person_without_stamps(desk):
    with pytest.raises(ApprovalNeeded, match="another run launched a part of it"):
        known(lost(desk, stamped=False), A).settle()
    assert (len(desk.api.posts), desk.pending) == (1, [BATCH.key])


def test_where_another_run_held_the_lease_a_lost_batch_is_looked_for_first(desk):
    lost(desk)
    desk.was_anothers = True
    desk.api.analyses = [analysis(A), analysis(B)]
    desk.settle()
    assert (len(desk.api.posts), desk.pending) == (1, [])
    assert all(item.adopted for item in desk.lockfile.items.values())
