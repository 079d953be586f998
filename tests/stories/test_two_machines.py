"""More than one machine: whoever is killed or stopped wherever, another machine goes on, and each digest is paid once.

The machines share no disk but a place for state: a folder, a bucket, or the remote of a git repository, which holds
the lease only. They go by a clock that stands still until somebody sleeps, so nobody waits for a lease to end.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from buckets import Buckets, serving_buckets
from crash_lab import KILLED, Emulator, ForkServer, Moment, Place
from machines import EXPIRED, Shared

pytest_plugins = ["lab_plugin"]

ME, YOU = "a-users-key", "another-users-key"
POST = "send POST analysisCreationBatch"


@pytest.fixture(name="buckets", scope="module")
def _buckets() -> Iterator[Buckets]:
    with serving_buckets() as buckets:
        yield buckets


@pytest.fixture(name="timed")
def _timed(timed_emulator: Emulator, server: ForkServer, clock: Moment) -> Place:
    """An emulator by the tests' clock that creates items at once."""
    return Place(server, timed_emulator.start(), timed_emulator.database, clock)


@pytest.fixture(name="shared", params=["file", "s3", "git"])
def _shared(request: pytest.FixtureRequest, tmp_path: Path) -> Shared:
    buckets = request.getfixturevalue("buckets") if request.param == "s3" else None
    return Shared(request.param, tmp_path, buckets)


def steps_of(shared: Shared, place: Place) -> list[str]:
    """The steps of a run that nobody kills; not of the first, which makes the place for state."""
    for _ in range(2):
        (checkout,) = shared.machines(place, ME)
        ended = checkout.timed()
        assert ended.code == 0, ended.err
        shared.check(checkout)
    return ended.steps


def moments(shared: Shared, steps: list[str]) -> list[tuple[int, str]]:
    """Before every step, and after those that the other side may have acted upon. Files are another story's, but for
    a shared folder, where they are the store."""
    far = ("send", "receive", "store", "git")
    wanted = [step for step, name in enumerate(steps) if shared.kind == "file" or name.startswith(far)]
    after = [
        step for step in wanted if steps[step].startswith(("send", "store put", "store delete", "git push", "replace"))
    ]
    return [*((step, "before") for step in wanted), *((step, "after") for step in after)]


@pytest.mark.parametrize("other", [ME, YOU], ids=["same user", "other user"])
def test_what_is_killed_at_any_step_is_finished_by_another_machine(shared, timed, other, record_property):
    """And the machine that was killed, when it runs again, finds nothing to do."""
    steps = steps_of(shared, timed)
    chosen, kills = moments(shared, steps), 0
    if other == YOU:  # what differs is how a pending batch is settled
        chosen = [(step, when) for step, when in chosen if POST in steps[max(0, step - 2) : step + 2]]
    for step, when in chosen:
        mine, theirs = shared.machines(timed, ME, other)
        killed = mine.timed(at={"step": step, "when": when})
        kills += killed.code == KILLED
        what = f"{shared.kind}: after a kill {when} step {step}, {steps[step]!r}"
        ended = theirs.timed(lock_timeout=EXPIRED)
        if ended.code == 7 and other == YOU:  # what another user sent may still be created within an hour
            timed.clock.advance(3600)
            ended = theirs.timed()
        assert ended.code == 0, f"{what}: exit {ended.code}\n{ended.err}"
        try:
            shared.check(theirs)
        except (AssertionError, KeyError) as e:
            raise AssertionError(f"{what}: {e!r}\n{ended.err}") from e
        again = mine.timed()
        assert (again.code, again.steps.count(POST)) == (0, 0), f"{what}, and back: exit {again.code}\n{again.err}"
        shared.check(mine)
    assert kills > 0.9 * len(chosen)  # how many reads one answer takes is the network's affair
    record_property("kills", kills)
