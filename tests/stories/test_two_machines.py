"""More than one machine: wherever one is killed or stopped, another one continues, and each digest is paid for once.

The machines share no disk but a place for state: a folder, a bucket, or the remote of a git repository, which holds
the lease only. They go by a clock that stands still until somebody sleeps, so nobody waits for a lease to end.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from crash_lab import FILE_STEPS, KILLED, POST, Checkout, Emulator, Ended, ForkServer, Moment, Place, is_post
from machines import EXPIRED, SOME, Shared, go_on, wait_until_stopped

from manifest_runner.emulator import parse_fault
from manifest_runner.launch.lease.in_flight import SHOWN_WITHIN

pytest_plugins = ["lab_plugin"]

ME, YOU = "a-users-key", "another-users-key"


@pytest.fixture(name="timed")
def _timed(timed_emulator: Emulator, server: ForkServer, clock: Moment) -> Place:
    """An emulator by the tests' clock that creates items at once."""
    return Place(server, timed_emulator.start(), timed_emulator.database, clock)


def slowly(*kinds: str) -> list[object]:
    """These places for state only with -m slow."""
    return [pytest.param(kind, marks=pytest.mark.slow) for kind in kinds]


def steps_of(shared: Shared, place: Place) -> list[str]:
    """The steps of a run that nobody kills; not of the first, which makes the place for state."""
    for _ in range(2):
        (checkout,) = shared.machines(place, ME)
        ended = checkout.timed()
        assert ended.code == 0, ended.err
        shared.check(checkout)
    return ended.steps


def moments(shared: Shared, steps: list[str]) -> list[tuple[int, str]]:
    """Before every step that changes what another machine may see, and after the last: what lies between are questions.

    Files are another story's, but for a shared folder, where they are the store.
    """
    changes = ("store put", "store delete", "git push", *(FILE_STEPS if shared.kind == "file" else ()))
    chosen = [step for step, name in enumerate(steps) if name.startswith(changes) or is_post(steps, step)]
    return [*((step, "before") for step in chosen), (chosen[-1], "after")]


def few(shared: Shared, chosen: list[tuple[int, str]], steps: list[str]) -> list[tuple[int, str]]:
    """Those about the first POST, and some of the others; -m slow takes all of them."""
    first = steps.index(POST)
    near = [(step, when) for step, when in chosen if first - 1 <= step <= first + 2]
    every = {"file": 9, "git": 4}.get(shared.kind, 3)
    return [*near, *[each for each in chosen[::every] if each not in near]]


@dataclass
class Sweep:
    """Kills a run on one machine and lets another finish it."""

    shared: Shared
    place: Place
    users: tuple[str, str]
    steps: list[str]
    kills: int = 0

    def kill(self, step: int, when: str) -> None:
        """And the machine that was killed, when it runs again, finds nothing to do."""
        mine, theirs = self.shared.machines(self.place, *self.users)
        self.kills += mine.timed(at={"step": step, "when": when}).code == KILLED
        what = f"{self.shared.kind}: after a kill {when} step {step}, {self.steps[step]!r}"
        finish(self.shared, theirs, what)
        again = mine.timed()
        assert (again.code, again.steps.count(POST)) == (0, 0), f"{what}, and back: exit {again.code}\n{again.err}"
        self.shared.check(mine)


def finish(shared: Shared, checkout: Checkout, what: str) -> None:
    """Run until all is launched. What another user sent may still be created within an hour: then a run says so."""
    ended = checkout.timed(lock_timeout=EXPIRED)
    if ended.code == 7:
        checkout.place.clock.advance(3600)
        ended = checkout.timed()
    assert ended.code == 0, f"{what}: exit {ended.code}\n{ended.err}"
    try:
        shared.check(checkout)
    except (AssertionError, KeyError) as e:
        raise AssertionError(f"{what}: {e!r}\n{ended.err}") from e


@pytest.fixture(name="sweep")
def _sweep(shared: Shared, timed: Place, record_property: Callable[[str, object], None]) -> Iterator[Sweep]:
    sweep = Sweep(shared, timed, (ME, ME), steps_of(shared, timed))
    yield sweep
    record_property("kills", sweep.kills)


