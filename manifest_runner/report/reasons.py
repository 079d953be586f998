"""The reasons in a report: failed rows grouped by the text of their reason."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import structs

from manifest_runner.report.rows import Row, failure_words
from manifest_runner.report.same_cause import blanked, common, largest_first, nameless


class Reason(msgspec.Struct, frozen=True):
    """Items that failed for the same reason. ``text`` is the reason, with "…" for what differs between them."""

    text: str
    rows: tuple[Row, ...]


def group_by_reason(failed: Iterable[Row]) -> tuple[Reason, ...]:
    """The most frequent reason first."""
    groups = largest_first((_alike(row), row) for row in failed)
    return tuple(Reason(common((row.launch.reason for row in rows), alike), tuple(rows)) for alike, rows in groups)


def _alike(row: Row) -> str:
    """The reason without what may differ: keeps the step and exit code, drops ids, numbers and the item's name."""
    failure = row.launch.failure
    if failure is None:
        return blanked(row.launch.reason, row.reference)
    step = failure.step and nameless(failure.step, row.reference)
    line = failure.line and blanked(failure.line, row.reference)
    return failure_words(structs.replace(failure, step=step, line=line))
