"""The journal in a store: one object for each batch, so that any machine can finish what another left.

The object is created before the POST, overwritten with the answer, and removed when the lockfile has it: two writes and
a removal for each batch, and a write for each try after the first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

import msgspec

from manifest_runner.launch.journal.records import Chain, Record, damaged, line, parsed
from manifest_runner.launch.lease.lease import LeaseLost
from manifest_runner.store.interface import Conflict, Store


class _Object(msgspec.Struct):
    name: str
    version: str
    content: bytes


class StoredRecords:
    """Objects ``000001.json``, ``000002.json``, … in ``folder``, which ends with ``/``.

    ``check`` is called before each write, and raises where this run may not write any more. Each record says under
    which lease it was written: ``token`` is that of this run, ``before`` that of the run before it.
    """

    def __init__(
        self,
        store: Store,
        folder: str,
        check: Callable[[], None] = lambda: None,
        *,
        token: str = "",
        before: str = "",
    ) -> None:
        self._store = store
        self._folder = folder
        self._check = check
        self._token = token
        self._before = before
        self._objects: dict[str, _Object] = {}
        self._last = 0

    @property
    def where(self) -> str:
        return self._store.where(self._folder)

    def read(self) -> Iterator[Chain]:
        """The records of the previous run come first.

        What a run under another lease wrote, and the previous run did not settle, was written after that lease was
        lost, and never sent; this shows only once the others are settled.
        """
        chains = [chain for name in self._store.names(self._folder) if (chain := self._read(name))]
        yield from sorted(chains, key=lambda chain: chain[0][1].get("lease") != self._before)

    def _read(self, name: str) -> list[tuple[str, Record]]:
        stored = self._store.get(name)
        if stored is None:  # another run has put it into the lockfile since
            return []
        self._last = max(self._last, _number(name))
        chain = list(parsed(stored.content, self._store.where(name)))
        if len(chain) < 2 or "post" not in chain[1][1]:
            raise damaged(self._store.where(name), "not the record of a batch")
        self._objects[chain[1][1]["post"]] = _Object(name, stored.version, stored.content)
        return chain

    def append(self, record: Record, head: Record) -> None:
        self._check()
        if "post" in record:
            self._objects[record["post"]] = self._create(line({**head, "lease": self._token}) + line(record))
        elif "again" in record:
            self._replace(self._objects[record["again"]], line(record))
        elif "answer" in record:
            answered = self._objects[record["answer"]]
            self._replace(answered, line(record))
            answered.content = b""  # a long run need not keep the bytes of all its batches
        else:
            self._store.delete([self._objects.pop(record["released"]).name])

    def _create(self, content: bytes) -> _Object:
        """Create an object under the next number that no other run has taken."""
        while True:
            self._last += 1
            name = f"{self._folder}{self._last:06d}.json"
            try:
                return _Object(name, self._store.create(name, content), content)
            except Conflict:
                continue

    def _replace(self, found: _Object, more: bytes) -> None:
        try:
            found.version = self._store.replace(found.name, found.content + more, found.version)
            found.content += more
        except Conflict as e:
            raise LeaseLost(
                f"{self._store.where(found.name)}: another run has settled this batch, so this run has lost its lease. "
                "It sends nothing more. Nothing is lost; run again once the other has ended."
            ) from e

    def sync(self) -> None:
        """Values in a store are durable."""

    def forget_all_but(self, pending: Collection[str]) -> None:
        settled = [key for key in self._objects if key not in pending]
        if settled:
            self._check()
            self._store.delete([self._objects.pop(key).name for key in settled])

    def close(self) -> None:
        """Nothing is open."""


def _number(name: str) -> int:
    digits = name.rpartition("/")[2].partition(".")[0]
    return int(digits) if digits.isdecimal() else 0
