"""The number of rows that became items, in words."""

from __future__ import annotations

from manifest_runner.text import counted


def rows_words(read: int, left_out: int) -> str:
    """``11 of 12 rows (1 left out by where)``; nothing if no row was left out."""
    return f"{read - left_out:,} of {counted(read, 'row')} ({left_out:,} left out by where)" if left_out else ""
