"""Read the lease from its store, and free it by hand."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from msgspec import structs

from manifest_runner.errors import BadState
from manifest_runner.launch.lease.in_flight import batch_entry, is_in_flight, name_of, size_of
from manifest_runner.launch.lease.lease import UNKNOWN, Lease, LeaseHeld, released
from manifest_runner.store.interface import Conflict, Store
from manifest_runner.timestamps import timestamp


class Read(NamedTuple):
    """A lease as it was read, with its version."""

    lease: Lease | None
    version: str


def read_lease(store: Store, name: str) -> Read:
    """The lease in a store. Raises BadState if it is damaged."""
    stored = store.get(name)
    if stored is None:
        return Read(None, "")
    try:
        return Read(_with_sizes(_DECODER.decode(stored.content)), stored.version)
    except (msgspec.MsgspecError, UnicodeDecodeError) as e:
        raise BadState(
            f"{store.where(name)}: this is not a lease ({e}). Nothing was sent. If no run is going on, free it with "
            "`manifest-runner lock release`."
        ) from e


class _StoredLease(Lease, frozen=True):
    """A lease as it is stored: ``unseen`` holds the ids of batches alone, ``sizes`` how many items they have."""

    sizes: dict[str, int] = msgspec.field(default_factory=dict)


_DECODER = msgspec.json.Decoder(_StoredLease)


def lease_json(lease: Lease) -> bytes:
    return msgspec.json.encode(lease_document(lease))


def lease_document(lease: Lease) -> dict[str, Any]:
    """The JSON object of a lease."""
    unseen = [each if is_in_flight(each) else name_of(each) for each in lease.unseen]
    sizes = {name_of(each): size for each in lease.unseen if (size := size_of(each)) is not None}
    document = {**structs.asdict(lease), "unseen": unseen}
    return {**document, "sizes": sizes} if sizes else document


def _with_sizes(stored: _StoredLease) -> Lease:
    members = structs.asdict(stored)
    sizes = members.pop("sizes")
    members["unseen"] = tuple(batch_entry(each, sizes[each]) if each in sizes else each for each in stored.unseen)
    return Lease(**members)


def free_lease(store: Store, name: str, found: Read, now: float) -> None:
    """Free a lease that somebody else may hold, and note that what it has sent is unknown. Raises BadState."""
    if found.lease is None or found.lease.is_free:
        return
    unseen = tuple(dict.fromkeys([*found.lease.unseen, UNKNOWN]))
    try:
        store.replace(name, lease_json(released(found.lease, now, unseen)), found.version)
    except Conflict as e:
        raise LeaseHeld(f"{store.where(name)}: changed in the meantime, so its holder is alive. Look again.") from e


def write_free_lease(store: Store, name: str, now: float) -> None:
    """Write a free lease over an object that is not a lease."""
    stored = store.get(name)
    lease = Lease("unknown", "unknown", 0, "", timestamp(now), timestamp(now), "", (UNKNOWN,))
    if stored is not None:
        store.replace(name, lease_json(lease), stored.version)
