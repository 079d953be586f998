"""Claims, renews and releases a lease. Pure but for the store: ``clock`` and ``sleep`` are parameters."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock

from manifest_runner.launch.lease.lease import (
    FIRST_PAUSE,
    LASTS,
    LONGEST_PAUSE,
    Claim,
    Holder,
    Lease,
    LeaseHeld,
    LeaseLost,
    check_clocks,
    claimed,
    released,
    renewed,
    standing,
)
from manifest_runner.launch.lease.stored_lease import Read, lease_json, read_lease
from manifest_runner.store.interface import Conflict, Store
from manifest_runner.text import plain_text
from manifest_runner.timestamps import seconds_of


class LeaseKeeper:
    """Claims, renews and releases one lease for one holder. Safe to use from two threads."""

    def __init__(
        self,
        store: Store,
        name: str,
        holder: Holder,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        notify: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._store = store
        self._name = name
        self._holder = holder
        self._clock = clock
        self._sleep = sleep
        self._notify = notify
        self._lock = RLock()
        self._lease: Lease | None = None
        self._version = ""
        self._lost: str | None = None
        self._unseen: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        return self._store.where(self._name)

    # -- claiming

    def claim(self, timeout: float = 0.0) -> Claim:
        """Take the lease; waits at most ``timeout`` seconds for another to let go. Raises LeaseHeld, BadState.

        Between reading and writing somebody else may take it: then it is read again.
        """
        end, pause, waited_for = self._clock() + timeout, FIRST_PAUSE, ""
        while True:
            lease, version = read_lease(self._store, self._name)
            now = self._clock()
            found = standing(lease, self._holder.token, now)
            if lease is not None and found == "held":
                self._check_time(lease, end)
                if lease.token != waited_for:
                    self._notify(f"waiting for {lease.words}")
                self._sleep(min(pause, max(0.0, end - self._clock())))
                waited_for = lease.token
                pause = min(pause * 1.5, LONGEST_PAUSE)
            elif self._take(lease, version, now):
                if found == "expired" and lease is not None:
                    self._notify(f"took over the expired lease of {lease.words}")
                return Claim(lease, found)

    def _check_time(self, lease: Lease, end: float) -> None:
        check_clocks(lease, self._clock(), self.where)
        if self._clock() >= end:
            raise LeaseHeld(
                f"{self.where}: in use by {lease.words}. Nothing was sent. Wait for it to end, or let this command "
                "wait with --lock-timeout SECONDS. A dead run's lease ends by itself, this one at "
                f"{plain_text(lease.until, 40)}; `manifest-runner lock release` ends it at once."
            )

    def _take(self, before: Lease | None, version: str, now: float) -> bool:
        """Whether it is ours now. What our own earlier runs and others left unseen stays until it is released."""
        lease = claimed(self._holder, now, before.unseen if before else ())
        content = lease_json(lease)
        try:
            written = self._write(content, version if before else None)
        except Conflict:
            return False
        if before is None:
            self._store.probe(self._name, content)
        self._lease, self._version, self._lost, self._unseen = lease, written, None, lease.unseen
        return True

    def _write(self, content: bytes, version: str | None) -> str:
        if version is None:
            return self._store.create(self._name, content)
        return self._store.replace(self._name, content, version)

    # -- holding

    @property
    def renews_in(self) -> float:
        """Seconds until half of the lease is over."""
        until = seconds_of(self._held.until) or 0.0
        return until - LASTS / 2 - self._clock()

    @property
    def _held(self) -> Lease:
        if self._lost is not None:
            raise LeaseLost(self._lost)
        if self._lease is None:
            raise AssertionError("not claimed")
        return self._lease

    def check(self) -> None:
        """Before anything is written: as far as is known here it is still ours. Raises LeaseLost.

        While the clock says so, a renewal that is under way is not waited for.
        """
        while self.renews_in + LASTS / 2 <= 0:
            self.renew()

    def assure(self) -> None:
        """Make sure that the lease is still ours; to be called before anything is sent. Raises LeaseLost.

        Half of it over: renewed. Else it is looked at, for somebody may have freed it by hand.
        """
        with self._lock:
            if self.renews_in <= 0:
                self.renew()
                return
            now = read_lease(self._store, self._name)
            if now.version != self._version:
                self._take_stock(now)

    def announce(self, unseen: tuple[str, ...]) -> None:
        """As `assure`, and what is about to be sent is in the lease when this returns."""
        with self._lock:
            self.note(unseen)
            self.renew()

    def note(self, unseen: tuple[str, ...]) -> None:
        """The next renewal writes this, if there is one before the release."""
        self._unseen = unseen

    def renew(self) -> None:
        """Raises LeaseLost if somebody else has taken or freed it; expired alone is not lost."""
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
        """A write of ours may have been executed without an answer: then the lease still has our token."""
        if now.lease is None or now.lease.token != self._holder.token or now.lease.is_free:
            whose = "it was freed" if now.lease is None or now.lease.is_free else f"it is now held by {now.lease.words}"
            self._lost = (
                f"{self.where}: this run has lost its lease: {whose}. It sends nothing more; what it sent is in the "
                "journal. Run again once the other has ended."
            )
            raise LeaseLost(self._lost)
        self._lease, self._version = now

    def release(self, unseen: tuple[str, ...]) -> None:
        """Free the lease for the next run. A lost one is not ours to free."""
        with self._lock:
            if self._lost is not None or self._lease is None:
                return
            lease = lease_json(released(self._lease, self._clock(), unseen))
            try:
                self._store.replace(self._name, lease, self._version)
            except Conflict:
                self._release_again(lease)
            self._lease = None

    def _release_again(self, lease: bytes) -> None:
        """A renewal may have been executed without an answer."""
        try:
            self._take_stock(read_lease(self._store, self._name))
            self._store.replace(self._name, lease, self._version)
        except (LeaseLost, Conflict):
            self._notify(f"{self.where}: the lease was no longer this run's to release")
