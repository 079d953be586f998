"""A thread that renews a lease at half time, also while the run waits for an answer or for analyses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from manifest_runner.errors import RunnerError
from manifest_runner.launch.lease.keeper import LeaseKeeper
from manifest_runner.launch.lease.lease import LeaseLost

SHORTEST_PAUSE = 1.0
PAUSE_AFTER_FAILURE = 15.0


@contextmanager
def renewing(keeper: LeaseKeeper) -> Iterator[None]:
    """Renew the lease in the background. If that fails, the run itself notices before it sends anything."""
    ended = Event()
    thread = Thread(target=_renew, args=(keeper, ended), name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(PAUSE_AFTER_FAILURE)


def _renew(keeper: LeaseKeeper, ended: Event) -> None:
    pause = 0.0
    while not ended.wait(max(SHORTEST_PAUSE, pause)):
        try:
            if keeper.renews_in <= 0:
                keeper.renew()
            pause = keeper.renews_in
        except LeaseLost:
            return
        except RunnerError:  # the store may come back before the lease ends
            pause = PAUSE_AFTER_FAILURE
