"""Failed items grouped by why they failed."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec
from msgspec import structs

from manifest_runner.report.rows import Launch, Row, failure_in_words

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
        groups.setdefault(_alike(row.launch), []).append(row)
    largest_first = sorted(groups.values(), key=len, reverse=True)
    return tuple(Reason(_text(rows), tuple(rows)) for rows in largest_first)


def _alike(launch: Launch) -> str:
    """The reason without what may differ: the step and the exit code stay, ids and numbers in the last line go."""
    failure = launch.failure
    if failure is None:
        return blanked(launch.reason)
    return failure_in_words(structs.replace(failure, line=failure.line and blanked(failure.line)))


def _text(rows: list[Row]) -> str:
    """The reason itself where all have the same."""
    texts = {row.launch.reason for row in rows}
    return texts.pop() if len(texts) == 1 else _alike(rows[0].launch)
