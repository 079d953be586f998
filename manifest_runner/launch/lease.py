"""The lease: the claim that lets one run at a time work on a manifest, wherever it runs.

It is one value in a store, created only where there is none and written only over what was read. It lasts ten minutes
and is renewed at half time; who finds it expired by more than a minute, for clocks differ, takes it over. A released
lease stays, free, with the batches that its holder has not seen whole. Pure but for the store: ``clock`` and ``sleep``
are parameters.

==================  ===================================================================================================
the holder …        then …
==================  ===================================================================================================
ends                it releases the lease, however it ends: the next run takes it at once
is killed           its folder still has the token, so the next run there takes it at once; others wait until it has
                    expired, or until somebody frees it with ``lock release``
is stopped          as when killed; when it goes on, its next renewal meets another version: lost, and it sends nothing
loses the store     it sends nothing more and ends with exit 5; the lease expires, or its folder takes it back
==================  ===================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Literal, NamedTuple

import msgspec

from manifest_runner.errors import BadState
from manifest_runner.store.interface import Conflict, Store
from manifest_runner.text import plain_text
from manifest_runner.timestamps import seconds_of, timestamp

LASTS = 600.0
MARGIN = 60.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 15.0
# In ``unseen``, for whatever a holder may have sent that did not release the lease itself.
UNKNOWN = "unknown"

LeaseStanding = Literal["absent", "free", "ours", "expired", "held"]


class LeaseHeld(BadState):
    """Another run works on the manifest."""


class LeaseLost(BadState):
    """Another run has taken over; nothing more is sent or written."""


class Holder(msgspec.Struct, frozen=True):
    """Who wants the lease. The token is what it is recognized by."""

    owner: str
    host: str
    pid: int
    command: str
    token: str


class Lease(msgspec.Struct, frozen=True):
    """The value in the store. A free lease ends when it begins: at the time of its release.

    ``unseen`` are ids of batches whose items had not all been seen, and for a batch that was never answered its key.
    """

    owner: str
    host: str
    pid: int
    command: str
    since: str
    until: str
    token: str
    unseen: tuple[str, ...] = ()

    @property
    def is_free(self) -> bool:
        return self.until == self.since

    @property
    def words(self) -> str:
        """Who holds it, for messages."""
        who = plain_text(f"{self.owner} on {self.host}", 200)
        return f"{who} (process {self.pid}, `{plain_text(self.command, 200)}`) since {plain_text(self.since, 40)}"


class Claim(NamedTuple):
    """What a claimed lease was before: None where there was none."""

    before: Lease | None
    standing: LeaseStanding

    @property
    def unseen_batches(self) -> list[str]:
        """The ids of the batches to read before anything is sent."""
        return [each for each in self._unseen if not _is_key(each)]

    @property
    def is_clean(self) -> bool:
        """Whether all that was ever sent under this lease is known, or can be read by its batch."""
        return self.standing == "free" and not any(map(_is_key, self._unseen))

    @property
    def _unseen(self) -> tuple[str, ...]:
        return self.before.unseen if self.before else ()

    def was_anothers(self, token: str) -> bool:
        """Whether somebody else held the lease since this token did, if it ever did."""
        return self.before is not None and self.before.token != token


def _is_key(unseen: str) -> bool:
    return unseen == UNKNOWN or unseen.startswith("mr1-")


# -- decisions


def standing(lease: Lease | None, token: str, now: float) -> LeaseStanding:
    """What a lease that was read means to whoever has this token."""
    if lease is None:
        return "absent"
    if lease.token == token:
        return "free" if lease.is_free else "ours"
    if lease.is_free:
        return "free"
    until = seconds_of(lease.until)
    return "expired" if until is not None and until + MARGIN < now else "held"


def claimed(holder: Holder, now: float, unseen: tuple[str, ...]) -> Lease:
    return Lease(
        holder.owner,
        holder.host,
        holder.pid,
        holder.command,
        timestamp(now),
        timestamp(now + LASTS),
        holder.token,
        unseen,
    )


def renewed(lease: Lease, now: float) -> Lease:
    return msgspec.structs.replace(lease, until=timestamp(now + LASTS))


def released(lease: Lease, now: float, unseen: tuple[str, ...]) -> Lease:
    return msgspec.structs.replace(lease, since=timestamp(now), until=timestamp(now), unseen=unseen)


def check_clocks(lease: Lease, now: float, where: str) -> None:
    """Raise BadState where a lease was taken in the future: one of two clocks is wrong, and which is not known."""
    since = seconds_of(lease.since)
    if since is not None and since - now > MARGIN:
        raise BadState(
            f"{where}: the lease of {lease.words} begins {since - now:.0f} s from now by this machine's clock. Set the "
            "clock that is wrong: a lease allows for a minute. Nothing was sent."
        )


# -- the store


class Read(NamedTuple):
    """A lease as it was read, with its version."""

    lease: Lease | None
    version: str


def read_lease(store: Store, name: str) -> Read:
    """The lease in a store. Raises BadState where it is damaged."""
    stored = store.get(name)
    if stored is None:
        return Read(None, "")
    try:
        return Read(_DECODER.decode(stored.content), stored.version)
    except (msgspec.MsgspecError, UnicodeDecodeError) as e:
        raise BadState(
            f"{store.where(name)}: this is not a lease ({e}). Nothing was sent. If no run is going on, free it with "
            "`manifest-runner lock release`."
        ) from e


_DECODER = msgspec.json.Decoder(Lease)


def lease_json(lease: Lease) -> bytes:
    return msgspec.json.encode(lease)


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
        self._lease, self._version, self._lost = lease, written, None
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
        """Before anything is written: as far as is known here it is still ours. Raises LeaseLost."""
        with self._lock:
            if self.renews_in + LASTS / 2 <= 0:
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

    def renew(self) -> None:
        """Raises LeaseLost where somebody else has taken or freed it; expired alone is not lost."""
        with self._lock:
            lease = renewed(self._held, self._clock())
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


def free_lease(store: Store, name: str, found: Read, now: float) -> None:
    """Free a lease that somebody else may hold. What its holder may have sent is not known. Raises BadState."""
    if found.lease is None or found.lease.is_free:
        return
    unseen = tuple(dict.fromkeys([*found.lease.unseen, UNKNOWN]))
    try:
        store.replace(name, lease_json(released(found.lease, now, unseen)), found.version)
    except Conflict as e:
        raise LeaseHeld(f"{store.where(name)}: changed in the meantime, so its holder is alive. Look again.") from e


def write_free_lease(store: Store, name: str, now: float) -> None:
    """Write a free lease over whatever is there that is not one."""
    stored = store.get(name)
    lease = Lease("unknown", "unknown", 0, "", timestamp(now), timestamp(now), "", (UNKNOWN,))
    if stored is not None:
        store.replace(name, lease_json(lease), stored.version)
