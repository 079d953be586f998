"""The rows of an Excel workbook as text, as if saved as csv, except that dates are in ISO 8601."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from manifest_runner.diagnostics.finding import Finding, InvalidManifest, Place
from manifest_runner.errors import UsageProblem
from manifest_runner.manifest.input_file import refuse_unreadable
from manifest_runner.rows.base import Rows
from manifest_runner.rows.cells import has_blank_edge
from manifest_runner.rows.sheet import Record, Sheet, sheet_rows
from manifest_runner.rows.xlsx_parts import BadWorkbook, find_sheets, opened
from manifest_runner.rows.xlsx_scan import FoundCell, Scanned, scan_sheet
from manifest_runner.text import listed, near_miss, shown

if TYPE_CHECKING:
    import zipfile

_SEPARATOR = "\0"  # which XML cannot hold
_OLD = b"\xd0\xcf\x11\xe0"
_MAX_SHOWN = 10


def xlsx_rows(path: Path, label: str, *, sheet_name: str | None, trim: bool, comment: str | None) -> Rows:
    """The rows of a sheet, or of the first one if none is named.

    Raises InvalidManifest if it cannot be read or has no usable header, UsageProblem without python-calamine.
    """
    refuse_unreadable(path, label, code="MR301")
    _refuse_old(path, label)
    try:
        cells = _read_cells(path, label, sheet_name)
    except BadWorkbook as e:
        raise _fault(label, "MR305", f"not readable as a workbook: {e}") from e
    sheet = Sheet(
        label,
        lambda: cells.records(comment or "#"),
        empty_message="the sheet is empty; its first row must name the columns",
        trim=trim,
        comment=comment,
        first_column=cells.first_column,
        notes=tuple(_notes(label, cells)),
    )
    return sheet_rows(sheet)


def _notes(label: str, cells: _Cells) -> Iterator[Finding]:
    """Warnings about cells that Excel does not show but that are read, and about cells that are read as blank."""
    header = next((line for line, _, _ in cells.records("#")), 0)
    hidden = [line for line in cells.hidden if line > header and cells.has(line)]
    if hidden:
        what = "1 row is" if len(hidden) == 1 else f"{len(hidden):,} rows are"
        words = f"{what} hidden in the workbook, but read like the others; delete what is not meant, or use `where`"
        yield Finding(Place(label, hidden[0]), "MR612", words, "warning")
    merged = [(start, end) for start, end in cells.merged if header < end[0] + 1 and end[0] > start[0]]
    if cells.is_hidden_sheet:
        words = "the first sheet of the workbook is hidden; name the one that is meant with `sheet`"
        yield Finding(Place(label, 1), "MR612", words, "warning")
    if merged:
        (row, column), (last, _) = min(merged)
        words = f"cells of rows {row + 1} to {last + 1} are merged: only the first has the value, the others are blank"
        yield Finding(Place(label, row + 1, column + 1), "MR612", words, "warning")


class _Cells(msgspec.Struct, frozen=True):
    """The rows of a sheet from a line on, each as one text, which takes a third of the memory.

    ``hidden`` are the numbers of hidden rows, ``merged`` the first and last cells of merged ranges, these from 0.
    ``is_hidden_sheet`` if the sheet is hidden and was not chosen.
    """

    first_line: int
    first_column: int
    rows: list[str]
    hidden: Sequence[int] = ()
    merged: Sequence[tuple[tuple[int, int], tuple[int, int]]] = ()
    is_hidden_sheet: bool = False

    def has(self, line: int) -> bool:
        """Whether a row has any content."""
        at = line - self.first_line
        return 0 <= at < len(self.rows) and bool(self.rows[at].strip(_SEPARATOR))

    def records(self, mark: str) -> Iterator[Record]:
        edges = _SEPARATOR + " \t\r\n"
        for line, packed in enumerate(self.rows, self.first_line):
            cells = packed.split(_SEPARATOR)
            if cells[0] or any(cells):
                is_marked = "#" in packed or mark in packed or not packed.isascii() or "\n" in packed or "\t" in packed
                yield line, cells, is_marked or (" " in packed and has_blank_edge(packed, edges))


def _read_cells(path: Path, label: str, sheet_name: str | None) -> _Cells:
    calamine = _calamine()

    def scan(book: zipfile.ZipFile) -> tuple[str, Scanned]:
        name, part = _chosen(find_sheets(book), label, sheet_name)
        return name, scan_sheet(book, part)

    name, scanned = opened(path, scan)
    try:
        workbook = calamine.CalamineWorkbook.from_path(str(path))
        sheet = workbook.get_sheet_by_name(name)
        visible = {each.name for each in workbook.sheets_metadata if each.visible == calamine.SheetVisibleEnum.Visible}
        workbook.close()
    except calamine.CalamineError as e:
        raise BadWorkbook(str(e)) from e
    return replace(
        _packed(sheet, scanned.found),
        hidden=scanned.hidden,
        merged=sheet.merged_cell_ranges or (),
        is_hidden_sheet=sheet_name is None and name not in visible,
    )


def _chosen(sheets: dict[str, str], label: str, wanted: str | None) -> tuple[str, str]:
    if not sheets:
        raise BadWorkbook("it has no sheets with cells")
    name = next(iter(sheets)) if wanted is None else wanted
    if name not in sheets:
        has = listed([shown(each) for each in list(sheets)[:_MAX_SHOWN]], "and")
        raise _fault(label, "MR302", f"there is no sheet {shown(name)}{near_miss(name, sheets) or f'; it has {has}'}")
    return name, sheets[name]


def _packed(sheet: Any, found: Sequence[FoundCell]) -> _Cells:
    """The rows of a sheet up to the last one with content; adds what the library reads as blank."""
    start, end = sheet.start or (0, 0), sheet.end or (0, -1)
    first_column = min([start[1] + 1, *(each.column for each in found)])
    padding = [""] * (start[1] + 1 - first_column)
    rows = [
        _SEPARATOR.join(padding + [each if type(each) is str else _text(each) for each in row])
        for row in sheet.iter_rows()
    ]
    # The library leaves out the blank columns before the first cell, but not the blank rows; other versions do.
    first_line = end[0] + 2 - len(rows)
    width = max([end[1] + 2 - first_column, *(each.column + 1 - first_column for each in found)])
    for each in found:
        while each.row < first_line:
            first_line -= 1
            rows.insert(0, "")
        rows += [""] * (each.row - first_line + 1 - len(rows))
        at = each.row - first_line
        rows[at] = _filled(rows[at], each.column - first_column, each.text, width)
    return _Cells(first_line, first_column, rows)


def _filled(packed: str, at: int, text: str, width: int) -> str:
    cells = packed.split(_SEPARATOR)
    cells += [""] * (width - len(cells))
    cells[at] = text
    return _SEPARATOR.join(cells)


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


def _calamine() -> Any:
    try:
        import python_calamine
    except ImportError as e:
        message = "reading xlsx files needs python-calamine: pip install 'manifest-runner[xlsx]'"
        raise UsageProblem(message) from e
    return python_calamine


def _refuse_old(path: Path, label: str) -> None:
    with path.open("rb") as file:
        if file.read(len(_OLD)) == _OLD:
            message = "this workbook is protected by a password, or in the old xls format; save it as xlsx without one"
            raise _fault(label, "MR305", message)


def _fault(label: str, code: str, message: str) -> InvalidManifest:
    return InvalidManifest([Finding(Place(label, 1), code, message)])
