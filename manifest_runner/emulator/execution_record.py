"""The emulator's record, to prove what was launched, how often it was asked, and how much ran at once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from manifest_runner.emulator.store.database import read_only
from manifest_runner.emulator.store.timetable import Fate, analysis_state

LEAKS = "GET /files with a credential"


class Execution(NamedTuple):
    """One accepted item; replayed answers and refused requests leave none. ``owner`` is its user."""

    project: str
    batch_id: str
    user_reference: str
    technical_tags: tuple[str, ...]
    owner: str


class Run(NamedTuple):
    """The time in which an item was unfinished: accepted, but neither failed nor with an analysis that ended."""

    user_reference: str
    begun: float
    ended: float


def executions(database: Path) -> list[Execution]:
    """Every execution in the database, batches in the order of their creation; works while a server uses it.

    Items whose creation failed count, too. Raises ``sqlite3.Error`` if there is no such database.
    """
    query = """
        SELECT batches.project, batches.id, items.user_reference, items.technical_tags, batches.owner
        FROM items JOIN batches ON batches.number = items.batch ORDER BY items.batch, items.user_reference
    """
    with read_only(database) as connection:
        return [
            Execution(project, batch, reference, tuple(json.loads(tags)), owner)
            for project, batch, reference, tags, owner in connection.execute(query)
        ]


def requests(database: Path, *, status: int | None = None) -> Counter[str]:
    """The number of requests of each endpoint, by its name in the API: ``GET /api/projects/{projectId}/data``.

    With a ``status``, only those with this answer. Requests to the file server count as ``GET /files``, or as
    ``GET /files with a credential`` if a credential of the API has leaked to it.
    """
    counts: Counter[str] = Counter()
    with read_only(database) as connection:
        for endpoint, answered, count in connection.execute("SELECT endpoint, status, count FROM requests"):
            counts[endpoint] += count if status in (None, answered) else 0
    return +counts


def runs(database: Path, project: str | None = None) -> list[Run]:
    """Every item with its time, as far as the timetable is known; of one project, or of all."""
    query = """
        SELECT i.user_reference, b.created, i.settled, i.duration, i.fate, a.at
        FROM items i JOIN batches b ON b.number = i.batch LEFT JOIN aborts a ON a.analysis = i.analysis
        WHERE :project IS NULL OR b.project = :project ORDER BY i.batch, i.user_reference
    """
    with read_only(database) as connection:
        rows = connection.execute(query, {"project": project}).fetchall()
    return [Run(reference, created, _end(*rest)) for reference, created, *rest in rows]


def most_unfinished(database: Path, project: str | None = None) -> int:
    """The largest number of items that were unfinished at the same time."""
    return _most_at_once(runs(database, project))


def _end(settled: float, duration: float, fate: int, aborted: float | None) -> float:
    if fate == Fate.CREATION_FAILS:
        return settled
    ended = analysis_state(float("inf"), settled, duration, fate, aborted).ended
    return settled if ended is None else ended


def _most_at_once(found: Iterable[Run]) -> int:
    """An analysis that ends at the moment another one starts does not overlap with it."""
    changes = sorted(change for run in found for change in ((run.begun, 1), (run.ended, -1)) if run.ended > run.begun)
    most = now = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most
