"""Count all requests by endpoint and status, in the database."""

from __future__ import annotations

import sqlite3


def count_request(connection: sqlite3.Connection, endpoint: str, status: int) -> None:
    """Count one more request."""
    connection.execute(
        "INSERT INTO requests VALUES (?,?,1) ON CONFLICT DO UPDATE SET count = count + 1", (endpoint, status)
    )
