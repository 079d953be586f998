"""Launches that may not show to everybody yet: read them from a manifest's leases, and leave them there."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from manifest_runner.commands.setup.leases import Leases
from manifest_runner.launch.journal.journal import Journal
from manifest_runner.launch.lease.in_flight import (
    SHOWN_WITHIN,
    START,
    Coming,
    InFlight,
    batch_entry,
    entry_of,
    name_of,
    size_of,
)
from manifest_runner.lockfile.model import LockedItem, Lockfile
from manifest_runner.timestamps import seconds_of

# A batch that was sent at the end of the last run is shown sooner than this after it, or is not shown to this user.
YOUNG_SECONDS = 30.0


class Unseen:
    """What earlier holders of the leases have left for this run, and what this run leaves for the next one.

    ``journal`` is as it was read. If it ``is_shared``, everybody reads the same one: it says what was sent and is
    settled first, so that the lease need not say so before a POST.
    """

    def __init__(
        self, leases: Leases, lockfile: Lockfile, journal: Journal, clock: Callable[[], float], *, is_shared: bool
    ) -> None:
        self._leases = leases
        self._lockfile = lockfile
        self._journal = journal
        self._clock = clock
        self._is_shared = is_shared
        self._own_keys = {*journal.pending, *(answer.post.key for answer in journal.answers)}
        self._recent: list[str] | None = None

    # -- what earlier holders left

    @property
    def batches(self) -> dict[str, int | None]:
        """The batches whose items earlier holders had not all seen, except those in the lockfile.

        Each with the number of its items, if that is known. Those that remain after all were read are not shown to this
        credential.
        """
        sizes = {name_of(each): size_of(each) for each in self._leases.unseen_batches}
        return {batch_id: size for batch_id, size in sizes.items() if batch_id not in self._lockfile.batches}

    @property
    def are_young(self) -> bool:
        """Whether the lease was released so recently that ICA may not show those batches yet; shared state has them."""
        return not self._is_shared and abs(self._clock() - self._leases.last_release) < YOUNG_SECONDS

    @property
    def coming(self) -> tuple[Coming, ...]:
        """Launches of earlier holders that may still show."""
        return () if self._is_shared else self._leases.coming(self._clock(), self._resolved_keys())

    @property
    def in_flight(self) -> tuple[InFlight, ...]:
        """The batches that earlier holders were sending and nobody has settled."""
        return () if self._is_shared else self._leases.in_flight(self._resolved_keys())

    @property
    def was_anothers(self) -> bool:
        """Whether another run held the lease since the journal was written; a shared journal has what that run did."""
        held = self._leases.own
        return held is not None and held.was_anothers and not self._is_shared

    def _resolved_keys(self) -> set[str]:
        """The keys of batches that the lockfile has, or that this folder's own journal had when it was read.

        A batch whose launches are all known in another way is resolved, too: nobody waits for it.
        """
        keys = {batch.idempotency_key for batch in self._lockfile.batches.values()} | self._own_keys
        if batches := self._leases.in_flight(keys):
            launches = (launch for item in self._lockfile.items.values() for launch in item.launches)
            known = {launch.digest[:START] for launch in launches}
            keys |= {batch.key for batch in batches if batch.starts and known.issuperset(batch.starts)}
        return keys

    # -- what this run sends

    def before_post(self) -> None:
        """Make sure that the leases are ours. Unless the journal is shared, they say what is sent now.

        Raises LeaseLost, Unreachable.
        """
        if self._is_shared:
            self._leases.assure()
        else:
            self._leases.announce(self._sent())

    def after_post(self) -> None:
        """Called once an answer is in the journal: the next renewal writes the batch's id into the lease."""
        if not self._is_shared:
            self._leases.note(self._sent())

    def leave(self) -> None:
        """Record what the next holder of the lease must read first; shared state has most of it already."""
        self._leases.forget(self._lockfile.batches.keys() | self._resolved_keys())
        if (held := self._leases.own) is not None:
            items = self._lockfile.items.values()
            batches = {item.batch_id for item in items if item.batch_id and not item.creation_is_final}
            sent = [] if self._is_shared else [*self._recent_batches(), *self._pending()]
            held.unseen = held.with_unseen([*self._entries(sorted(batches)), *sent])
            held.keeps_token = not self._is_shared and bool(self._journal.pending)

    def _sent(self) -> list[str]:
        """What this folder has sent, as entries of a lease: all that no search may show yet to the next holder."""
        if self._recent is None:  # once, since what this run sends is in the journal
            self._recent = self._recent_batches()
        answers = [batch_entry(answer.batch_id, len(answer.post.items)) for answer in self._journal.answers]
        return [*self._recent, *answers, *self._pending()]

    def _entries(self, batch_ids: Iterable[str]) -> list[str]:
        batches = self._lockfile.batches
        return [batch_entry(each, batches[each].items) if each in batches else each for each in batch_ids]

    def _pending(self) -> list[str]:
        posts = self._journal.pending.values()
        now = self._clock()
        return [entry_of(post.key, post.by, now, (item.digest for item in post.items)) for post in posts]

    def _recent_batches(self) -> list[str]:
        """The batches that a search may not show yet to somebody with another lockfile, as entries.

        One that a crash left may have been executed long after it was first sent; its analyses then start late.
        """
        end = self._clock() - SHOWN_WITHIN
        starting = {
            launch.batch_id
            for item in self._lockfile.items.values()
            for launch in item.launches
            if launch.batch_id and not launch.creation_failed and _may_start_after(launch, end)
        }
        batches = self._lockfile.batches
        return self._entries(
            each for each, sent in batches.items() if each in starting or (seconds_of(sent.submitted_at) or end) > end
        )


def _may_start_after(launch: LockedItem, moment: float) -> bool:
    """Whether its analysis started after a moment, or has not started as far as is known."""
    started = None if launch.analysis is None else launch.analysis.start_date or launch.analysis.end_date
    return started is None or (seconds_of(started) or moment) > moment
