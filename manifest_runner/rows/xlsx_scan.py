"""Scan a workbook before a library reads it: refuse what would take too much memory, find what it reads as blank.

An xlsx file is a zip of XML files. The library reads an error value, and a formula without a stored result, as an
empty cell; and it takes memory for every cell between the first and the last, however few there are.
"""

from __future__ import annotations

import functools
import re
import zipfile
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from manifest_runner.rows.cells import NO_RESULT
from manifest_runner.rows.xlsx_parts import CHUNK, BadWorkbook, chunks_of, parse_part, strict_parser

MAX_CELLS = 5_000_000
MAX_PART = 512 * 2**20
MAX_STRINGS = 192 * 2**20
_MAX_TEXT = 4 * 2**20  # Excel has at most 32,767 characters in a cell
_MARKUP = 80  # about what a cell takes besides its text
_KINDS = frozenset({"c", "v", "f", "row", "is", "t"})
# The start of a cell as Excel writes it, and what takes an XML parser: error values, formulas, prefixes, other
# encodings, and anything that could hide a cell.
_QUICK_COLUMN = re.compile(rb'<c r="([A-Z]{1,3})[0-9]{1,7}"')
_QUICK_ROW = re.compile(rb'<c r="[A-Z]{1,3}([0-9]{1,7})"')
_STARTS_OF_CELL = (b"<c ", b"<c>", b"<c/", b"<c\t", b"<c\n", b"<c\r")
_SPECIAL = (b't="e"', b"t='", b"t =", b't="&', b"<f", b":f", b":c", b"<!", b"\0", b"hidden")
_CELL = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_START_OF_STRING = re.compile(rb"<(?:\w+:)?si[\s>]")
_END_OF_STRING = re.compile(rb"</(?:\w+:)?si\s*>")


class FoundCell(NamedTuple):
    """A cell that the library would read as blank: its row and column from 1, and its actual content."""

    row: int
    column: int
    text: str


class Scanned(NamedTuple):
    """Facts about a sheet that the library does not show: cells that it reads as blank, and hidden rows."""

    found: Sequence[FoundCell] = ()
    hidden: Sequence[int] = ()


def scan_sheet(book: zipfile.ZipFile, part: str) -> Scanned:
    """Facts about a sheet that the library does not show. Raises BadWorkbook for one that is too large."""
    strings, scanned = _quick_scan(book, part), Scanned()
    if strings is None:
        scan = _Scan()
        parse_part(book, part, MAX_PART, scan.parser(), scan.refuse_texts)
        scan.finish()
        strings, scanned = scan.strings, Scanned(scan.found, scan.hidden)
    _refuse_texts(strings * _longest_string(book))
    return scanned


def _refuse_texts(size: int) -> None:
    if size > MAX_STRINGS:
        raise BadWorkbook(f"its texts may take more than {MAX_STRINGS // 2**20} MiB; save the sheet as csv")


