"""Claim a lease, and wait for it. Pure except for the store: ``clock`` and ``sleep`` are parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from manifest_runner.launch.lease.keeper import LeaseKeeper
from manifest_runner.launch.lease.lease import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Claim,
    Holder,
    Lease,
    LeaseHeld,
    check_clocks,
    claimed,
    standing,
)
from manifest_runner.launch.lease.stored_lease import lease_json, read_lease
from manifest_runner.store.interface import Conflict, Store
from manifest_runner.text import plain_text


class Claimed(NamedTuple):
    """A lease that is ours, and what it was before."""

    keeper: LeaseKeeper
    claim: Claim


class Claimant(NamedTuple):
    """A run that wants the lease ``name`` of a store."""

    store: Store
    name: str
    holder: Holder
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    notify: Callable[[str], None] = lambda _line: None


def claim_lease(who: Claimant, timeout: float) -> Claimed:
    """Take the lease; waits at most ``timeout`` seconds for another run to release it. Raises LeaseHeld, BadState.

    If somebody else takes it between reading and writing, it is read again.
    """
    end, pause, waited_for = who.clock() + timeout, FIRST_PAUSE, ""
    while True:
        lease, version = read_lease(who.store, who.name)
        now = who.clock()
        found = standing(lease, who.holder.token, now)
        if lease is not None and found == "held":
            _check_time(who, lease, end)
            if lease.token != waited_for:
                who.notify(f"waiting for {lease.words}")
            who.sleep(min(pause, max(0.0, end - who.clock())))
            waited_for = lease.token
            pause = min(pause * 1.5, LONGEST_PAUSE)
        elif (keeper := _taken(who, lease, version, now)) is not None:
            if found == "expired" and lease is not None:
                who.notify(f"took over the expired lease of {lease.words}")
            return Claimed(keeper, Claim(lease, found))


def _check_time(who: Claimant, lease: Lease, end: float) -> None:
    where = who.store.where(who.name)
    check_clocks(lease, who.clock(), where)
    if who.clock() >= end:
        raise LeaseHeld(
            f"{where}: in use by {lease.words}. Nothing was sent. Wait for it to end, or let this command "
            "wait with --lock-timeout SECONDS. A dead run's lease ends by itself, this one at "
            f"{plain_text(lease.until, 40)}; `manifest-runner lock release` ends it at once."
        )


def _taken(who: Claimant, before: Lease | None, version: str, now: float) -> LeaseKeeper | None:
    """The lease, if it is ours now. What our own earlier runs and others left unseen stays in it until its release."""
    lease = claimed(who.holder, now, before.unseen if before else ())
    content = lease_json(lease)
    try:
        written = who.store.replace(who.name, content, version) if before else who.store.create(who.name, content)
    except Conflict:
        return None
    if before is None:
        who.store.probe(who.name, content)
    return LeaseKeeper(who.store, who.name, lease, written, clock=who.clock, notify=who.notify)
