"""Pack and unpack the requests of a batch, which the lockfile keeps."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from typing import Any

import msgspec
import orjson

# A lockfile can come from anybody's branch, and a few bytes can be deflated from gigabytes.
MAX_BODY = 64 * 2**20
FAST = 1


class _Tags(msgspec.Struct, frozen=True, rename="camel"):
    technical_tags: tuple[str, ...] | None = None


class _Head(msgspec.Struct, frozen=True, rename="camel"):
    user_reference: str
    pipeline_id: Any = None  # also what somebody wrote there by hand
    tags: _Tags | None = None


class SentRequest(msgspec.Struct, frozen=True):
    """A request of a batch, which may have a million parameters: only what all are asked for is decoded at once."""

    head: _Head
    json: msgspec.Raw

    @property
    def technical_tags(self) -> tuple[str, ...]:
        return (self.head.tags and self.head.tags.technical_tags) or ()

    def decoded(self) -> dict[str, Any]:
        """All of it. Raises ValueError for text that no server takes, such as half of a surrogate pair."""
        request: dict[str, Any] = orjson.loads(memoryview(self.json))
        return request


_members = msgspec.json.Decoder(dict[str, list[msgspec.Raw]]).decode
_head = msgspec.json.Decoder(_Head).decode


def keep_requests(body: bytes) -> str | None:
    """The bytes that were POSTed, as the lockfile keeps them; None if they are too many."""
    return b64encode(zlib.compress(body, FAST)).decode() if len(body) <= MAX_BODY else None


def sent_requests(kept: str) -> dict[str, SentRequest]:
    """The requests of a batch by userReference. Raises ValueError if this is not what `keep_requests` made."""
    try:
        inflate = zlib.decompressobj()
        return requests_in(inflate.decompress(b64decode(kept, validate=True), MAX_BODY))
    except (ValueError, msgspec.MsgspecError, zlib.error) as e:
        raise ValueError("not the requests of a batch") from e


def requests_in(body: bytes) -> dict[str, SentRequest]:
    """The requests in the body of a POST, by userReference. Raises MsgspecError for another JSON document."""
    sent = [SentRequest(_head(each), each) for members in _members(body).values() for each in members]
    return {each.head.user_reference: each for each in sent}