@pytest.mark.parametrize("shared", ["file", *slowly("s3", "git", "seaweed", "azure")], indirect=True)
def test_what_is_killed_at_some_steps_is_finished_by_another_machine(sweep):
    chosen = few(sweep.shared, moments(sweep.shared, sweep.steps), sweep.steps)
    for step, when in chosen:
        sweep.kill(step, when)
    assert sweep.kills == len(chosen)


@pytest.mark.slow
def test_what_is_killed_at_any_step_is_finished_by_another_machine(sweep):
    chosen = moments(sweep.shared, sweep.steps)
    for step, when in chosen:
        sweep.kill(step, when)
    assert sweep.kills == len(chosen)


@pytest.mark.parametrize("shared", ["file", *slowly("s3", "git", "seaweed")], indirect=True)
def test_what_is_killed_about_a_post_is_finished_by_another_user(sweep):
    sweep.users = (ME, YOU)
    first = sweep.steps.index(POST)
    for step, when in [each for each in moments(sweep.shared, sweep.steps) if first - 1 <= each[0] <= first + 1]:
        sweep.kill(step, when)
    assert sweep.kills


@pytest.mark.parametrize("shared", ["git"], indirect=True)
def test_what_is_killed_about_a_post_is_sent_again_with_its_own_key_by_a_machine_with_other_batches(
    shared, timed_emulator, server, clock, record_property
):
    """No search shows anything in time: the lease alone says what is on its way.

    Days later its key may be forgotten, so a search decides.
    """
    timed = Place(server, timed_emulator.start(search_lag=1e5), timed_emulator.database, clock)
    steps = steps_of(shared, timed)
    first, second = [step for step, name in enumerate(steps) if name == POST]
    chosen = [(first, "before", 0.0), (first + 1, "after", 0.0), (second + 2, "after", 0.0), (first + 2, "after", 2e5)]
    for step, when, later in chosen:
        mine, theirs = shared.machines(timed, ME, ME)
        theirs.write(["new", *SOME], head=shared.head())
        assert mine.timed(at={"step": step, "when": when}).code == KILLED
        clock.advance(later)
        ended = theirs.timed(lock_timeout=EXPIRED, batch_size=1)
        assert ended.code == 0, f"{when} step {step}: {ended.err}"
        assert ("sending a batch of" in ended.err, "adopted 2 analyses" in ended.err) == (not later, bool(later))
        theirs.assert_executed_once(len(SOME) + 1)
        assert set(shared.lease(theirs)["unseen"]) <= theirs.locked()["batches"].keys()
    record_property("kills", len(chosen))


@pytest.mark.parametrize("shared", ["git"], indirect=True)
@pytest.mark.parametrize("is_late", [False, True])
def test_what_was_launched_before_a_kill_or_long_after_it_is_known_to_another_machine(
    shared, timed_emulator, server, clock, is_late, record_property
):
    """No search shows anything in time. The second run is killed; or the first one is, and continued hours later."""
    timed = Place(server, timed_emulator.start(search_lag=1e5), timed_emulator.database, clock)

    def launch(at):
        mine, theirs = shared.machines(timed, ME, ME)
        assert is_late or mine.timed().code == 0
        for checkout in (mine, theirs):
            checkout.write(["new", *SOME], head=shared.head())
        return theirs, mine, mine.timed(at=at)

    step = launch(None)[2].steps.index(POST)
    theirs, mine, killed = launch({"step": step, "when": "before"})
    assert killed.code == KILLED
    if is_late:
        clock.advance(2 * SHOWN_WITHIN)
        assert mine.timed().code == 0
    assert theirs.timed(lock_timeout=EXPIRED, batch_size=1).code == 0
    theirs.assert_executed_once(len(SOME) + 1)
    record_property("kills", 1)


