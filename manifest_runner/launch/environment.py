"""The values that every step of launching needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from manifest_runner.ica.connection.retry import Deadline
from manifest_runner.ica.model import DEFAULT_KEY_WINDOW
from manifest_runner.launch.journal.journal import Journal, Origin
from manifest_runner.launch.lease.in_flight import Coming
from manifest_runner.lockfile.model import Lockfile

if TYPE_CHECKING:  # requests is imported only when something is sent
    from manifest_runner.ica.client import Client


class LaunchEnvironment(msgspec.Struct, frozen=True):
    """The API, the state of one manifest, and how to wait. ``save`` writes the lockfile to disk.

    ``names`` are the manifest's name and its former ones, ``origin`` is who sends. ``key_window`` says for how many
    seconds an idempotency key is trusted; ``poll_interval`` is the pause between searches, None for one that grows.
    ``coming`` are launches of an earlier holder of the lease that no search may show yet; if ``is_complete``, there are
    no others.
    ``before_post`` raises LeaseLost if nothing may be sent any more; ``before_body`` does the same just before the
    bytes leave, and asks the store only if the lease has ended by the clock. ``after_post`` is called once an answer is
    in the journal. ``was_anothers``: since this journal was written another run may have launched what it holds.
    """

    client: Client
    names: tuple[str, ...]
    origin: Origin
    journal: Journal
    lockfile: Lockfile
    save: Callable[[], None]
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    notify: Callable[[str], None]
    deadline: Deadline
    key_window: float = DEFAULT_KEY_WINDOW
    poll_interval: float | None = None
    coming: tuple[Coming, ...] = ()
    is_complete: bool = False
    before_post: Callable[[], None] = lambda: None
    before_body: Callable[[], None] | None = None
    after_post: Callable[[], None] = lambda: None
    was_anothers: bool = False
