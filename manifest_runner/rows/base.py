"""What a source of rows is."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from manifest_runner.diagnostics.finding import Finding, Place

MAX_MATRIX = 1_000_000


# Takes a fault, and what tells faults that are alike.
Report = Callable[[Finding, Hashable], None]
NumberedRow = tuple[int, Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """A source of rows, one at a time: a study of a million rows never stands in memory as a whole.

    A row of a table is the list of its cells, all text, beside ``columns``, which names them once; a row of any
    other source is a mapping, and ``columns`` is None. Each row comes with a number from which ``place`` finds
    where it was written: its line, and its column where that line holds another row before it. ``read`` starts anew
    at each call; it raises InvalidManifest where it cannot go on.
    """

    columns: tuple[str, ...] | None
    read: Callable[[Report], Iterator[NumberedRow]]
    place: Callable[[int], Place | None]


def listed_rows(rows: Sequence[Any], place: Callable[[int], Place]) -> Rows:
    """Rows that are there already, numbered from 0."""

    def read(report: Report) -> Iterator[NumberedRow]:
        for number, row in enumerate(rows):
            if isinstance(row, dict):
                yield number, row
            else:
                at = place(number)
                report(Finding(at, "MR306", "a row must be a mapping of columns to values", row=at), "type")

    def place_of_row(number: int) -> Place:
        """Its line will do, unless it shares that with the row before it."""
        at = place(number)
        shares_line = number > 0 and place(number - 1).line == at.line
        return at if shares_line else at._replace(column=1)

    return Rows(None, read, place_of_row)


def matrix_rows(matrix: Mapping[str, Sequence[Any]], place: Callable[[int], Place]) -> Rows:
    """Every combination of the values, the first key varying slowest. Raises ValueError where there are too many."""
    count = math.prod(map(len, matrix.values()))
    if count > MAX_MATRIX:
        raise ValueError(f"{count:,} combinations; the most is {MAX_MATRIX:,}")

    def read(_: Report) -> Iterator[NumberedRow]:
        for number, values in enumerate(itertools.product(*matrix.values())):
            yield number, dict(zip(matrix, values, strict=True))

    return Rows(None, read, place)
