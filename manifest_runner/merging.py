"""``lock merge``: three lockfiles of one manifest become one, as git's merge drivers are asked to do. Pure.

Items and batches are merged one by one, so branches that each launched something never conflict. An item that both
sides launched keeps the later launch, and the other one in its history: both exist, and both were paid for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from manifest_runner.errors import BadState
from manifest_runner.lockfile import LockedBatch, LockedItem, Lockfile, launched


def merge_lockfiles(base: Lockfile | None, ours: Lockfile, theirs: Lockfile) -> Lockfile:
    """Everything that either side knows. Raises BadState for lockfiles of different manifests."""
    for what in ("name", "project", "server"):
        mine, other = getattr(ours, what), getattr(theirs, what)
        if mine != other:
            raise BadState(
                f"the lockfiles are of different manifests: {what} {mine!r} and {other!r}; nothing was merged"
            )
    known = base or Lockfile(ours.name, ours.project, ours.server)
    batches = {
        key: _batch(known.batches.get(key), ours.batches.get(key), theirs.batches.get(key))
        for key in ours.batches.keys() | theirs.batches.keys()
    }
    items = {
        key: _item(known.items.get(key), ours.items.get(key), theirs.items.get(key))
        for key in ours.items.keys() | theirs.items.keys()
    }
    return replace(ours, batches=batches, items=items)


def _batch(base: LockedBatch | None, ours: LockedBatch | None, theirs: LockedBatch | None) -> LockedBatch:
    if ours is None or theirs is None:
        only = ours or theirs
        assert only is not None
        return only
    return theirs if ours == base else ours


def _item(base: LockedItem | None, ours: LockedItem | None, theirs: LockedItem | None) -> LockedItem:
    if ours is None or theirs is None:
        only = ours or theirs
        assert only is not None
        return only
    if ours == theirs or theirs == base:
        return ours
    if ours == base:
        return theirs
    if ours.digest == theirs.digest:
        return _further(ours, theirs)
    older, newer = sorted((ours, theirs), key=_order)
    return launched(replace(older, previous=_joined(older, newer)), replace(newer, previous=()))


def _further(ours: LockedItem, theirs: LockedItem) -> LockedItem:
    """One launch seen at two times: the one that has come further."""
    progress = [(each.analysis_is_final, each.creation_is_final, each.item_id is not None) for each in (ours, theirs)]
    further = theirs if progress[1] > progress[0] else ours
    return replace(further, previous=_joined(ours, theirs), removed=ours.removed and theirs.removed)


def _order(item: LockedItem) -> tuple[int, tuple[int, ...], str]:
    return item.attempt, tuple(int(part) for part in item.revision.split(".")), item.digest


def _joined(one: LockedItem, other: LockedItem) -> tuple[Mapping[str, Any], ...]:
    return (*one.previous, *(each for each in other.previous if each not in one.previous))
