"""Which items of a lockfile the items of a batch are: a launch may have another name now than when it was sent."""

from __future__ import annotations

from collections.abc import Mapping

from manifest_runner.ica.model import BatchItem
from manifest_runner.lockfile.model import LockedItem
from manifest_runner.planning.identity import digest_stamp


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
