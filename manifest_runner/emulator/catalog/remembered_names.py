"""Remember names that were looked up: the ids of made-up things are hashes, which do not show the name."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Literal, NamedTuple

from manifest_runner.emulator.store.database import transaction

Kind = Literal["project", "pipeline", "data"]


class Known(NamedTuple):
    """A made-up thing: its id, its project (empty for a project or pipeline) and its name or path."""

    id: str
    project: str
    name: str


class Memory:
    """The names of made-up things, stored in the database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._remembered: set[tuple[Kind, str]] = set()

    def remember(self, kind: Kind, things: Iterable[Known]) -> None:
        """Keep names, unless they are known already."""
        if new := [each for each in things if (kind, each.id) not in self._remembered]:
            with transaction(self._connection):
                self._connection.executemany(
                    "INSERT OR IGNORE INTO names VALUES (?,?,?,?)", ((kind, *each) for each in new)
                )
            self._remembered.update((kind, each.id) for each in new)

    def recall(self, kind: Kind, thing_id: str) -> Known | None:
        """The name to which this id was given."""
        row = self._connection.execute(
            "SELECT id, project, name FROM names WHERE kind = ? AND id = ?", (kind, thing_id)
        ).fetchone()
        return Known(*row) if row else None
