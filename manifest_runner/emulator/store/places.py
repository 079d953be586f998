"""The places to which requests send the outputs of analyses, so that data there can be traced to its analysis."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

# At most this many rows of a long list are shown.
_MOST = 1000
_LAST = "\U0010ffff"


def add_places(connection: sqlite3.Connection, places: Iterable[tuple[str, str, str]]) -> None:
    """Store each project and path (with ``/`` at its end) to which an analysis sends outputs, in a transaction."""
    connection.executemany("INSERT OR IGNORE INTO places VALUES (?,?,?)", places)


def find_places(connection: sqlite3.Connection, project: str, paths: Iterable[str]) -> list[str]:
    """The analyses that send outputs to one of these paths, above it or below it."""
    found: dict[str, None] = {}
    for path in paths:
        found |= dict.fromkeys(analysis for (analysis,) in _find(connection, project, path))
    return list(found)


def _find(connection: sqlite3.Connection, project: str, path: str) -> list[tuple[str]]:
    parts = path.rstrip("/").split("/")
    above = [f"{'/'.join(parts[:count])}/" for count in range(2, len(parts) + 1)]
    marks = ",".join("?" * (len(above) + 1))
    return connection.execute(
        f"SELECT analysis FROM places WHERE project = ? AND (path IN ({marks}) OR (path >= ? AND path < ?)) LIMIT ?",  # noqa: S608
        (project, path, *above, path, path + _LAST, _MOST),
    ).fetchall()
