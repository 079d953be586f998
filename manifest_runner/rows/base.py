"""The interface of a source of rows, and the sources that need no file: rows and a matrix in the manifest itself.

A new kind of source is a function that returns ``Rows``; see sources.py for where it goes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from manifest_runner.diagnostics.finding import Finding, Place
from manifest_runner.model import RowId

MAX_MATRIX = 1_000_000

# Called with a finding, and with the group of findings that report the same fault.
Report = Callable[[Finding, Hashable], None]
IdentifiedRow = tuple[RowId, Any]
# Whether a key of a row, or a value some steps below it, is text in every row that has it.
IsText = Callable[[str, Sequence[str | int]], bool]


class FileName(msgspec.Struct, frozen=True):
    """A row's file, as templates see it: ``file`` as the manifest names it, ``stem`` its name without the ending."""

    file: str
    stem: str


class Rows(msgspec.Struct, frozen=True):
    """A source of rows, read one at a time: a study of a million rows is never in memory as a whole.

    A row of a table is a list of cells, all text, and ``columns`` names them once; a row of any other source is a
    mapping, and ``columns`` is None. Each row comes with an id, from which ``place`` finds where it was written: its
    line, and its column if another row comes before it on that line. ``file`` returns the file of a row; it is None if
    rows do not come from files. ``first_column`` is the column of a row's first cell, if cells have columns in the
    file; ``cell`` finds a cell where that is not enough. ``read`` starts from the beginning at each call, and raises
    InvalidManifest if it cannot continue.

    ``keys`` are those of rows that are mappings, None if each row may have others. ``notes`` are about the source as a
    whole. ``lacks`` has keys that some rows do not have, each with the fault of a template that uses it. ``is_text``
    says for rows that are mappings whether a key, or a value some steps below it, is always text.
    """

    columns: tuple[str, ...] | None
    read: Callable[[Report], Iterator[IdentifiedRow]]
    place: Callable[[RowId], Place | None]
    file: Callable[[RowId], FileName] | None = None
    first_column: int | None = None
    keys: tuple[str, ...] | None = None
    notes: tuple[Finding, ...] = ()
    lacks: tuple[tuple[str, Finding], ...] = ()
    is_text: IsText | None = None
    cell: Callable[[RowId, int], Place | None] | None = None

    def cell_place(self, row: RowId, cell: int) -> Place | None:
        """The place of a cell, or of its row if no more is known."""
        if self.cell is not None:
            return self.cell(row, cell)
        place = self.place(row)
        if place is None or self.first_column is None:
            return place
        return place._replace(column=self.first_column + cell)


class OddRow(list[str]):
    """A row of a table with at least one error value of Excel."""


def listed_rows(rows: Sequence[Any], place: Callable[[RowId], Place]) -> Rows:
    """Rows that are already in memory, identified by their index."""

    def read(report: Report) -> Iterator[IdentifiedRow]:
        for index, row in enumerate(rows):
            if isinstance(row, dict):
                yield index, row
            else:
                at = place(index)
                report(Finding(at, "MR306", "a row must be a mapping of columns to values", row=at), "type")

    def place_of_row(row: RowId) -> Place:
        """The row's line, with its column only if the row before it is on the same line."""
        at = place(row)
        shares_line = isinstance(row, int) and row > 0 and place(row - 1).line == at.line
        return at if shares_line else at._replace(column=1)

    return Rows(None, read, place_of_row)


def matrix_rows(matrix: Mapping[str, Sequence[Any]], place: Callable[[RowId], Place]) -> Rows:
    """Every combination of the values, the first key varying slowest. Raises ValueError if there are too many."""
    count = math.prod(map(len, matrix.values()))
    if count > MAX_MATRIX:
        raise ValueError(f"{count:,} combinations; at most {MAX_MATRIX:,} are allowed")

    def read(_: Report) -> Iterator[IdentifiedRow]:
        for index, values in enumerate(itertools.product(*matrix.values())):
            yield index, dict(zip(matrix, values, strict=True))

    return Rows(None, read, place)
