"""Failed items grouped by why they failed."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from manifest_runner.report.rows import Row

# What differs between two failures that have the same cause: ids, then all other numbers.
_PARTICULARS = re.compile(r"\b[0-9a-fA-F]{8}[0-9a-fA-F-]*\b|\d+")


class Reason(msgspec.Struct, frozen=True):
    """Items that failed alike. ``text`` is what they say, with "…" for what differs between them."""

    text: str
    rows: tuple[Row, ...]


def blanked(text: str) -> str:
    """The text without ids and numbers: the same for failures that have the same cause."""
    return _PARTICULARS.sub("…", text)


def group_by_reason(failed: Iterable[Row]) -> tuple[Reason, ...]:
    """The most frequent reason first."""
    groups: dict[str, list[Row]] = {}
    for row in failed:
        groups.setdefault(blanked(row.launch.reason), []).append(row)
    largest_first = sorted(groups.values(), key=len, reverse=True)
    return tuple(Reason(_text(rows), tuple(rows)) for rows in largest_first)


def _text(rows: list[Row]) -> str:
    texts = {row.launch.reason for row in rows}
    text = texts.pop()
    return blanked(text) if texts else text
