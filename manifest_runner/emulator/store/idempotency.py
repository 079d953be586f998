"""The ``Idempotency-Key`` header: a POST that succeeded is answered again, not executed again.

The API keeps keys per user and endpoint, for successful answers only, and compares bodies byte by byte.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from manifest_runner.emulator.protocol.problems import Problem, refuse_parameter

_LONGEST_KEY = 255


class Slot(NamedTuple):
    """The key under which an answer is stored."""

    owner: str
    path: str
    key: str


class Answer(NamedTuple):
    """The answer to the first request under a key, given to all later ones."""

    status: int
    body: bytes


class KeyedAnswers:
    """The stored answers of one database, and the requests that this process is working on.

    Another process that works on the same key holds the database's write lock; whoever waits for the lock then finds
    the answer. So nothing about a request in progress has to survive a crash.
    """

    def __init__(self, connection: sqlite3.Connection, lifetime: float) -> None:
        self._connection = connection
        self._lifetime = lifetime
        self._in_progress: dict[Slot, bytes] = {}

    @contextmanager
    def holding(self, slot: Slot, body: bytes) -> Iterator[None]:
        """Work on a request. Raises Problem 409 while the same one is in progress, 422 for another body."""
        fingerprint = _fingerprint(body)
        if (working := self._in_progress.get(slot)) is not None:
            _require_same_body(working, fingerprint)
            raise Problem(409, "A request with this Idempotency-Key is still in progress.")
        self._in_progress[slot] = fingerprint
        try:
            yield
        finally:
            del self._in_progress[slot]

    def find(self, slot: Slot, body: bytes, now: float) -> Answer | None:
        """The stored answer, unless it has expired. Raises Problem 422 if it was the answer to another body."""
        row = self._connection.execute(
            "SELECT fingerprint, status, body FROM answers WHERE owner = ? AND path = ? AND key = ? AND stored > ?",
            (*slot, now - self._lifetime),
        ).fetchone()
        if row is None:
            return None
        _require_same_body(row[0], _fingerprint(body))
        return Answer(row[1], row[2])

    def uses(self, slot: Slot) -> int:
        """How often the key has been executed: more than once only after its answer had expired."""
        row = self._connection.execute(
            "SELECT uses FROM answers WHERE owner = ? AND path = ? AND key = ?", slot
        ).fetchone()
        return int(row[0]) if row else 0

    def keep(self, slot: Slot, body: bytes, answer: Answer, now: float) -> None:
        """Store an answer; call it in the transaction of the request itself."""
        self._connection.execute(
            "INSERT OR REPLACE INTO answers VALUES (?,?,?,?,?,?,?,?)",
            (*slot, self.uses(slot) + 1, _fingerprint(body), *answer, now),
        )


def check_key(key: str) -> None:
    """Raise Problem 400 for a key that the header must not have."""
    if not 0 < len(key) <= _LONGEST_KEY:
        refuse_parameter("Idempotency-Key", f"must have 1 to {_LONGEST_KEY} characters, not {len(key)}")


def _require_same_body(known: bytes, fingerprint: bytes) -> None:
    if known != fingerprint:
        raise Problem(422, "This Idempotency-Key was used before with another body.")


def _fingerprint(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()
