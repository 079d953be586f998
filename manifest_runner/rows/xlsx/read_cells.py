"""Read the cells of a sheet with python-calamine: as text, as in a csv file that Excel saves, but dates in ISO 8601."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from manifest_runner.errors import UsageProblem
from manifest_runner.rows.xlsx.cut import cut_sheet, is_large
from manifest_runner.rows.xlsx.parts import BadWorkbook, SheetPart, opened
from manifest_runner.rows.xlsx.scan import FoundCell
from manifest_runner.rows.xlsx.sheet_cells import Piece, SheetCells, packed

# The row and the column of the first and the last cell of a range, from 0.
Merged = tuple[tuple[int, int], tuple[int, int]]


def read_cells(path: Path, sheet: SheetPart, found: Sequence[FoundCell]) -> tuple[SheetCells, list[Merged]]:
    """The cells of a sheet, those of ``found`` in place of what the library reads as blank; and its merged ranges.

    Raises BadWorkbook if the library cannot read it.
    """
    pieces: list[Piece] = []
    merged: list[Merged] = []
    missing = deque(sorted(found))
    end = 0
    with ExitStack() as stack:
        for part in _parts(*(_cut(path, sheet, stack) or (path, [sheet.name]))):
            merged += part.merged_cell_ranges or ()
            if part.end is not None:
                if part.start[0] < end:
                    raise BadWorkbook("its cells are not in the order of their rows; open it in Excel and save it")
                end = part.end[0] + 1
                pieces.append(_piece(part, _up_to(end, missing)))
    if missing:
        pieces.append(_with(missing, [], missing[0].row, missing[0].column))
    return SheetCells(pieces), merged


def _cut(path: Path, sheet: SheetPart, stack: ExitStack) -> tuple[Path, list[str]] | None:
    """A temporary workbook with a large sheet in pieces, and their names. None if the sheet is read as it is."""
    if not opened(path, lambda book: is_large(book, sheet)):
        return None
    try:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="manifest-runner-"))
    except OSError:  # nowhere to write to
        return None
    target = Path(folder) / "pieces.xlsx"
    names = opened(path, lambda book: cut_sheet(book, sheet, target))
    return (target, names) if names else None


def _parts(path: Path, names: Sequence[str]) -> Iterator[Any]:
    """Sheets as the library reads them, one at a time."""
    calamine = python_calamine()
    try:
        workbook = calamine.CalamineWorkbook.from_path(str(path))
        for name in names:
            yield workbook.get_sheet_by_name(name)
        workbook.close()
    except calamine.CalamineError as e:
        raise BadWorkbook(str(e)) from e


def _piece(part: Any, missing: Sequence[FoundCell]) -> Piece:
    rows = [[each if type(each) is str else _text(each) for each in row] for row in part.to_python()]
    line, column = part.start
    for number, row in enumerate(rows, line + 1):
        if "\0" in "".join(row):  # written as _x0000_; a csv file with one is refused, too
            raise BadWorkbook(f"a cell of row {number} contains a NUL; remove it")
    return _with(missing, rows, line + 1, column + 1)


def _up_to(line: int, missing: deque[FoundCell]) -> list[FoundCell]:
    """Take the cells up to a line."""
    taken = []
    while missing and missing[0].row <= line:
        taken.append(missing.popleft())
    return taken


def _with(missing: Sequence[FoundCell], rows: list[list[str]], line: int, column: int) -> Piece:
    """Rows whose first cell is at a line and a column, with more cells, which may lie outside of them."""
    if missing:
        width = len(rows[0]) if rows else 0
        top, left = min(line, missing[0].row), min(column, *(each.column for each in missing))
        bottom = max(line + len(rows), missing[-1].row + 1)
        right = max(column + width, *(each.column + 1 for each in missing))
        grid = [[""] * (right - left) for _ in range(top, bottom)]
        for at, row in enumerate(rows, line - top):
            grid[at][column - left : column - left + width] = row
        for each in missing:
            grid[each.row - top][each.column - left] = each.text
        rows, line, column = grid, top, left
    return packed(rows, line, column)


def _text(value: Any) -> str:
    """A cell as text: a whole number without a fraction, a time in ISO 8601, a boolean as in Excel's csv files."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, dt.datetime):
        is_day = value.time() == dt.time()
        return value.date().isoformat() if is_day else value.isoformat()
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return f"PT{int(value.total_seconds())}S"
    return str(value)


def python_calamine() -> Any:
    try:
        import python_calamine
    except ImportError as e:
        message = "reading xlsx files needs python-calamine: pip install 'manifest-runner[xlsx]'"
        raise UsageProblem(message) from e
    return python_calamine
