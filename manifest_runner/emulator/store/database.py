"""The durable state: one SQLite file, which several processes may use at once.

With write-ahead logging, readers can continue beside a writer. ``synchronous=NORMAL`` keeps every committed transaction
when a process is killed at any moment, because the operating system then has the log; only a power cut can undo the
last commits, which does not matter for a server for trials, and it saves an fsync per request.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from manifest_runner.emulator.store.timetable import analysis_state, item_status

Row = TypeVar("Row")

_FORMAT = 3
_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project TEXT NOT NULL, owner TEXT NOT NULL,
    created REAL NOT NULL, done REAL NOT NULL, size INTEGER NOT NULL, failing INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS items (
    batch INTEGER NOT NULL, id TEXT NOT NULL, analysis TEXT NOT NULL,
    settled REAL NOT NULL, fate INTEGER NOT NULL, kind TEXT NOT NULL,
    user_reference TEXT NOT NULL, pipeline TEXT NOT NULL,
    technical_tags TEXT NOT NULL, user_tags TEXT NOT NULL, reference_tags TEXT NOT NULL,
    duration REAL NOT NULL, launch INTEGER NOT NULL, details TEXT,
    PRIMARY KEY (batch, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS items_by_analysis ON items (analysis);
CREATE TABLE IF NOT EXISTS aborts (analysis TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
    owner TEXT NOT NULL, path TEXT NOT NULL, key TEXT NOT NULL, uses INTEGER NOT NULL,
    fingerprint BLOB NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL, stored REAL NOT NULL,
    PRIMARY KEY (owner, path, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tokens (
    fingerprint BLOB PRIMARY KEY, owner TEXT NOT NULL, from_api_key INTEGER NOT NULL, expires REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS launches (
    project TEXT NOT NULL, user_reference TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (project, user_reference)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS names (
    kind TEXT NOT NULL, id TEXT NOT NULL, project TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS places (
    project TEXT NOT NULL, path TEXT NOT NULL, analysis TEXT NOT NULL, PRIMARY KEY (project, path, analysis)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS requests (
    endpoint TEXT NOT NULL, status INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (endpoint, status)
) WITHOUT ROWID;
"""
_FROM_FORMAT_1 = """
ALTER TABLE items ADD COLUMN duration REAL NOT NULL DEFAULT 0;
ALTER TABLE items ADD COLUMN launch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE items ADD COLUMN details TEXT;
UPDATE items SET duration = (SELECT duration FROM batches WHERE number = batch);
ALTER TABLE batches DROP COLUMN duration;
DROP TABLE tokens;
"""
_BATCH = "id, project, owner, created, done, size, failing"
_BUSY_SECONDS = 30.0


class NewItem(NamedTuple):
    """An item to store; ``settled`` is when it is created or has failed, tags are JSON lists as text.

    ``launch`` counts the launches of its userReference from 1, or is 0 if nothing depends on it; ``details`` is the
    JSON of the parts of its request that decide its outcome, if any.
    """

    id: str
    analysis: str
    settled: float
    fate: int
    kind: str
    user_reference: str
    pipeline: str
    technical_tags: str
    user_tags: str
    reference_tags: str
    duration: float
    launch: int
    details: str | None


class StoredBatch(NamedTuple):
    """A batch: ``done`` is when all its items are settled."""

    id: str
    project: str
    owner: str
    created: float
    done: float
    size: int
    failing: int


_MARKS = ",".join("?" * len(NewItem._fields))


def open_store(database: Path) -> sqlite3.Connection:
    """Open the database, or create it; the connection starts no transactions by itself.

    It may be passed from one thread to another, but only one may use it at a time. Raises ``sqlite3.Error``, also for a
    file with a newer format.
    """
    connection = sqlite3.connect(database, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found > _FORMAT:
        raise sqlite3.DatabaseError(f"the emulator's database has format {found}; this version knows {_FORMAT}")
    if found < _FORMAT:
        _upgrade(connection)
    _add_functions(connection)


def _upgrade(connection: sqlite3.Connection) -> None:
    """Create the tables, or upgrade those of an older format; another process may be doing the same."""
    with transaction(connection):
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        _execute_all(connection, (_FROM_FORMAT_1 if found == 1 else "") + _SCHEMA)
        connection.execute(f"PRAGMA user_version = {_FORMAT}")


def _execute_all(connection: sqlite3.Connection, script: str) -> None:
    """Unlike ``executescript``, this does not commit the transaction that it is called in."""
    for statement in script.split(";"):
        connection.execute(statement)


def _add_functions(connection: sqlite3.Connection) -> None:
    """Let queries filter and sort by statuses of the timetable."""
    connection.create_function("item_status", 4, item_status, deterministic=True)
    connection.create_function("analysis_status", 5, lambda *moment: analysis_state(*moment).status, deterministic=True)
    connection.create_function("analysis_start", 5, lambda *moment: analysis_state(*moment).started, deterministic=True)
    connection.create_function("analysis_end", 5, lambda *moment: analysis_state(*moment).ended, deterministic=True)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write exclusively, also among processes: everything is kept, or nothing if an exception leaves the block."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def add_batch(connection: sqlite3.Connection, batch: StoredBatch, items: Iterable[NewItem]) -> None:
    """Store a batch and its items; call it within a transaction."""
    cursor = connection.execute(
        f"INSERT INTO batches ({_BATCH}) VALUES (?,?,?,?,?,?,?)",  # noqa: S608
        batch,
    )
    # Sorted rows are appended to the table; unsorted, each would have to find its page.
    connection.executemany(
        f"INSERT INTO items VALUES ({cursor.lastrowid},{_MARKS})",  # noqa: S608
        sorted(items),
    )


def count_batches(connection: sqlite3.Connection) -> int:
    """How many batches there are."""
    (count,) = connection.execute("SELECT count(*) FROM batches").fetchone()
    return int(count)


def count_launch(connection: sqlite3.Connection, project: str, user_reference: str) -> int:
    """Count one more launch of a userReference, and return its number; call it within a transaction."""
    (count,) = connection.execute(
        "INSERT INTO launches VALUES (?,?,1) ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count",
        (project, user_reference),
    ).fetchone()
    return int(count)


def find_batch(connection: sqlite3.Connection, project: str, batch_id: str) -> StoredBatch | None:
    """A batch of a project, or None."""
    sql = f"SELECT {_BATCH} FROM batches WHERE id = ? AND project = ?"  # noqa: S608
    return read_one(connection, StoredBatch._make, sql, (batch_id, project))


def read_one(
    connection: sqlite3.Connection,
    make: Callable[[Iterable[Any]], Row],
    sql: str,
    values: Sequence[Any] | dict[str, Any],
) -> Row | None:
    """The first row of a query as a value, None if there is none."""
    found = connection.execute(sql, values).fetchone()
    return make(found) if found else None


def known_projects(connection: sqlite3.Connection) -> list[str]:
    """The projects that have batches, sorted."""
    return [project for (project,) in connection.execute("SELECT DISTINCT project FROM batches ORDER BY 1")]


def add_abort(connection: sqlite3.Connection, analysis: str, now: float) -> None:
    """Store when the abort of an analysis was first requested."""
    with transaction(connection):
        connection.execute("INSERT OR IGNORE INTO aborts VALUES (?, ?)", (analysis, now))


def read_only(database: Path) -> closing[sqlite3.Connection]:
    """A connection for looking at the database from outside, closed at the end of a ``with`` block."""
    return closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True))