@pytest.mark.parametrize("shared", ["git"], indirect=True)
def test_what_is_on_its_way_is_still_waited_for_after_a_run_that_does_not_want_it(
    shared, timed_emulator, server, clock, record_property
):
    """One user is killed, another launches a part of the manifest, then a third launches all of it."""
    url = timed_emulator.start(creation_delay=1600.0, search_lag=1.0)
    timed = Place(server, url, timed_emulator.database, clock)
    mine, theirs, hers = shared.machines(timed, ME, YOU, "a-third-users-key")
    step = steps_of(shared, timed).index(POST) + 1
    killed = mine.timed(at={"step": step, "when": "after"}, batch_size=len(SOME))
    assert killed.code == KILLED
    clock.advance(EXPIRED)
    theirs.write(SOME[2:], head=shared.head())
    for checkout in (theirs, hers):
        ended = checkout.timed(timeout=3000.0, poll_interval=60.0)
        assert (ended.code, ended.steps.count(POST)) == (0, 0), ended.err
    shared.check(hers)
    record_property("kills", 1)


@pytest.mark.parametrize("shared", ["git"], indirect=True)
def test_a_batch_that_was_sent_with_another_signature_is_waited_for(
    shared, timed_emulator, server, clock, record_property
):
    """Its key does not help, since the bytes are others now."""
    timed = Place(server, timed_emulator.start(creation_delay=1600.0), timed_emulator.database, clock)
    mine, theirs = shared.machines(timed, ME, ME)
    for checkout in (mine, theirs):
        url = f"https://example.com/f?X-Amz-Signature={checkout.folder.parent.name}"
        checkout.write(SOME, head=shared.head(), depth=f"'{url}'")
    step = steps_of(shared, timed).index(POST) + 1
    assert mine.timed(at={"step": step, "when": "after"}).code == KILLED
    clock.advance(EXPIRED)
    ended = theirs.timed(timeout=3000.0, poll_interval=60.0)
    assert (ended.code, "partly visible" in ended.err) == (0, True), ended.err
    shared.check(theirs)
    record_property("kills", 1)


@pytest.mark.parametrize("shared", ["file"], indirect=True)
def test_what_a_run_left_without_an_answer_is_waited_for_by_another_user(shared, timed_emulator, server, clock):
    """The run has ended and released its lease. What it sent last does not show yet."""
    faults = (parse_fault("drop-before:1-4"), parse_fault("drop-after:5"))
    timed = Place(server, timed_emulator.start(faults=faults), timed_emulator.database, clock)
    mine, theirs = shared.machines(timed, ME, YOU)
    assert (mine.timed(batch_size=len(SOME)).code, len(mine.executed())) == (5, len(SOME))
    timed_emulator.start(search_lag=60.0)
    finish(shared, theirs, "after a lost answer")


@pytest.mark.slow
def test_the_machine_that_continues_may_be_killed_too(sweep):
    dice = random.Random(17)
    chosen = moments(sweep.shared, sweep.steps)
    for step, when in dice.choices(chosen, k=15):
        mine, theirs = sweep.shared.machines(sweep.place, ME, ME)
        sweep.kills += mine.timed(at={"step": step, "when": when}).code == KILLED
        again = dice.randrange(len(sweep.steps))
        sweep.kills += theirs.timed(lock_timeout=EXPIRED, at={"step": again, "when": "before"}).code == KILLED
        finish(sweep.shared, mine, f"after kills {when} step {step}, {sweep.steps[step]!r}, and before step {again}")


@pytest.mark.slow
@pytest.mark.parametrize("shared", ["git"], indirect=True)
def test_machines_are_killed_again_and_again_while_a_search_lags_half_an_hour_behind(
    shared, timed_emulator, server, clock, record_property
):
    """Two users on three machines without a common lockfile, and each run with other batches."""
    timed = Place(server, timed_emulator.start(search_lag=2000.0), timed_emulator.database, clock)
    dice, kills = random.Random(17), 0
    for _ in range(6):
        machines = shared.machines(timed, *dice.choices((ME, YOU), k=3))
        for _ in range(dice.randint(1, 4)):
            at = {"step": dice.randrange(8, 70), "when": dice.choice(["before", "after"])}
            kills += any_run(dice, machines, at=at).code == KILLED
        ended = any_run(dice, machines)
        assert ended.code == 0, ended.err
        machines[0].assert_executed_once(len(SOME))
    record_property("kills", kills)


def any_run(dice: random.Random, machines: list[Checkout], **case: Any) -> Ended:
    """A run on one of the machines that waits for as long as it takes."""
    patience = {"lock_timeout": EXPIRED, "timeout": 20_000.0}
    return dice.choice(machines).timed(batch_size=dice.randint(1, 3), **patience, **case)


