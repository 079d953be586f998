"""Match the items of a batch with launches of a lockfile: an item may have been renamed since it was sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from manifest_runner.errors import Refused
from manifest_runner.ica.model import BatchItem
from manifest_runner.launch.following.status_search import PAGE
from manifest_runner.lockfile.model import LockedItem, Lockfile
from manifest_runner.model import FINAL_CREATION
from manifest_runner.planning.identity import digest_stamp

if TYPE_CHECKING:  # requests is imported only when something is sent
    from manifest_runner.ica.client import Client

OPEN_CREATION = ("RUNNING", "WAITING_RESOURCES")
# Up to this many launches created since are fetched one by one, more by pages.
MANY = 50


class BatchIndex:
    """Finds launches of one batch by item id, by digest stamp, and by the name that they were sent under.

    ``launches`` are those of the batch, by userReference. A name counts only for a launch whose item id is not known
    yet, since it may belong to another item by now.
    """

    def __init__(self, launches: Mapping[str, LockedItem]) -> None:
        self._by_id: dict[str, str] = {}
        self._by_stamp: dict[str, str] = {}
        self._by_name: dict[str, str] = {}
        for reference, launch in launches.items():
            if launch.item_id is not None:
                self._by_id[launch.item_id] = reference
                continue
            self._by_stamp[digest_stamp(launch.digest)] = reference
            self._by_name[launch.renamed_from or reference] = reference

    def reference(self, seen: BatchItem) -> str | None:
        """The userReference that the launch has now; None if it is not among the launches."""
        if seen.id in self._by_id:
            return self._by_id[seen.id]
        stamped = next(filter(None, map(self._by_stamp.get, seen.technical_tags)), None)
        return stamped or self._by_name.get(seen.user_reference)


def seen_items(
    client: Client, lockfile: Lockfile, batch_id: str, references: list[str], index: BatchIndex
) -> Iterable[BatchItem]:
    """The batch's items that may have changed: one by one where that takes no more requests than the pages.

    A status filter shows which items are still being created; the others are fetched.
    """
    items = [lockfile.items[reference] for reference in references]
    ids = [item.item_id for item in items if item.item_id is not None]
    batch = lockfile.batches.get(batch_id)
    few = len(references) <= max(1, (batch.items if batch else 0) // PAGE)
    if len(ids) == len(items) and few:
        return [client.get_item(batch_id, item_id) for item_id in ids]
    if len(ids) < len(items) or all(item.creation_is_final for item in items):
        return client.list_items(batch_id)
    return _seen_by_status(client, lockfile, batch_id, references, index)


def _seen_by_status(
    client: Client, lockfile: Lockfile, batch_id: str, references: list[str], index: BatchIndex
) -> list[BatchItem]:
    try:
        seen = list(client.list_items(batch_id, OPEN_CREATION))
    except Refused as refused:
        if refused.status != HTTPStatus.BAD_REQUEST:
            raise
        return list(client.list_items(batch_id))
    still_open = {index.reference(item) for item in seen}
    left = [reference for reference in references if reference not in still_open]
    if len(left) > MANY:
        return [*seen, *client.list_items(batch_id, tuple(sorted(FINAL_CREATION)))]
    ids = [lockfile.items[reference].item_id for reference in left]
    return [*seen, *(client.get_item(batch_id, item_id) for item_id in ids if item_id is not None)]
