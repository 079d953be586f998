"""Count the analyses of a manifest that run, and how many more may. Only reads from ICA."""

from __future__ import annotations

import sys
from collections.abc import Container
from typing import TYPE_CHECKING

from msgspec import structs

from manifest_runner.errors import Refused
from manifest_runner.launch.batch_items import BatchIndex
from manifest_runner.launch.gone import Gone
from manifest_runner.launch.record import updated, with_analysis
from manifest_runner.lockfile.model import LockedItem, Lockfile

if TYPE_CHECKING:  # requests is imported only when something is sent
    from manifest_runner.ica.client import Client


def unfinished(lockfile: Lockfile, gone: Container[LockedItem] = ()) -> int:
    """The number of launches that are not known to have ended, including replaced ones, except those ``gone``."""
    launches = (launch for item in lockfile.items.values() for launch in item.launches)
    return sum(not launch.analysis_is_final and launch not in gone for launch in launches)


def room_for(lockfile: Lockfile, most: int | None, gone: Container[LockedItem] = ()) -> int:
    """The number of further analyses that may run if at most ``most`` may run at once (None: any number)."""
    return sys.maxsize if most is None else max(0, most - unfinished(lockfile, gone))


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
