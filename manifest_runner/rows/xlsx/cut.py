"""Cut a large sheet into pieces.

The library holds all cells of a sheet at a time: about 70 bytes each, a kilobyte for a row of 16. Of a workbook in
which each piece is a sheet of its own, it only holds those of one piece.
"""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import quoteattr

from manifest_runner.rows.xlsx.limits import MAX_PART
from manifest_runner.rows.xlsx.parts import CHUNK, RELATIONS, WORKBOOK, SheetPart, chunks_of, elements, part_name

LARGE = 8 * 2**20  # bytes of XML of a sheet that is worth cutting: about 15,000 rows of 16 cells
PIECE = 2 * 2**20
_MAX_ROW = 16 * PIECE
_OPEN, _CLOSE, _END_OF_ROW = b"<sheetData>", b"</sheetData>", b"</row>"
_ROW = re.compile(rb'<row r="([0-9]{1,7})"')
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_EPOCH = "date1904"
_COPIED = ("/sharedStrings", "/styles")


class _CannotCut(Exception):
    """The sheet is written in a way that does not show where a row ends, or where it is."""


def is_large(book: zipfile.ZipFile, sheet: SheetPart) -> bool:
    """Whether a sheet is worth cutting."""
    return book.getinfo(sheet.part).file_size >= LARGE


def cut_sheet(book: zipfile.ZipFile, sheet: SheetPart, target: Path) -> list[str]:
    """Write a workbook with the pieces of a sheet as its sheets. Returns their names in order.

    Returns no names if the sheet is not written as Excel does, or if the disk is full.
    """
    try:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as copy:
            names = []
            for number, piece in enumerate(_pieces(book, sheet.part), 1):
                copy.writestr(f"xl/worksheets/{number}.xml", piece)
                names.append(str(number))
            _write_other_parts(book, copy, names)
    except (_CannotCut, OSError):
        return []
    return names


def _pieces(book: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """The XML of each piece: what is before the rows, some of the rows, and an end; the last has what follows them."""
    chunks = chunks_of(book, part, MAX_PART)
    head, opened, rest = next(chunks, b"").partition(_OPEN)
    if not opened or b"<!" in head:
        raise _CannotCut
    last = 0
    for chunk in chunks:
        rest += chunk
        if len(rest) > _MAX_ROW:
            raise _CannotCut
        if _CLOSE in rest:
            break
        if len(rest) >= PIECE and _END_OF_ROW in rest:
            rows, end, rest = rest.rpartition(_END_OF_ROW)
            last = _last_row(rows, last)
            yield head + opened + rows + end + _CLOSE + b"</worksheet>"
    rows, close, tail = (rest + b"".join(chunks)).partition(_CLOSE)
    if not close or b"<row" in tail:
        raise _CannotCut
    _last_row(rows, last)
    yield head + opened + rows + close + tail


def _last_row(rows: bytes, before: int) -> int:
    """The number of the last row. Raises _CannotCut unless all rows and cells have one, and those of rows ascend."""
    last = before
    numbers = _ROW.findall(rows)
    for number in map(int, numbers):
        if number <= last:
            raise _CannotCut
        last = number
    if len(numbers) != rows.count(b"<row") or rows.count(b"<c") != rows.count(b'<c r="') or b"<!" in rows:
        raise _CannotCut
    return last


def _write_other_parts(book: zipfile.ZipFile, copy: zipfile.ZipFile, names: list[str]) -> None:
    """Write the list of sheets, and copy what cells refer to: texts, formats, and the day from which dates count."""
    properties = next((given for name, given in elements(book, WORKBOOK) if name == "workbookPr"), {})
    sheets = "".join(f'<sheet name="{name}" sheetId="{name}" r:id="piece{name}"/>' for name in names)
    copy.writestr(
        WORKBOOK,
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        f"<workbookPr{_attributes(properties, _EPOCH)}/><sheets>{sheets}</sheets></workbook>",
    )
    pieces = [
        {"Id": f"piece{name}", "Type": f"{_OFFICE}/worksheet", "Target": f"worksheets/{name}.xml"} for name in names
    ]
    related = [given for name, given in elements(book, RELATIONS) if given.get("Type", "").endswith(_COPIED)]
    relations = "".join(f"<Relationship{_attributes(each, *each)}/>" for each in (*pieces, *related))
    copy.writestr(RELATIONS, f'<Relationships xmlns="{_PACKAGE}">{relations}</Relationships>')
    for part in {"_rels/.rels", *(part_name(each["Target"]) for each in related)} & set(book.namelist()):
        with book.open(part) as source, copy.open(part, "w") as file:
            shutil.copyfileobj(source, file, CHUNK)


def _attributes(given: dict[str, str], *names: str) -> str:
    return "".join(f" {name}={quoteattr(given[name])}" for name in names if name in given)
