"""What the emulator has executed, for proving that nothing was launched twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from manifest_runner.emulator.store.database import read_only


class Execution(NamedTuple):
    """One item that was accepted: replayed answers and refused requests leave none."""

    project: str
    batch_id: str
    user_reference: str
    technical_tags: tuple[str, ...]


def executions(database: Path) -> list[Execution]:
    """Every execution in the database, batches in the order of their creation; also while a server uses it.

    Items that failed to be created count too. Raises ``sqlite3.Error`` when there is no such database.
    """
    query = """
        SELECT batches.project, batches.id, items.user_reference, items.technical_tags
        FROM items JOIN batches ON batches.number = items.batch ORDER BY items.batch, items.user_reference
    """
    with read_only(database) as connection:
        return [
            Execution(project, batch, reference, tuple(json.loads(tags)))
            for project, batch, reference, tags in connection.execute(query)
        ]
