"""Pack and unpack the requests of a batch, which the lockfile keeps."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from typing import Any

import orjson

# A lockfile can come from anybody's branch, and a few bytes can be deflated from gigabytes.
MAX_BODY = 64 * 2**20
FAST = 1


def keep_requests(body: bytes) -> str | None:
    """The bytes that were POSTed, as the lockfile keeps them; None if they are too many."""
    return b64encode(zlib.compress(body, FAST)).decode() if len(body) <= MAX_BODY else None


def sent_requests(kept: str) -> dict[str, dict[str, Any]]:
    """The requests of a batch by userReference. Raises ValueError if this is not what `keep_requests` made."""
    try:
        inflate = zlib.decompressobj()
        return requests_in(inflate.decompress(b64decode(kept, validate=True), MAX_BODY))
    except (ValueError, zlib.error, AttributeError, KeyError, TypeError) as e:
        raise ValueError("not the requests of a batch") from e


def requests_in(body: bytes) -> dict[str, dict[str, Any]]:
    """The requests in the body of a POST, by userReference."""
    members = orjson.loads(body)
    return {request["userReference"]: request for requests in members.values() for request in requests}