@pytest.mark.parametrize("shared", ["s3"], indirect=True)
def test_a_store_whose_credential_expires_at_any_step_loses_nothing(shared, timed, record_property):
    steps = steps_of(shared, timed)
    chosen = [step for step, name in enumerate(steps) if name.startswith("store")][::2]
    for step in chosen:
        mine, theirs = shared.machines(timed, ME, ME)
        ended = mine.timed(at={"step": step, "when": "expired"})
        assert ended.code in (0, 5), f"{steps[step]!r}: {ended.err}"
        assert "the store's credential has expired" in ended.err
        assert "a-secret" not in ended.err
        finish(shared, theirs, f"after an expired credential at step {step}, {steps[step]!r}")
    record_property("faults", len(chosen))


# -- runs that are stopped, and go on when they should not


@pytest.fixture(name="second", scope="module")
def _second() -> Iterator[ForkServer]:
    """For the machine that works while a command of the first is stopped."""
    server = ForkServer()
    yield server
    server.close()


def stopped_steps(shared: Shared, steps: list[str]) -> list[int]:
    """Where a run is stopped: not within the lock of a shared folder, for which others wait."""
    marks = {"file": "open .manifest-runner.guard", "git": "git ls-remote"}.get(shared.kind, "store")
    found = [step for step, name in enumerate(steps) if name.startswith(marks)]
    found = found[1 :: max(1, len(found) // 2)]
    return [*found, steps.index(POST), steps.index(POST) + 1]


def overtaken(shared: Shared, timed: Place, second: ForkServer, step: int, users: tuple[str, str]) -> tuple[Any, ...]:
    """A run that is stopped before this step until another machine has done all of it, in batches of its own.

    Both checkouts, and how both runs ended.
    """
    mine, theirs = shared.machines(timed, *users)
    there = replace(theirs, place=replace(timed, server=second))
    pid_file = mine.folder.with_name("pid")
    case = {**mine.timed_case(at={"step": step, "when": "stop"}), "pid": str(pid_file)}
    timed.server.start(case)
    pid = wait_until_stopped(pid_file)
    other = there.timed(lock_timeout=EXPIRED, batch_size=1)
    go_on(pid)
    return mine, theirs, timed.server.finish(case), other


@pytest.mark.slow
@pytest.mark.parametrize("shared", ["git"], indirect=True)
def test_what_a_run_sends_too_late_is_refused_by_its_clock_or_else_reported(shared, timed, second):
    """Another user's keys do not help, and an hour after it was sent nobody waits for it any more.

    Stopped before it has the headers off, a run sees that its lease is over; within the body it sees nothing.
    """
    steps = steps_of(shared, timed)
    mine, theirs, late, other = overtaken(shared, timed, second, steps.index(POST), (ME, YOU))
    assert (late.code, "has lost its lease" in late.err, other.code) == (6, True, 0), late.err
    mine.assert_executed_once(len(SOME))
    mine, theirs, late, other = overtaken(shared, timed, second, steps.index(POST) + 1, (ME, YOU))
    assert (late.code in (5, 6), other.code) == (True, 0), other.err
    for checkout in (mine, theirs):
        again = checkout.timed()
        assert (again.code, again.err.count("launched twice")) == (1, 2), again.err


@pytest.mark.parametrize("shared", ["file", "git", *slowly("s3", "seaweed", "azure")], indirect=True)
def test_a_run_that_is_stopped_until_its_lease_expires_sends_nothing_when_it_continues(
    shared, timed, second, record_property
):
    """The other machine has other batches, so that no idempotency key helps."""
    steps = steps_of(shared, timed)
    chosen = stopped_steps(shared, steps)
    for step in chosen:
        mine, _, late, other = overtaken(shared, timed, second, step, (ME, ME))
        what = f"stopped before step {step}, {steps[step]!r}"
        assert other.code == 0, f"{what}: {other.err}"
        assert late.code in (0, 5, 6), f"{what}: exit {late.code}\n{late.err}"
        finish(shared, mine, f"{what}, went on with exit {late.code}: {late.err}")
    record_property("stops", len(chosen))
