"""``lock show`` and ``lock release``: show who holds a manifest's lease, and free it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.opened_manifest import Opened, open_target
from manifest_runner.commands.setup.options import Target
from manifest_runner.errors import ApprovalNeeded, BadState, UsageProblem
from manifest_runner.launch.lease.lease import Lease, LeaseStanding, standing
from manifest_runner.launch.lease.stored_lease import free_lease, read_lease, write_free_lease

if TYPE_CHECKING:
    from manifest_runner.store.interface import Store


class LeaseState(msgspec.Struct, frozen=True):
    """A lease as it is now; ``lease`` is None if nobody ever took it."""

    where: str
    lease: Lease | None
    standing: LeaseStanding


def show_lease(path: Path, target: Target, context: Context) -> LeaseState:
    """The lease as it is now. Raises UsageProblem if the manifest has none."""
    opened, store = _opened(path, target, context)
    name = opened.stores.lease_name
    lease = read_lease(store, name).lease
    return LeaseState(store.where(name), lease, standing(lease, "", context.clock()))


def release_lease(path: Path, target: Target, context: Context, approve: Callable[[LeaseState], bool]) -> LeaseState:
    """Free the lease once ``approve`` agrees, and return what it was before. Raises ApprovalNeeded otherwise.

    If its holder is alive after all, it finds out before it sends the next batch.
    """
    opened, store = _opened(path, target, context)
    name = opened.stores.lease_name
    try:
        found = read_lease(store, name)
    except BadState:  # what is stored is not a lease; only this command can fix that
        found = None
    lease = found.lease if found else None
    state = LeaseState(store.where(name), lease, standing(lease, "", context.clock()) if found else "held")
    if state.standing in ("absent", "free"):
        return state
    if not approve(state):
        raise ApprovalNeeded("the lease was not released: confirm with --yes. Nothing was changed.")
    if found is None:
        write_free_lease(store, name, context.clock())
    else:
        free_lease(store, name, found, context.clock())
    return state


def _opened(path: Path, target: Target, context: Context) -> tuple[Opened, Store]:
    opened = open_target(path, target, context)
    if opened.stores.lease is None:
        raise UsageProblem(f"{path}: has no lease; `state: URL` or `lock: git` in the manifest gives it one")
    return opened, opened.stores.lease
