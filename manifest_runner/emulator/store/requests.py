"""A count of all requests, by endpoint and status; it outlives the process."""

from __future__ import annotations

import sqlite3


def count_request(connection: sqlite3.Connection, endpoint: str, status: int) -> None:
    """Count one more."""
    connection.execute(
        "INSERT INTO requests VALUES (?,?,1) ON CONFLICT DO UPDATE SET count = count + 1", (endpoint, status)
    )
