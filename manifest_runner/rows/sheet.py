"""The rules that csv, tsv and xlsx have in common: tables of text cells with a header."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from manifest_runner.conflict_markers import CONFLICT_MARKERS
from manifest_runner.diagnostics.finding import Finding, InvalidManifest, Place
from manifest_runner.model import RowId
from manifest_runner.rows.base import IdentifiedRow, OddRow, Report, Rows
from manifest_runner.rows.cells import ERROR_VALUES, trimmed
from manifest_runner.text import counted, shown

_HASH = "#"

# A line number, the cells, and whether they may contain anything odd: blanks, an error value, a comment.
Record = tuple[int, list[str], bool]


class Sheet(msgspec.Struct, frozen=True):
    """A file as records. ``records`` omits those with only empty cells, and starts over at each call.

    ``check_header`` raises InvalidManifest for a header that shows that the file is another kind of table.
    ``first_column`` is the number of the first cell's column, if cells have columns of their own in the file.
    """

    label: str
    records: Callable[[], Iterator[Record]]
    empty_message: str = "the file is empty; its first line must name the columns"
    check_header: Callable[[list[str], int], None] = lambda _names, _line: None
    trim: bool = True
    comment: str | None = None
    first_column: int | None = None
    notes: tuple[Finding, ...] = ()

    def place(self, line: int, cell: int = 0) -> Place:
        return Place(self.label, line, 1 if self.first_column is None else self.first_column + cell)

    def fault(self, code: str, message: str, line: int = 1) -> InvalidManifest:
        return InvalidManifest.at(Place(self.label, line), code, message)


class _Header(msgspec.Struct, frozen=True):
    """``width`` counts all cells of the header; ``columns`` omits empty ones with which a spreadsheet may pad it."""

    line: int
    cells: list[str]
    columns: tuple[str, ...]

    @property
    def width(self) -> int:
        return len(self.cells)


def sheet_rows(sheet: Sheet) -> Rows:
    """The rows of a table: lists of texts, as many as ``columns``. Rows with only empty cells are left out.

    Raises InvalidManifest if the file cannot be read or has no usable header.
    """
    header = _read_header(sheet)

    def place_of_row(row: RowId) -> Place:
        assert isinstance(row, int)
        return Place(sheet.label, row)

    return Rows(
        header.columns,
        lambda report: _rows(sheet, header, report),
        place_of_row,
        first_column=sheet.first_column,
        notes=sheet.notes,
    )


def _read_header(sheet: Sheet) -> _Header:
    records = sheet.records()
    line, cells = _first(sheet, records)
    names = [trimmed(cell) for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise sheet.fault("MR302", sheet.empty_message, line)
    sheet.check_header(names, line)
    if names[0].startswith(_HASH) or len(names) == 1:
        below = _width_of_next(records)
        if names[0].startswith(_HASH) and below > len(names):
            raise InvalidManifest([_commented(sheet, line)])
        if below > 1 and len(names) == 1:
            raise sheet.fault("MR302", _title_words(names[0], below), line)
    if faults := list(_faulty_names(names, sheet, line)):
        raise InvalidManifest(faults)
    return _Header(line, cells, tuple(names))


def _first(sheet: Sheet, records: Iterator[Record]) -> tuple[int, list[str]]:
    """The first record that is not a comment."""
    for line, cells, is_odd in records:
        if not (is_odd and _is_comment(sheet, trimmed(cells[0]))) and any(map(trimmed, cells)):
            return line, cells
    return 1, []


def _width_of_next(records: Iterator[Record]) -> int:
    """How many of its cells are filled in. A supposed header with fewer may be a note or a title above the real one."""
    try:
        return next((sum(map(bool, map(trimmed, cells))) for _, cells, _ in records), 0)
    except InvalidManifest:  # reported when the rows are read
        return 0


def _title_words(name: str, below: int) -> str:
    return (
        f"the header is a single column, {shown(name)}, but the next row has {below:,} cells; "
        "if it is a title, delete that row, since the first row must name the columns"
    )


def _faulty_names(names: list[str], sheet: Sheet, line: int) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        place = sheet.place(line, number - 1)
        if not name:
            yield Finding(place, "MR302", f"column {number} has no name in the header")
        elif first.setdefault(name, number) != number:
            yield Finding(place, "MR303", f'duplicate column "{name}" (columns {first[name]} and {number})')


def _rows(sheet: Sheet, header: _Header, report: Report) -> Iterator[IdentifiedRow]:
    records, wanted = sheet.records(), len(header.columns)
    _first(sheet, records)
    trim = _Trim(sheet, header)
    for line, cells, is_odd in records:
        if is_odd:
            cleaned = _cleaned(sheet, trim, line, cells, report)
            if cleaned is None:
                continue
            cells = cleaned
        if len(cells) == wanted:
            yield line, cells
        elif wanted < len(cells) and not any(cells[wanted:]):
            yield line, cells[:wanted] if type(cells) is list else OddRow(cells[:wanted])
        else:
            kind, message = _raggedness(cells, header)
            place = Place(sheet.label, line)
            report(Finding(place, "MR304", message, row=place), kind)
    trim.report(report)


def _cleaned(sheet: Sheet, trim: _Trim, line: int, cells: list[str], report: Report) -> list[str] | None:
    """The trimmed cells; None for a row that is blank or commented out."""
    start = trimmed(cells[0])
    if _is_comment(sheet, start):
        return None
    if sheet.comment is None and start.startswith(_HASH) and start not in ERROR_VALUES:
        report(_commented(sheet, line), "commented")
        return None
    if sheet.trim:
        cells = trim.trimmed(line, cells)
        if not any(cells):
            return None
    return cells if ERROR_VALUES.isdisjoint(cells) else OddRow(cells)


def _is_comment(sheet: Sheet, start: str) -> bool:
    return bool(sheet.comment) and start.startswith(sheet.comment or "")


def _commented(sheet: Sheet, line: int) -> Finding:
    place = Place(sheet.label, line)
    message = 'this row starts with "#"; to leave out rows that are commented out, add `comment: "#"` to the source'
    return Finding(place, "MR309", message, row=place)


class _Trim:
    """Removes the blanks around cells, and counts them by column for one warning each."""

    def __init__(self, sheet: Sheet, header: _Header) -> None:
        self._sheet = sheet
        self._columns = header.columns
        self._counts: dict[int, int] = {}
        self._first: dict[int, tuple[int, str]] = {}
        if sheet.trim:
            self.trimmed(header.line, header.cells)

    def trimmed(self, line: int, cells: list[str]) -> list[str]:
        found = [trimmed(cell) for cell in cells]
        if found != cells and any(found):
            for i, (before, after) in enumerate(zip(cells, found, strict=True)):
                if before != after and i < len(self._columns):
                    self._counts[i] = self._counts.get(i, 0) + 1
                    self._first.setdefault(i, (line, before))
        return found

    def report(self, report: Report) -> None:
        for i, (line, text) in sorted(self._first.items()):
            message = (
                f"removed the whitespace around {counted(self._counts[i], 'cell')} of the column "
                f"{shown(self._columns[i])}, first {shown(text)}; `trim: false` keeps them"
            )
            report(Finding(self._sheet.place(line, i), "MR606", message, "warning"), ("trim", i))


def _raggedness(cells: list[str], header: _Header) -> tuple[str, str]:
    """The kind of fault, and the message, for a row that has more or fewer cells than the header."""
    if cells[0].startswith(CONFLICT_MARKERS):
        return "conflict", "an unresolved merge conflict; keep the rows that you want, and delete the markers"
    message = f"this row has {counted(len(cells), 'cell')}, but the header has {header.width}"
    if len(cells) <= len(header.columns):
        return "short", message
    if len(cells) <= header.width:
        number = next(i for i, cell in enumerate(cells, 1) if i > len(header.columns) and cell)
        return "unnamed", f"column {number} of this row is filled in, but has no name in the header"
    return "long", f"{message}; quote a cell that contains the delimiter"
