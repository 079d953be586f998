"""Launches that others have replaced: nothing waits for them, but how they end belongs in the lockfile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import structs

from manifest_runner.errors import Refused
from manifest_runner.ica.model import Analysis
from manifest_runner.launch.following.batch_items import BatchIndex
from manifest_runner.launch.following.gone import Gone
from manifest_runner.launch.following.status_search import pages
from manifest_runner.launch.record import updated, with_analysis
from manifest_runner.launch.stamp_search import stamped_analyses
from manifest_runner.lockfile.model import LockedItem, Lockfile

if TYPE_CHECKING:  # requests is imported only when something is sent
    from manifest_runner.ica.client import Client


def look_at_replaced(client: Client, lockfile: Lockfile, names: Sequence[str]) -> None:
    """Update the replaced launches that have not ended. What ICA does not show stays as it is.

    A launch that was replaced before its analysis showed is read from its batch. The others are found by a search, or
    one by one where that takes no more requests.
    """
    for batch_id, unseen in _without_analysis(lockfile).items():
        _read_batch(client, lockfile, batch_id, unseen)
    launches = [launch for item in lockfile.items.values() for launch in item.previous]
    ids = {each.analysis.id for each in launches if each.analysis and not each.analysis_is_final}
    if not ids:
        return
    is_many = bool(names) and len(ids) > pages(len(lockfile.items) + len(launches))
    analyses = stamped_analyses(client, names) if is_many else _each(client, sorted(ids))
    found = {analysis.id: analysis for analysis in analyses if analysis.id in ids}
    for reference, item in list(lockfile.items.items()):
        for launch in item.previous:
            if launch.analysis and launch.analysis.id in found:
                _replace(lockfile, reference, launch, with_analysis(launch, found[launch.analysis.id]))


def _without_analysis(lockfile: Lockfile) -> Mapping[str, Mapping[str, LockedItem]]:
    """The replaced launches that were last seen while they were being created: by batch, then by userReference."""
    by_batch: dict[str, dict[str, LockedItem]] = {}
    for reference, item in lockfile.items.items():
        for launch in item.previous:
            if launch.batch_id is not None and not launch.creation_is_final:
                by_batch.setdefault(launch.batch_id, {})[reference] = launch
    return by_batch


def _read_batch(client: Client, lockfile: Lockfile, batch_id: str, launches: Mapping[str, LockedItem]) -> None:
    index = BatchIndex(launches)
    with suppress(Refused):
        for seen in client.list_items(batch_id):
            if (reference := index.reference(seen)) is not None:
                _replace(lockfile, reference, launches[reference], updated(launches[reference], seen))


def _replace(lockfile: Lockfile, reference: str, old: LockedItem, new: LockedItem) -> None:
    item = lockfile.items[reference]
    previous = tuple(new if each is old else each for each in item.previous)
    lockfile.items[reference] = structs.replace(item, previous=previous)


def _each(client: Client, ids: Iterable[str]) -> Iterator[Analysis]:
    for analysis_id in ids:
        with suppress(Refused):
            yield client.get_analysis(analysis_id)


def follow_replaced(client: Client, lockfile: Lockfile, gone: Gone) -> None:
    """Ask for each replaced launch that has not ended, also one without an analysis: nothing else follows those."""
    for name, item in lockfile.items.items():
        if not all(launch.analysis_is_final for launch in item.previous):
            previous = tuple(
                launch if launch.analysis_is_final or launch in gone else _refreshed(client, name, launch, gone)
                for launch in item.previous
            )
            lockfile.items[name] = structs.replace(item, previous=previous)


def _refreshed(client: Client, name: str, launch: LockedItem, gone: Gone) -> LockedItem:
    try:
        return _as_seen(client, name, launch)
    except Refused as refused:
        gone.add(client, launch, refused)
        return launch


def _as_seen(client: Client, name: str, launch: LockedItem) -> LockedItem:
    if launch.analysis is not None:
        return with_analysis(launch, client.get_analysis(launch.analysis.id))
    if launch.batch_id is None:
        return launch
    if launch.item_id is not None:
        return updated(launch, client.get_item(launch.batch_id, launch.item_id))
    index = BatchIndex({name: launch})
    seen = next(filter(index.reference, client.list_items(launch.batch_id)), None)
    return launch if seen is None else updated(launch, seen)
