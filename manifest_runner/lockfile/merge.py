"""``lock merge``: merge three lockfiles of one manifest, as a merge driver of git. Pure.

Items and batches are merged one by one, so branches that each launched something never conflict. An item that both
sides launched keeps the later launch, and the other one in its history: both exist, and both were paid for.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, TypeVar

from msgspec import structs

from manifest_runner.errors import BadState
from manifest_runner.lockfile.file import value_json
from manifest_runner.lockfile.model import LockedBatch, LockedItem, Lockfile
from manifest_runner.model import FINAL_JOB
from manifest_runner.timestamps import moment_or_first

T = TypeVar("T", LockedBatch, LockedItem)


def merge_lockfiles(base: Lockfile | None, ours: Lockfile, theirs: Lockfile) -> Lockfile:
    """Every launch that either side knows, in its latest known state. Raises BadState for different manifests.

    Swapping the sides makes no difference, except for the order of a history to which both sides have added.
    """
    for what in ("name", "project", "server"):
        mine, other = getattr(ours, what), getattr(theirs, what)
        if mine != other:
            cure = ". If it was renamed, keep one of the two; `manifest-runner import` adds the launches of the other"
            raise BadState(
                f"the lockfiles belong to different manifests: {what} {mine!r} and {other!r}; nothing was merged"
                f"{cure if what == 'name' else ''}"
            )
    known = base.items if base else {}
    batches = {
        key: _either(ours.batches.get(key), theirs.batches.get(key), _batch)
        for key in ours.batches.keys() | theirs.batches.keys()
    }
    items = {
        key: _either(ours.items.get(key), theirs.items.get(key), _Items(known.get(key), batches).merge)
        for key in ours.items.keys() | theirs.items.keys()
    }
    return structs.replace(ours, batches=batches, items=_moved_together(items, batches))


def _moved_together(items: dict[str, LockedItem], batches: Mapping[str, LockedBatch]) -> dict[str, LockedItem]:
    """If one side renamed an item and the other still has the former name, keep the new name with all launches."""
    merged = dict(items)
    for new, olds in _former_names(items).items():
        for old in olds:
            if new in merged and old in merged:
                launch = merged.pop(old)
                is_known = any(_is_same(launch, each) for each in merged[new].launches)
                name = None if is_known else old
                under_new_name = structs.replace(launch, renamed_from=name, removed=items[new].removed)
                merged[new] = _Items(None, batches).merge(merged[new], under_new_name)
    return merged


def _former_names(items: Mapping[str, LockedItem]) -> dict[str, list[str]]:
    """The keys of renamed items, each with the other keys of its launches: a launch belongs to one item.

    A key that is itself a new name counts only where the item was renamed from it.
    """
    renamed = {key: {each.renamed_from for each in item.launches} - {None} for key, item in sorted(items.items())}
    renamed = {key: olds for key, olds in renamed.items() if olds}
    keys: dict[Hashable, list[str]] = {}
    for key in sorted(items) if renamed else ():
        for mark in _marks(items[key]):
            keys.setdefault(mark, []).append(key)
    found = {}
    for new, olds in renamed.items():
        shared = {key for mark in _marks(items[new]) for key in keys[mark]} - {new}
        found[new] = sorted(key for key in shared if key in olds or key not in renamed)
    return found


def _marks(item: LockedItem) -> set[Hashable]:
    """The marks that show that two items have the same launch, even if one side sent it and the other adopted it."""
    ids = {launch.analysis.id for launch in item.launches if launch.analysis}
    return {*map(_identity, item.launches), *ids}


def _either(ours: T | None, theirs: T | None, both: Callable[[T, T], T]) -> T:
    if ours is None or theirs is None:
        only = ours or theirs
        assert only is not None
        return only
    return ours if ours == theirs else both(ours, theirs)


def _batch(ours: LockedBatch, theirs: LockedBatch) -> LockedBatch:
    """The later state of a batch that was seen twice."""
    behind, ahead = sorted((ours, theirs), key=lambda each: (each.status in FINAL_JOB, each.status or "", repr(each)))
    return structs.replace(ahead, requests=ahead.requests or behind.requests, more={**behind.more, **ahead.more})


class _Items:
    """The merge of one item. ``base`` is the item before the branches diverged; ``batches`` are already merged."""

    def __init__(self, base: LockedItem | None, batches: Mapping[str, LockedBatch]) -> None:
        self._base = base
        self._batches = batches

    def merge(self, ours: LockedItem, theirs: LockedItem) -> LockedItem:
        launches = _distinct([*ours.previous, *theirs.previous, *sorted((ours.alone, theirs.alone), key=self._order)])
        current = launches.pop(self._key_of_current(launches, ours, theirs))
        return structs.replace(
            current,
            previous=tuple(launches.values()),
            removed=self._is_removed(ours, theirs),
            **self._accepted(current, ours, theirs),
        )

    def _key_of_current(
        self, launches: Mapping[Identity, LockedItem], ours: LockedItem, theirs: LockedItem
    ) -> Identity:
        """The launch that replaced the other. If neither did, or each did according to its side, the later one."""
        mine, other = _key_in(launches, ours), _key_in(launches, theirs)
        was_replaced = any(_is_same(ours, launch) for launch in theirs.previous)
        has_replaced = any(_is_same(theirs, launch) for launch in ours.previous)
        if was_replaced != has_replaced:
            return other if was_replaced else mine
        return max(mine, other, key=lambda key: self._order(launches[key]))

    def _accepted(self, current: LockedItem, ours: LockedItem, theirs: LockedItem) -> dict[str, Any]:
        """The accepted changes of the current launch, from the side that changed them."""
        sides = sorted((side for side in (ours, theirs) if _is_same(side, current)), key=_acceptance)
        base = self._base if self._base and _is_same(self._base, current) else None
        changed = [side for side in sides if base is None or _acceptance(side) != _acceptance(base)]
        side = (changed or sides or [current])[-1]
        return {"accepted": side.accepted, "failure_accepted": side.failure_accepted}

    def _order(self, item: LockedItem) -> tuple[Any, ...]:
        batch = self._batches.get(item.batch_id or "")
        revision = tuple(int(part) for part in item.revision.split("."))
        sent = moment_or_first(batch.submitted_at if batch else None)  # an import keeps times as the server writes them
        return sent, item.attempt, revision, _text(item)

    def _is_removed(self, ours: LockedItem, theirs: LockedItem) -> bool:
        if self._base is None:
            return ours.removed and theirs.removed
        return theirs.removed if ours.removed == self._base.removed else ours.removed


Identity = tuple[str, str | None, str | None]


def _identity(launch: LockedItem) -> Identity:
    """What identifies a launch: a batch creates an item once, and an adopted launch has only its analysis."""
    analysis = launch.analysis.id if launch.analysis and launch.batch_id is None else None
    return launch.digest, launch.batch_id, analysis


def _is_same(one: LockedItem, other: LockedItem) -> bool:
    """Whether two are the same launch, even if one side sent it and the other adopted it."""
    ids = [launch.analysis.id if launch.analysis else None for launch in (one, other)]
    return _identity(one) == _identity(other) or (ids[0] is not None and ids[0] == ids[1])


def _distinct(launches: Iterable[LockedItem]) -> dict[Identity, LockedItem]:
    """Each launch once, in its latest state. One that was sent here and adopted elsewhere counts as sent."""
    found: dict[Identity, LockedItem] = {}
    for launch in launches:
        key = _identity(launch)
        found[key] = _further(found[key], launch) if key in found else launch
    sent = {launch.analysis.id for launch in found.values() if launch.analysis and launch.batch_id}
    return {key: launch for key, launch in found.items() if key[2] not in sent}


def _key_in(launches: Mapping[Identity, LockedItem], launch: LockedItem) -> Identity:
    """The key of a launch, or of the one that was sent in place of it."""
    key = _identity(launch)
    if key in launches:
        return key
    return next(each for each, other in launches.items() if other.analysis and other.analysis.id == key[2])


def _further(one: LockedItem, other: LockedItem) -> LockedItem:
    """The further advanced state of a launch that was seen twice."""
    behind, ahead = sorted((one, other), key=_progress)
    return structs.replace(
        ahead,
        abort_requested_at=ahead.abort_requested_at or behind.abort_requested_at,
        renamed_from=ahead.renamed_from or behind.renamed_from,
        outputs=behind.outputs if ahead.outputs is None else ahead.outputs,
        failure=ahead.failure or behind.failure,
        price=ahead.price or behind.price,
        request_hash=ahead.request_hash or behind.request_hash,
        more={**behind.more, **ahead.more},
    )


def _progress(item: LockedItem) -> tuple[Any, ...]:
    return (
        item.analysis_is_final,
        item.analysis is not None,
        item.creation_is_final,
        item.item_id is not None,
        _text(item),
    )


def _acceptance(item: LockedItem) -> tuple[str, bool]:
    return item.accepted or "", item.failure_accepted


def _text(item: LockedItem) -> bytes:
    """If nothing shows which is later, any order will do, as long as both sides use the same one."""
    return value_json(item)