class _Scan:
    """Follows the XML of a sheet: the place of each cell, whether it has a formula, and whether it has a value."""

    def __init__(self) -> None:
        self.found: list[FoundCell] = []
        self.hidden: list[int] = []
        self.strings = 0
        self._cells = 0
        self._row, self._row_text, self._column = 0, "", 0
        self._columns: set[int] = set()
        self._rows: tuple[int, int] = (2**31, 0)
        self._type = ""
        self._is_special = False  # an error value, or a formula
        self._value: list[str] | None = None
        self._parser: Any = None

    def parser(self) -> Any:
        self._parser = strict_parser()
        self._parser.ordered_attributes = True
        self._parser.StartElementHandler = self._start
        return self._parser

    def refuse_texts(self, size: int) -> None:
        """Raise BadWorkbook if the texts of so large a part of the sheet are too large."""
        _refuse_texts(size - self._cells * _MARKUP)

    def finish(self) -> None:
        self._end_cell()
        self._refuse_large()

    def _start(self, name: str, attributes: list[str]) -> None:
        kind = name if name in _KINDS else name.rpartition(":")[2]
        if kind == "c":
            self._start_cell(attributes)
        elif kind == "v" and self._is_special:
            self._value = []
            self._parser.CharacterDataHandler = self._text
        elif kind in ("f", "row"):
            self._start_other(kind, attributes)

    def _start_cell(self, attributes: list[str]) -> None:
        self._end_cell()
        self._cells += 1
        given = dict(zip(attributes[::2], attributes[1::2], strict=True))
        self._go_to(given.get("r", ""))
        self._type = given.get("t", "")
        self._is_special = self._type == "e"
        self.strings += self._type == "s"

    def _start_other(self, kind: str, attributes: list[str]) -> None:
        if kind == "f":
            self._is_special = True
            return
        self._end_cell()
        if self._cells > MAX_CELLS:
            self._refuse_large()
        attributes_of_row = dict(zip(attributes[::2], attributes[1::2], strict=True))
        given = attributes_of_row.get("r", "")
        self._set_row(int(given) if given.isdigit() else self._row + 1)
        if attributes_of_row.get("hidden") in ("1", "true"):
            self.hidden.append(self._row)
        self._column = 0

    def _set_row(self, row: int) -> None:
        self._row, self._row_text = row, str(row)
        self._rows = min(self._rows[0], row), max(self._rows[1], row)

    def _go_to(self, place: str) -> None:
        """Set the position of a cell; a cell without one is the next."""
        match = _CELL.fullmatch(place)
        if match is None:
            self._column += 1
            self._columns.add(self._column)
            return
        if match[2] != self._row_text:
            self._set_row(int(match[2]))
        self._column = _column_number(match[1])
        self._columns.add(self._column)

    def _text(self, text: str) -> None:
        if self._value is not None:
            self._value.append(text)

    def _end_cell(self) -> None:
        if not self._is_special:
            return
        self._parser.CharacterDataHandler = None
        text = "".join(self._value or ()).strip()
        if self._type == "e":
            self.found.append(FoundCell(self._row, self._column, text or "#VALUE!"))
        elif self._value is None or (not text and self._type != "str"):
            self.found.append(FoundCell(self._row, self._column, NO_RESULT))
        self._type, self._is_special, self._value = "", False, None

    def _refuse_large(self) -> None:
        if self._cells:
            _refuse_large(self._cells, self._columns, self._rows)


@functools.cache
def _column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def _refuse_large(cells: int, columns: Collection[int], rows: tuple[int, int]) -> None:
    """Raise BadWorkbook if there are too many cells, or if the first and the last are too far apart."""
    area = (max(columns) - min(columns) + 1) * (rows[1] - rows[0] + 1)
    if max(cells, area) > MAX_CELLS:
        message = f"more than {MAX_CELLS:,} cells between the first and the last; save the rows as csv"
        raise BadWorkbook(message)


def _quick_scan(book: zipfile.ZipFile, part: str) -> int | None:
    """The number of shared texts of a sheet that is written as Excel does, without anything special.

    For a large sheet this takes a third of the time. None if it takes an XML parser. Raises BadWorkbook for a sheet
    that is too large.
    """
    size, cells, strings, text = 0, 0, 0, b""
    letters: set[bytes] = set()
    numbers: set[bytes] = set()
    for text in _whole_tags(book, part):
        found = _QUICK_COLUMN.findall(text)
        if len(found) != sum(map(text.count, _STARTS_OF_CELL)) or any(mark in text for mark in _SPECIAL):
            return None
        size, cells = size + len(text), cells + len(found)
        _refuse_texts(size - cells * _MARKUP)
        strings += text.count(b't="s"')
        letters.update(found)
        numbers.update(_QUICK_ROW.findall(text))
        if cells > MAX_CELLS or len(text) > 4 * CHUNK:
            return None
    if text.strip() != b"</worksheet>":
        return None
    if cells:
        rows = [int(number) for number in numbers]
        _refuse_large(cells, [_column_number(each.decode()) for each in letters], (min(rows), max(rows)))
    return strings


def _whole_tags(book: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """A part in pieces, none of which ends within a tag."""
    rest = b""
    for chunk in chunks_of(book, part, MAX_PART):
        text = rest + chunk
        end = text.rfind(b"<")
        yield text[:end]
        rest = text[end:]
        _refuse_long(rest)
    yield rest


def _refuse_long(text: bytes) -> None:
    """Raise BadWorkbook for a text that no cell can hold: putting it together takes quadratic time."""
    if len(text) > _MAX_TEXT:
        raise BadWorkbook(f"it has a text of more than {_MAX_TEXT // 2**20} MiB")


def _longest_string(book: zipfile.ZipFile) -> int:
    """An upper bound for the length of the longest shared text."""
    try:
        chunks = chunks_of(book, "xl/sharedStrings.xml", MAX_STRINGS)
        longest, rest = 0, b""
        for chunk in chunks:
            *whole, rest = _END_OF_STRING.split(rest + chunk)
            _refuse_long(rest)
            for each in (*whole, rest):
                if len(each) > longest:
                    start = _START_OF_STRING.search(each)
                    longest = max(longest, len(each) - (start.start() if start else 0))
        return longest
    except KeyError:
        return 0
