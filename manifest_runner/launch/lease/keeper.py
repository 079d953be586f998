"""Renew a claimed lease, make sure that it is still ours, and release it. Pure except for the store."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock

from manifest_runner.launch.lease.lease import (
    LASTS,
    Lease,
    LeaseLost,
    released,
    renewed,
)
from manifest_runner.launch.lease.stored_lease import Read, lease_json, read_lease
from manifest_runner.store.interface import Conflict, Store
from manifest_runner.timestamps import seconds_of


class LeaseKeeper:
    """Renews and releases a claimed lease. Safe to use from two threads."""

    def __init__(
        self,
        store: Store,
        name: str,
        lease: Lease,
        version: str,
        *,
        clock: Callable[[], float],
        notify: Callable[[str], None],
    ) -> None:
        """``version`` is that of the lease in the store."""
        self._store = store
        self._name = name
        self._lease = lease
        self._version = version
        self._clock = clock
        self._notify = notify
        self._lock = RLock()
        self._lost: str | None = None
        self._is_released = False
        self._unseen = lease.unseen

    @property
    def where(self) -> str:
        return self._store.where(self._name)

    @property
    def renews_in(self) -> float:
        """Seconds until half of the lease is over."""
        until = seconds_of(self._held.until) or 0.0
        return until - LASTS / 2 - self._clock()

    @property
    def _held(self) -> Lease:
        if self._lost is not None:
            raise LeaseLost(self._lost)
        return self._lease

    def check(self) -> None:
        """Make sure, before anything is written, that as far as we know the lease is still ours. Raises LeaseLost.

        As long as it has not expired, a renewal that is in progress is not waited for.
        """
        while self.renews_in + LASTS / 2 <= 0:
            self.renew()

    def assure(self) -> None:
        """Make sure, before anything is sent, that the lease is still ours. Raises LeaseLost.

        Renews it if half of it is over; otherwise reads it, since somebody may have freed it by hand.
        """
        with self._lock:
            if self.renews_in <= 0:
                self.renew()
                return
            now = read_lease(self._store, self._name)
            if now.version != self._version:
                self._take_stock(now)

    def announce(self, unseen: tuple[str, ...]) -> None:
        """The same as `assure`, and what is about to be sent is in the lease when this returns."""
        with self._lock:
            self.note(unseen)
            self.renew()

    def note(self, unseen: tuple[str, ...]) -> None:
        """Note what the next renewal writes, if there is one before the release."""
        self._unseen = unseen

    def renew(self) -> None:
        """Renew the lease. Raises LeaseLost if somebody else has taken or freed it; merely expired is not lost."""
        with self._lock:
            lease = renewed(self._held, self._clock(), self._unseen)
            try:
                self._version = self._store.replace(self._name, lease_json(lease), self._version)
            except Conflict:
                self._take_stock(read_lease(self._store, self._name))
                self.renew()
                return
            self._lease = lease

    def _take_stock(self, now: Read) -> None:
        """Read the lease again: if a write of ours was executed without an answer, it still has our token."""
        if now.lease is None or now.lease.token != self._lease.token or now.lease.is_free:
            whose = "it was freed" if now.lease is None or now.lease.is_free else f"it is now held by {now.lease.words}"
            self._lost = (
                f"{self.where}: this run has lost its lease: {whose}. It sends nothing more; what it sent is in the "
                "journal. Run again once the other has ended."
            )
            raise LeaseLost(self._lost)
        self._lease, self._version = now.lease, now.version

    def release(self, unseen: tuple[str, ...]) -> None:
        """Free the lease for the next run, unless it is lost."""
        with self._lock:
            if self._lost is not None or self._is_released:
                return
            lease = lease_json(released(self._lease, self._clock(), unseen))
            try:
                self._store.replace(self._name, lease, self._version)
            except Conflict:
                self._release_again(lease)
            self._is_released = True

    def _release_again(self, lease: bytes) -> None:
        """Release once more, in case a renewal was executed without an answer."""
        try:
            self._take_stock(read_lease(self._store, self._name))
            self._store.replace(self._name, lease, self._version)
        except (LeaseLost, Conflict):
            self._notify(f"{self.where}: the lease was no longer this run's to release")
