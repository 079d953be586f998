"""The rows of an Excel workbook as text, as if saved as csv, except that dates are in ISO 8601."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from manifest_runner.diagnostics.finding import Finding, InvalidManifest, Place
from manifest_runner.manifest.input_file import refuse_unreadable
from manifest_runner.near_miss import near_miss
from manifest_runner.rows.base import Rows
from manifest_runner.rows.sheet import Sheet, sheet_rows
from manifest_runner.rows.xlsx.parts import BadWorkbook, SheetPart, find_sheets, opened
from manifest_runner.rows.xlsx.read_cells import Merged, python_calamine, read_cells
from manifest_runner.rows.xlsx.scan import Scanned, scan_sheet
from manifest_runner.rows.xlsx.sheet_cells import SheetCells
from manifest_runner.text import listed, shown

_OLD = b"\xd0\xcf\x11\xe0"
_MAX_SHOWN = 10


def xlsx_rows(path: Path, label: str, *, sheet_name: str | None, trim: bool, comment: str | None) -> Rows:
    """The rows of a sheet, or of the first one if none is named.

    Raises InvalidManifest if it cannot be read or has no usable header, UsageProblem without python-calamine.
    """
    refuse_unreadable(path, label, code="MR301")
    _refuse_old(path, label)
    try:
        contents = _read(path, label, sheet_name)
    except BadWorkbook as e:
        raise _fault(label, "MR305", f"not readable as a workbook: {e}") from e
    sheet = Sheet(
        label,
        lambda: contents.cells.records(comment or "#"),
        empty_message="the sheet is empty; its first row must name the columns",
        trim=trim,
        comment=comment,
        first_column=contents.cells.first_column,
        notes=tuple(_notes(label, contents)),
    )
    return sheet_rows(sheet)


def _notes(label: str, contents: _Contents) -> Iterator[Finding]:
    """Warnings about cells that Excel does not show but that are read, and about cells that are read as blank."""
    header = next((line for line, _, _ in contents.cells.records("#")), 0)
    filled = {line for line, _, _ in contents.cells.records("#")} if contents.hidden else set()
    hidden = [line for line in contents.hidden if line > header and line in filled]
    if hidden:
        what = "1 row is" if len(hidden) == 1 else f"{len(hidden):,} rows are"
        words = f"{what} hidden in the workbook, but read like the others; delete what is not meant, or use `where`"
        yield Finding(Place(label, hidden[0]), "MR612", words, "warning")
    merged = [(start, end) for start, end in contents.merged if header < end[0] + 1 and end[0] > start[0]]
    if contents.is_hidden_sheet:
        words = "the first sheet of the workbook is hidden; name the one that is meant with `sheet`"
        yield Finding(Place(label, 1), "MR612", words, "warning")
    if merged:
        (row, column), (last, _) = min(merged)
        words = f"cells of rows {row + 1} to {last + 1} are merged: only the first has the value, the others are blank"
        yield Finding(Place(label, row + 1, column + 1), "MR612", words, "warning")


class _Contents(msgspec.Struct, frozen=True):
    """``hidden`` are the numbers of hidden rows; ``is_hidden_sheet`` if the sheet is hidden and was not chosen."""

    cells: SheetCells
    hidden: Sequence[int]
    merged: Sequence[Merged]
    is_hidden_sheet: bool


def _read(path: Path, label: str, sheet_name: str | None) -> _Contents:
    python_calamine()  # rather than after a scan

    def scan(book: zipfile.ZipFile) -> tuple[SheetPart, Scanned]:
        sheet = _chosen(find_sheets(book), label, sheet_name)
        return sheet, scan_sheet(book, sheet.part)

    sheet, scanned = opened(path, scan)
    cells, merged = read_cells(path, sheet, scanned.found)
    return _Contents(cells, scanned.hidden, merged, sheet_name is None and sheet.is_hidden)


def _chosen(sheets: dict[str, SheetPart], label: str, wanted: str | None) -> SheetPart:
    if not sheets:
        raise BadWorkbook("it has no sheets with cells")
    name = next(iter(sheets)) if wanted is None else wanted
    if name not in sheets:
        has = listed([shown(each) for each in list(sheets)[:_MAX_SHOWN]], "and")
        raise _fault(label, "MR302", f"there is no sheet {shown(name)}{near_miss(name, sheets) or f'; it has {has}'}")
    return sheets[name]


def _refuse_old(path: Path, label: str) -> None:
    with path.open("rb") as file:
        if file.read(len(_OLD)) == _OLD:
            message = "this workbook is protected by a password, or in the old xls format; save it as xlsx without one"
            raise _fault(label, "MR305", message)


def _fault(label: str, code: str, message: str) -> InvalidManifest:
    return InvalidManifest.at(Place(label, 1), code, message)
