"""A store in memory whose answers can be lost."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from manifest_runner.errors import Unreachable
from manifest_runner.store.interface import Conflict, Stored, Unchanged


class MemoryStore:
    """``failing`` says what happens to the next write: "lost" is executed without an answer, "refused" is not."""

    def __init__(self) -> None:
        self.values: dict[str, Stored] = {}
        self.failing: str | None = None
        self.probed = self.writes = self.removals = 0
        self._numbers = count(1)

    def where(self, name: str) -> str:
        return f"memory://{name}"

    def get(self, name: str, *, unless: str | None = None) -> Stored | None:
        found = self.values.get(name)
        if found is not None and found.version == unless:
            raise Unchanged(name)
        return found

    def create(self, name: str, content: bytes) -> str:
        if name in self.values:
            raise Conflict(name)
        return self._write(name, content)

    def replace(self, name: str, content: bytes, version: str) -> str:
        if name not in self.values or self.values[name].version != version:
            raise Conflict(name)
        return self._write(name, content)

    def delete(self, names: Sequence[str]) -> None:
        self.removals += len(names)
        for name in names:
            self.values.pop(name, None)

    def names(self, folder: str) -> list[str]:
        return sorted(name for name in self.values if name.startswith(folder))

    def probe(self, name: str, content: bytes) -> None:
        self.probed += 1

    def _write(self, name: str, content: bytes) -> str:
        failing, self.failing = self.failing, None
        self.writes += 1
        if failing == "refused":
            raise Unreachable("refused")
        self.values[name] = Stored(content, str(next(self._numbers)))
        if failing == "lost":
            raise Unreachable("lost")
        return self.values[name].version
