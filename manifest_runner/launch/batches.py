"""Put launches into batches: the bytes of each POST, and its key. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import msgspec
import orjson

from manifest_runner.launch.journal.journal import JournaledItem
from manifest_runner.launch.lease.in_flight import START, InFlight
from manifest_runner.model import Kind
from manifest_runner.planning.identity import batch_key, digest_stamp, name_stamp
from manifest_runner.planning.plan import Handle, Launch

_MEMBERS: tuple[tuple[str, Kind], ...] = (
    ("cwlItems", "cwl"),
    ("nextflowItems", "nextflow"),
    ("nextflowJsonItems", "nextflowJson"),
)


class PreparedBatch(msgspec.Struct, frozen=True):
    """One POST: its key, its body as JCS bytes, and the launches in the manifest's order."""

    key: str
    body: bytes
    launches: tuple[Launch, ...]


def make_batches(
    launches: Iterable[Launch], size: int, *, stamp_name: str | None, fetch: Callable[[Handle | None], bytes]
) -> Iterator[PreparedBatch]:
    """Batches of at most ``size`` items, made one at a time.

    ``fetch`` gives the request's JCS bytes for a launch's ``request``; ``stamp_name`` is the manifest's name
    where items are stamped, None if they are not.
    """
    remaining = iter(launches)
    while chunk := tuple(islice(remaining, size)):
        body = _body([(each, fetch(each.request)) for each in chunk], stamp_name)
        yield PreparedBatch(batch_key(each.digest for each in chunk), body, chunk)


def rebuilt_batch(
    batch: InFlight, launches: Iterable[Launch], *, stamp_name: str | None, fetch: Callable[[Handle | None], bytes]
) -> PreparedBatch | None:
    """The batch as another run sent it; None if not all of its items are among these launches."""
    by_start = {launch.digest[:START]: launch for launch in launches}
    chosen = [by_start[start] for start in batch.starts if start in by_start]
    if not chosen or batch_key(launch.digest for launch in chosen) != batch.key:
        return None
    return next(make_batches(chosen, len(chosen), stamp_name=stamp_name, fetch=fetch))


def _body(items: list[tuple[Launch, bytes]], stamp_name: str | None) -> bytes:
    """JCS bytes of the API's request: members in order, empty ones left out."""
    members = []
    for member, kind in _MEMBERS:
        requests = [
            request if stamp_name is None else stamped(request, launch.digest, stamp_name)
            for launch, request in items
            if launch.kind == kind
        ]
        if requests:
            members.append(b'"' + member.encode() + b'":[' + b",".join(requests) + b"]")
    return b"{" + b",".join(members) + b"}"


def stamped(request: bytes, digest: str, name: str) -> bytes:
    """The request with the two technical tags by which the launch is found again.

    A request that meets the API's rules holds only text, lists and objects with ASCII keys, and for those orjson's
    sorted output is JCS.
    """
    item = orjson.loads(request)
    tags = item.setdefault("tags", {})
    tags["technicalTags"] = [*tags.get("technicalTags", ()), digest_stamp(digest), name_stamp(name)]
    return orjson.dumps(item, option=orjson.OPT_SORT_KEYS)


def journaled(launch: Launch) -> JournaledItem:
    """A launch as the journal keeps it."""
    return JournaledItem(launch.user_reference, launch.digest, launch.kind, launch.revision, launch.attempt)
