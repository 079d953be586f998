"""The output of the ``lock`` commands: a lease, and a lockfile that was copied."""

from __future__ import annotations

from typing import Any

from manifest_runner.commands.lock.lease import LeaseState
from manifest_runner.commands.lock.transfer import Copied
from manifest_runner.launch.lease import stored_lease
from manifest_runner.launch.lease.in_flight import InFlight, batches_in, is_in_flight
from manifest_runner.text import counted
from manifest_runner.timestamps import timestamp

_WORDS = {"absent": "free; never taken", "free": "free", "expired": "expired", "held": "held"}


def lease_lines(state: LeaseState) -> list[str]:
    lease = state.lease
    lines = [f"lease:  {state.where}", f"status: {_WORDS[state.standing]}"]
    if lease is None:
        return lines
    if lease.is_free:
        lines.append(f"last:   {lease.words}")
    else:
        lines += [f"holder: {lease.words}", f"until:  {lease.until}"]
    if unseen := [each for each in lease.unseen if not is_in_flight(each)]:
        batches = counted(len(unseen), "batch", "batches")
        lines.append(f"unseen: {batches} that another machine may not see yet; the next run reads them first")
    return [*lines, *map(_in_flight_line, batches_in(lease.unseen))]


def _in_flight_line(batch: InFlight) -> str:
    size = f" of {counted(len(batch.starts), 'item')}" if batch.starts else ""
    at = f" at {timestamp(batch.at)}" if batch.at is not None else ""
    return f"sent:   a batch{size}{at}, with no answer known yet"


def lease_document(state: LeaseState) -> dict[str, Any]:
    lease = None if state.lease is None else stored_lease.lease_document(state.lease)
    return {"where": state.where, "status": state.standing, "lease": lease}


def released_lines(before: LeaseState) -> list[str]:
    if before.standing in ("absent", "free"):
        return [f"{before.where}: the lease is already free"]
    of = f" of {before.lease.words}" if before.lease else ""
    return [f"{before.where}: released the lease{of}"]


def copied_lines(copied: Copied) -> list[str]:
    return [f"copied {counted(copied.items, 'item')} from {copied.source} to {copied.target}"]


def copied_document(copied: Copied) -> dict[str, Any]:
    return {"from": copied.source, "to": copied.target, "items": copied.items}
