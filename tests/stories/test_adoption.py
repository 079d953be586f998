"""Several people, lost lockfiles and expired keys: what exists is found again, and never paid for twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from crash_lab import KILLED, SAMPLES, Checkout, Emulator, ForkServer, Moment, Place
from odd_proxy import LOST, OddProxy, odd_proxy, refused

pytest_plugins = ["lab_plugin"]

WEEK = 7 * 24 * 3600.0
HOUR = 3600.0
DAY = 24 * HOUR
COLLEAGUE = "another-users-key"


@pytest.fixture(name="slow")
def _slow(timed_emulator: Emulator, server: ForkServer, clock: Moment) -> Place:
    """An emulator that takes up to ten seconds of the tests' clock to create items."""
    return Place(server, timed_emulator.start(creation_delay=10.0), timed_emulator.database, clock)


@pytest.fixture(name="mine")
def _mine(slow: Place, tmp_path: Path) -> Checkout:
    """Always of the same project: when the emulator creates an item follows from its id."""
    checkout = Checkout(slow, tmp_path / "mine" / "study", "7595e8f2-32d3-4c76-a324-c6a85dae87b5")
    checkout.write()
    return checkout


@pytest.fixture(name="theirs")
def _theirs(mine: Checkout, tmp_path: Path) -> Checkout:
    """The same study in a colleague's folder."""
    checkout = Checkout(mine.place, tmp_path / "theirs" / "study", mine.project, COLLEAGUE)
    checkout.write()
    return checkout


@pytest.fixture(name="proxy")
def _proxy(slow: Place, clock: Moment) -> Iterator[OddProxy]:
    with odd_proxy(slow.url, clock) as proxy:
        yield proxy


@pytest.fixture(name="lossy")
def _lossy(proxy: OddProxy, slow: Place, clock: Moment, tmp_path: Path) -> Callable[..., Checkout]:
    """A maker of checkouts that have lost the answer to their first batch, which exists."""

    numbers = count()

    def make(skew: float = 0.0, **manifest: object) -> Checkout:
        folder = tmp_path / f"lossy-{next(numbers)}" / "study"
        checkout = Checkout(Place(slow.server, proxy.url, slow.database, clock), folder)
        checkout.write(**manifest)
        proxy.expect(LOST, refused(403))
        assert checkout.timed(skew=skew).code == 4
        assert (len(checkout.executed()), checkout.journal.exists()) == (2, True)
        proxy.expect()
        return checkout

    return make


def adopted(checkout: Checkout) -> list[str]:
    return sorted(name for name, item in checkout.locked()["items"].items() if item.get("adopted"))


def test_what_a_colleague_has_launched_is_adopted_and_nothing_is_sent(mine, theirs):
    assert theirs.timed().code == 0
    assert mine.timed().code == 0
    mine.assert_executed_once(7)
    mine.assert_settled()
    assert adopted(mine) == sorted(SAMPLES)
    assert {item["batchId"] for item in mine.locked()["items"].values()} == {None}


def test_a_colleagues_launch_that_is_partly_visible_is_waited_for(mine, theirs):
    assert theirs.timed(choices={"limit": 3}).code == 0
    assert theirs.timed(wait="none").code == 0
    ended = mine.timed()
    assert ended.code == 0, ended
    assert "only partly visible" in ended.err
    mine.assert_executed_once(7)
    assert adopted(mine) == sorted(SAMPLES)


def test_a_launch_partly_visible_to_the_end_ends_with_7_and_sends_nothing(mine, theirs, clock):
    assert theirs.timed(choices={"limit": 3}).code == 0
    ended = mine.timed(timeout=60.0)
    assert (ended.code, mine.files()) == (7, ["study.yaml"]), ended
    assert "only partly visible: 3 of the 7" in ended.err
    mine.assert_executed_once(3)


@pytest.mark.parametrize(
    ("adopt", "later", "code", "executions", "taken"),
    [("now", 0.0, 0, 7, 3), ("wait", HOUR + 20, 0, 7, 3), ("never", 0.0, 1, 10, 0)],  # what exists twice is reported
    ids=["by a person's word", "after an hour", "without looking"],
)
def test_the_rest_is_launched(mine, theirs, clock, adopt, later, code, executions, taken):
    assert theirs.timed(choices={"limit": 3}).code == 0
    clock.advance(later)
    assert mine.timed(adopt=adopt).code == code
    assert (len(mine.executed()), len(adopted(mine))) == (executions, taken)
    assert sorted(mine.locked()["items"]) == sorted(SAMPLES)


def test_a_lost_lockfile_is_replaced_by_what_exists(mine, clock):
    assert mine.timed().code == 0
    mine.lockfile.unlink()
    clock.advance(8 * 24 * HOUR)
    assert mine.timed().code == 0
    mine.assert_executed_once(7)
    mine.assert_settled()


def test_without_stamps_the_keys_find_what_a_lost_lockfile_knew(mine):
    mine.write(stamp=False)
    assert mine.timed().code == 0
    before = mine.locked()
    mine.lockfile.unlink()
    assert mine.timed().code == 0
    mine.assert_executed_once_each()
    assert mine.locked()["items"] == before["items"]


def test_a_retry_of_a_colleague_is_adopted_with_its_attempt(mine, theirs, timed_emulator):
    timed_emulator.start(fail_analysis="^s[12]$")
    assert theirs.timed(wait="finished").code == 1
    timed_emulator.start()
    assert theirs.timed(wait="finished", choices={"retry_failed": True}).code == 0
    assert mine.timed().code == 0
    mine.assert_executed_once(9)
    attempts = {name: item["attempt"] for name, item in mine.locked()["items"].items()}
    assert attempts == {**dict.fromkeys(SAMPLES, 0), "s1": 1, "s2": 1}


