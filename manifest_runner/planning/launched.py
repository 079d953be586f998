"""What the launches of a lockfile were sent as. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from manifest_runner.lockfile.model import LockedItem, Lockfile
from manifest_runner.lockfile.requests import sent_requests
from manifest_runner.model import Item
from manifest_runner.planning.diff import Change, changes
from manifest_runner.planning.identity import is_stamp
from manifest_runner.signed_urls import mask_json

Request = dict[str, Any]


class LaunchedRequests:
    """The requests of a lockfile's batches. Items come mostly in the order in which they were sent."""

    def __init__(self, lockfile: Lockfile) -> None:
        self._batches = lockfile.batches
        self._requests = lru_cache(maxsize=4)(self._read)

    def request(self, launch: LockedItem, reference: str) -> Request | None:
        """What was sent, less the stamps; None where the lockfile does not know it."""
        sent = self._requests(launch.batch_id or "").get(reference)
        return None if sent is None else unstamped(sent)

    def changes(self, item: Item, launch: LockedItem, reference: str) -> list[Change] | None:
        """What differs from what was sent as ``reference``; None where the lockfile does not know it."""
        sent = self._requests(launch.batch_id or "").get(reference)
        return None if sent is None else changes(sent, orjson.loads(mask_json(item.request)))

    def _read(self, batch_id: str) -> dict[str, Request]:
        batch = self._batches.get(batch_id)
        try:
            return sent_requests(batch.requests) if batch and batch.requests else {}
        except ValueError:  # edited by hand, in a part that only this reads
            return {}


def unstamped(request: Request) -> Request:
    """A request as it was before stamping; lists of tags that are empty then are left out."""
    tags = dict(request.get("tags") or {})
    technical = [tag for tag in tags.pop("technicalTags", None) or () if not is_stamp(tag)]
    tags |= {"technicalTags": technical} if technical else {}
    rest = {key: value for key, value in request.items() if key != "tags"}
    return {**rest, "tags": tags} if tags else rest
