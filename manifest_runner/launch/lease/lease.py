"""The lease: the claim that lets one run at a time work on a manifest, wherever it runs.

It is one value in a store, created only if there is none and written only over the version that was read. It lasts ten
minutes and is renewed at half time; a run that finds it expired by more than a minute (clocks differ) takes it over. A
released lease stays, free, with the batches whose items its holder had not all seen. Pure except for the store:
``clock`` and ``sleep`` are parameters.

==================  ===================================================================================================
the holder …        then …
==================  ===================================================================================================
ends                it releases the lease, even if it fails: the next run takes it at once
is killed           its folder still has the token, so the next run there takes it at once; others wait until it has
                    expired, or until somebody frees it with ``lock release``
is stopped          as when killed; when it continues, its next renewal finds another version, so it sends nothing more.
                    Within a request it checks the clock once more, before the body
loses the store     it sends nothing more and ends with exit 5; the lease expires, or its folder takes it back
==================  ===================================================================================================

If the journal is not shared, the lease says before each POST what is sent (see `in_flight`), for whoever takes over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Literal, NamedTuple

import msgspec

from manifest_runner.errors import BadState
from manifest_runner.launch.lease.in_flight import SHOWN_WITHIN, Coming, batches_in, is_in_flight
from manifest_runner.text import plain_text
from manifest_runner.timestamps import seconds_of, timestamp

LASTS = 600.0
MARGIN = 60.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 15.0
# Launches that nobody has recorded show within seconds of a manual release.
SHOWN_SOON = 10.0
# In ``unseen``, for launches that a holder may have sent if it did not release the lease itself.
UNKNOWN = "unknown"

LeaseStanding = Literal["absent", "free", "ours", "expired", "held"]


class LeaseHeld(BadState):
    """Another run works on the manifest."""


class LeaseLost(BadState):
    """Another run has taken over the lease; nothing more is sent or written."""


class Holder(msgspec.Struct, frozen=True):
    """A run that wants the lease; it is recognized by the token."""

    owner: str
    host: str
    pid: int
    command: str
    token: str


class Lease(msgspec.Struct, frozen=True):
    """The value in the store. A free lease ends at the moment it begins, which is its release.

    ``unseen`` are batches that another machine may not see yet (`in_flight.batch_entry`), and batches that are about to
    be sent or were never answered (`in_flight.entry_of`).
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
        """The holder, for messages."""
        who = plain_text(f"{self.owner} on {self.host}", 200)
        return f"{who} (process {self.pid}, `{plain_text(self.command, 200)}`) since {plain_text(self.since, 40)}"


class Claim(NamedTuple):
    """The lease as it was before it was claimed: None if there was none."""

    before: Lease | None
    standing: LeaseStanding

    @property
    def unseen_batches(self) -> list[str]:
        """The batches to read before anything is sent, as entries."""
        return [each for each in self._unseen if not _is_unread(each)]

    def coming(self, now: float, unresolved: Collection[str]) -> Iterator[Coming]:
        """Launches under the lease that may still show and are not resolved.

        These are, for an hour, batches that were never answered, and for a moment anything, if somebody else freed it.
        """
        for batch in batches_in(unresolved):
            yield Coming(min(now, batch.at or now) + SHOWN_WITHIN, frozenset(batch.starts))
        if UNKNOWN in unresolved and self.before is not None:
            yield Coming(min(now, seconds_of(self.before.since) or now) + SHOWN_SOON)

    @property
    def is_clean(self) -> bool:
        """Whether everything ever sent under this lease is known or can be read by its batch."""
        return self.standing == "free" and not any(map(_is_unread, self._unseen))

    @property
    def is_complete(self) -> bool:
        """Whether the lease names everything that was sent under it, including what may not show yet."""
        batches = batches_in(self._unseen)
        return self.before is not None and UNKNOWN not in self._unseen and all(batch.starts for batch in batches)

    @property
    def released_at(self) -> float | None:
        """When its last holder released it, in seconds since the epoch by that machine's clock."""
        return seconds_of(self.before.since) if self.before is not None and self.before.is_free else None

    @property
    def _unseen(self) -> tuple[str, ...]:
        return self.before.unseen if self.before else ()

    def was_anothers(self, token: str) -> bool:
        """Whether somebody else held the lease since this token did, if it ever did."""
        return self.before is not None and self.before.token != token


def _is_unread(entry: str) -> bool:
    """Whether no batch can be read by it."""
    return entry == UNKNOWN or is_in_flight(entry)


# -- decisions


def standing(lease: Lease | None, token: str, now: float) -> LeaseStanding:
    """The standing of a lease for the holder of this token."""
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


def renewed(lease: Lease, now: float, unseen: tuple[str, ...]) -> Lease:
    return msgspec.structs.replace(lease, until=timestamp(now + LASTS), unseen=unseen)


def released(lease: Lease, now: float, unseen: tuple[str, ...]) -> Lease:
    return msgspec.structs.replace(lease, since=timestamp(now), until=timestamp(now), unseen=unseen)


def check_clocks(lease: Lease, now: float, where: str) -> None:
    """Raise BadState if a lease was taken in the future: one of two clocks is wrong, and nobody knows which."""
    since = seconds_of(lease.since)
    if since is not None and since - now > MARGIN:
        raise BadState(
            f"{where}: the lease of {lease.words} begins {since - now:.0f} s from now by this machine's clock. Set the "
            "clock that is wrong: a lease allows for a minute. Nothing was sent."
        )
