"""Digests, idempotency keys and stamps. Pure, and pinned by golden vectors: their results never change.

An item's digest is the SHA-256 of the JCS bytes (RFC 8785) of its identity. The request comes here as JCS bytes, and
the other members are ASCII or plain strings in fixed order, so the bytes are concatenated instead of serialised again;
property tests compare them with ``rfc8785``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

import orjson

from manifest_runner.signed_urls import mask_json

if TYPE_CHECKING:  # the type of what sha256 gives has no name at run time
    from hashlib import _Hash as HASH

NAME_STAMP = "manifest-runner-name:"
DIGEST_STAMP = "manifest-runner:"
STAMP_DIGITS = 32

# (request, kind, revision, attempt) → 64 hex digits
Digester = Callable[[bytes, str, str, int], str]


def item_digester(name: str, project: str, *, masked: bool = True) -> Digester:
    """The digest function of one manifest.

    ``request`` is the API's item before stamping, as JCS bytes; ``revision`` is ``"<manifest>.<analysis>"``. Signatures
    in URLs do not count (see ``signed_urls``), unless ``masked`` is False, as in earlier versions.
    """
    fixed = b'","name":' + orjson.dumps(name) + b',"project":' + orjson.dumps(project) + b',"request":'

    @lru_cache(maxsize=64)  # nearly all items of a manifest have these three in common
    def around(kind: str, revision: str, attempt: int) -> tuple[HASH, bytes]:
        return sha256(f'{{"attempt":{attempt},"kind":"{kind}'.encode() + fixed), f',"revision":"{revision}"}}'.encode()

    def digest(request: bytes, kind: str, revision: str, attempt: int) -> str:
        head, tail = around(kind, revision, attempt)
        whole = head.copy()
        whole.update((mask_json(request) if masked else request) + tail)
        return whole.hexdigest()

    return digest


def batch_key(digests: Iterable[str]) -> str:
    """The ``Idempotency-Key`` of a batch: 68 ASCII characters, a hash of its items' digests in order."""
    return "mr1-" + sha256("\n".join(digests).encode()).hexdigest()


def digest_stamp(digest: str) -> str:
    """The technical tag by which a launch is found again when its key has expired."""
    return DIGEST_STAMP + digest[:STAMP_DIGITS]


def name_stamp(name: str) -> str:
    """The technical tag that all launches of one manifest share."""
    return NAME_STAMP + name


def is_stamp(tag: object) -> bool:
    """Whether a technical tag is a stamp."""
    return isinstance(tag, str) and tag.startswith((DIGEST_STAMP, NAME_STAMP))


def plan_digest(digests: Iterable[str]) -> str:
    """One hash of the digests of all launches, whatever their order."""
    return sha256("\n".join(sorted(digests)).encode()).hexdigest()
