"""The requests with which the launches of a lockfile were sent. Pure.

A launch is found in its batch by its digest stamp, since it may have been renamed more than once since it was sent.
Without stamps it is found by the name that it had, if the lockfile knows that.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

from manifest_runner.lockfile.model import LockedItem, Lockfile
from manifest_runner.lockfile.requests import SentRequest, sent_requests
from manifest_runner.model import Item
from manifest_runner.planning.diff import Change, changes
from manifest_runner.planning.identity import DIGEST_STAMP, digest_stamp, is_stamp
from manifest_runner.planning.known_digests import canonical
from manifest_runner.signed_urls import mask_json

Request = dict[str, Any]

HASH_DIGITS = 32


class _Sent(NamedTuple):
    """The requests of a batch, by their userReferences and by their digest stamps."""

    by_name: dict[str, SentRequest]
    by_stamp: dict[str, SentRequest]


class LaunchedRequests:
    """The requests of a lockfile's batches. Items come mostly in the order in which they were sent."""

    def __init__(self, lockfile: Lockfile) -> None:
        self._batches = lockfile.batches
        self._requests = lru_cache(maxsize=4)(self._read)

    def request(self, launch: LockedItem, reference: str) -> Request | None:
        """The request that was sent, without the stamps; None if the lockfile does not know it."""
        sent = self._find(launch, reference)
        return None if sent is None else unstamped(sent)

    def changes(self, item: Item, launch: LockedItem, reference: str) -> list[Change] | None:
        """The changes since the request that was sent as ``reference``; None if the lockfile does not know it."""
        sent = self._find(launch, reference)
        if sent is None:
            return None
        known = {"kind": (launch.kind, item.kind), "revision": (launch.revision, item.revision)}
        beside = [Change(name, before, after) for name, (before, after) in known.items() if before != after]
        return [*beside, *changes(sent, orjson.loads(mask_json(item.request)))]

    def hash_of(self, launch: LockedItem, reference: str) -> str | None:
        """The ``request_hash`` of a launch that was sent as ``reference``; None if it is not known."""
        if launch.request_hash is not None:
            return launch.request_hash
        sent = self.request(launch, reference)
        return None if sent is None else request_hash(launch.kind, sent)

    def _find(self, launch: LockedItem, reference: str) -> Request | None:
        batch = self._requests(launch.batch_id or "")
        sent = batch.by_stamp.get(digest_stamp(launch.digest)) or batch.by_name.get(reference)
        try:
            return None if sent is None else sent.decoded()
        except ValueError:  # edited by hand, as below
            return None

    def _read(self, batch_id: str) -> _Sent:
        batch = self._batches.get(batch_id)
        try:
            requests = sent_requests(batch.requests) if batch and batch.requests else {}
        except ValueError:  # edited by hand, in a part that only this reads
            requests = {}
        return _Sent(requests, {stamp: each for each in requests.values() for stamp in _stamps(each)})


def _stamps(request: SentRequest) -> list[str]:
    return [tag for tag in request.technical_tags if is_stamp(tag) and tag.startswith(DIGEST_STAMP)]


def request_hash(kind: str, request: Request) -> str:
    """A hash that is the same for requests that differ only in their userReference, stamps and signatures in URLs."""
    rest = {key: value for key, value in unstamped(request).items() if key != "userReference"}
    return sha256(kind.encode() + mask_json(canonical(rest))).hexdigest()[:HASH_DIGITS]


def unstamped(request: Request) -> Request:
    """A request as it was before stamping, without lists of tags that were empty then."""
    tags = dict(request.get("tags") or {})
    technical = [tag for tag in tags.pop("technicalTags", None) or () if not is_stamp(tag)]
    tags |= {"technicalTags": technical} if technical else {}
    rest = {key: value for key, value in request.items() if key != "tags"}
    return {**rest, "tags": tags} if tags else rest