def test_two_checkouts_of_one_user_share_keys_while_they_launch_the_same(mine, tmp_path):
    twin = Checkout(mine.place, tmp_path / "twin" / "study", mine.project, mine.key)
    twin.write()
    assert mine.timed(wait="none").code == 0
    assert twin.timed(wait="none").code == 0  # nothing exists yet that a search could find
    mine.assert_executed_once(7)
    assert mine.locked()["batches"].keys() == twin.locked()["batches"].keys()


@pytest.mark.parametrize("later", [0.0, 60.0, WEEK - 2 * HOUR])
def test_a_lost_answer_is_replayed_while_the_key_lives(lossy, clock, later):
    checkout = lossy()
    clock.advance(later)
    assert checkout.timed().code == 0
    checkout.assert_executed_once(7)
    checkout.assert_settled()
    assert adopted(checkout) == []


def test_a_lost_answer_is_found_by_its_stamps_when_the_key_is_forgotten(lossy, clock):
    checkout = lossy()
    clock.advance(WEEK + 1)
    assert checkout.timed().code == 0
    checkout.assert_executed_once(7)
    checkout.assert_settled()
    assert adopted(checkout) == ["s0", "s1"]


def test_what_is_found_by_its_stamps_is_in_the_lockfile_before_it_leaves_the_journal(lossy, clock):
    """The next run looks for nothing, so it has only the files to know from."""
    whole, killed = lossy(), lossy()
    clock.advance(WEEK + 1)
    steps = whole.timed().steps
    _sync, release, *_others = (step for step, name in enumerate(steps) if name == "fsync study.journal")
    assert killed.timed(at={"step": release + 1}).code == KILLED
    assert killed.timed(adopt="never").code == 0
    killed.assert_executed_once(7)
    killed.assert_settled()


def test_without_stamps_a_lost_answer_whose_key_is_forgotten_needs_a_person(lossy, clock):
    checkout = lossy(stamp=False)
    clock.advance(WEEK + 1)
    for _ in range(2):
        ended = checkout.timed()
        assert (ended.code, checkout.journal.exists(), len(checkout.executed())) == (7, True, 2), ended
    assert "import --batch-id" in ended.err


@pytest.mark.parametrize("later", [0.0, 5.0, 2 * HOUR, WEEK + 1])
def test_a_lost_answer_is_found_by_its_stamps_when_another_user_continues(lossy, clock, later):
    checkout = lossy()
    clock.advance(later)
    checkout.key = COLLEAGUE
    ended = checkout.timed()
    assert ended.code == 0, ended
    checkout.assert_executed_once(7)
    checkout.assert_settled()
    assert adopted(checkout) == ["s0", "s1"]


@pytest.mark.parametrize("skew", [2 * HOUR, 30 * DAY], ids=["hours", "days"])
def test_a_launch_that_is_partly_visible_by_a_clock_that_is_ahead_is_waited_for(mine, theirs, clock, skew):
    assert theirs.timed(wait="none").code == 0
    clock.advance(7.5)
    assert mine.timed(skew=skew).code == 0
    mine.assert_executed_once(7)
    assert adopted(mine) == sorted(SAMPLES)


def test_what_is_old_by_one_clock_and_recent_by_the_other_is_waited_for(mine, theirs, clock):
    assert theirs.timed(choices={"limit": 3}).code == 0
    clock.advance(HOUR + 20)
    assert mine.timed(skew=-2 * HOUR, timeout=60.0).code == 7
    assert mine.timed(skew=-2 * HOUR, adopt="now").code == 0
    mine.assert_executed_once(7)


@pytest.mark.parametrize(("sent", "settled"), [(0.0, -2 * DAY), (2 * DAY, 0.0)], ids=["now", "then"])
def test_no_wrong_clock_makes_a_forgotten_key_look_alive(lossy, clock, sent, settled):
    checkout = lossy(skew=sent)
    clock.advance(WEEK + 1)
    assert checkout.timed(skew=settled).code == 0
    checkout.assert_executed_once(7)
    checkout.assert_settled()


@pytest.mark.parametrize("skew", [-30 * 60.0, -2 * HOUR, -30 * DAY])
def test_a_clock_that_went_back_launches_nothing_twice(lossy, skew):
    checkout = lossy()
    assert checkout.timed(skew=skew).code == 0
    checkout.assert_executed_once(7)
    checkout.assert_settled()


def test_half_created_after_a_late_first_execution_is_waited_for(proxy, slow, clock, tmp_path):
    checkout = Checkout(Place(slow.server, proxy.url, slow.database, clock), tmp_path / "late" / "study")
    checkout.write()
    proxy.expect(*[refused(503)] * 5)
    assert checkout.timed().code == 5
    assert (checkout.executed(), checkout.journal.exists()) == ([], True)
    clock.advance(WEEK + 1)
    proxy.expect(LOST, refused(403))
    assert checkout.timed().code == 4
    assert len(checkout.executed()) == 2
    clock.advance(6.5)
    proxy.expect()
    ended = checkout.timed(batch_size=1)
    assert ended.code == 0, ended
    checkout.assert_executed_once(7)
    checkout.assert_settled()


def test_a_run_that_adopts_and_is_killed_adopts_again(mine, theirs):
    assert theirs.timed().code == 0
    steps = mine.timed().steps
    mine.lockfile.unlink()
    assert mine.timed(at={"step": steps.index("replace study.lock.json"), "when": "before"}).code == KILLED
    assert mine.timed().code == 0
    mine.assert_executed_once(7)
    mine.assert_settled()
