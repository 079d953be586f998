"""Launches whose item has a new name. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import orjson
from msgspec import structs

from manifest_runner.lockfile.model import LockedItem, Lockfile
from manifest_runner.model import Item
from manifest_runner.planning.identity import Digester
from manifest_runner.planning.known_digests import Identities, canonical
from manifest_runner.planning.launched_requests import LaunchedRequests, Request, request_hash

# At most so many new and removed items are compared: making the digests of all pairs then takes a second.
_COMPARED = 200


def moved_launch(
    launch: LockedItem, old: str, item: Item, identities: Identities, requests: LaunchedRequests
) -> LockedItem:
    """The launch of an item that was named ``old``, under the item's new name.

    Its own request under the new name is accepted: the new name is not a change, but any other change still is.
    """
    new = item.user_reference
    known = identities.under(item, item.request, launch.attempt, old)
    if any(digest in (launch.digest, launch.accepted) for digest in known):
        accepted: str | None = identities.now(item.request, item.kind, item.revision, launch.attempt)
    else:
        accepted = _own_digest(launch, requests.request(launch, _sent_as(launch, old)), new, identities.now)
    former = launch.renamed_from if old == new else old
    return structs.replace(launch, renamed_from=former, accepted=accepted, removed=False)


def with_earlier(launch: LockedItem, other: LockedItem) -> LockedItem:
    """A launch that replaces that of an item that had left the manifest, whose launches are kept."""
    return structs.replace(launch, previous=(*other.previous, other.alone, *launch.previous))


def _own_digest(launch: LockedItem, request: Request | None, new: str, digest: Digester) -> str | None:
    if request is None:
        return None
    return digest(canonical({**request, "userReference": new}), launch.kind, launch.revision, launch.attempt)


def _sent_as(launch: LockedItem, old: str) -> str:
    """The userReference in the request that was sent; of an item that was renamed before, an older one."""
    return launch.renamed_from or old


class RenameGuard:
    """Finds new items that were already launched under a name that has left the manifest."""

    def __init__(self, lockfile: Lockfile, identities: Identities) -> None:
        self._lockfile = lockfile
        self._identities = identities
        self._new: dict[str, list[str]] = {}
        self._first: list[Item] = []

    def add(self, item: Item) -> None:
        """Remember a new item by its request."""
        if self._lockfile.items:
            found = request_hash(item.kind, orjson.loads(item.request))
            self._new.setdefault(found, []).append(item.user_reference)
            if len(self._first) < _COMPARED:
                self._first.append(item)

    def matches(self, removed: Iterable[str], requests: LaunchedRequests) -> dict[str, str]:
        """Old names by new ones, each once, for requests that differ only in the name."""
        found: dict[str, str] = {}
        without_request: list[str] = []
        names = {sent: iter(new) for sent, new in self._new.items()}
        for old in removed if self._new else ():
            launch = self._lockfile.items[old]
            if launch.creation_failed:
                continue
            sent = requests.hash_of(launch, _sent_as(launch, old))
            if sent is None:
                without_request.append(old)
            if new := next(names.get(sent or "", iter(())), None):
                found[new] = old
        for old in without_request[:_COMPARED]:
            if new := next((name for name in self._named(old) if name not in found), None):
                found[new] = old
        return found

    def _named(self, old: str) -> Iterator[str]:
        """New items that would have the digest of a launch under its name: the lockfile does not have its request."""
        launch = self._lockfile.items[old]
        known, names = (launch.digest, launch.accepted), {old, _sent_as(launch, old)}
        for item in self._first:
            under = (self._identities.under(item, item.request, launch.attempt, name) for name in names)
            if any(digest in known for digests in under for digest in digests):
                yield item.user_reference
