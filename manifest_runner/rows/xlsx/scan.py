"""Scan a workbook before a library reads it: refuse what would take too much memory, find what it reads as blank.

An xlsx file is a zip of XML files. The library reads an error value, and a formula without a stored result, as an
empty cell; and it takes memory for every cell between the first and the last, however few there are.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from typing import Any, NamedTuple

from manifest_runner.rows.cells import NO_RESULT
from manifest_runner.rows.xlsx.limits import (
    MAX_CELLS,
    MAX_PART,
    column_number,
    refuse_large,
    refuse_own_texts,
    refuse_texts,
)
from manifest_runner.rows.xlsx.parts import parse_part, strict_parser
from manifest_runner.rows.xlsx.quick_scan import longest_string, quick_scan

_KINDS = frozenset({"c", "v", "f", "row", "is", "t"})
_CELL = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")


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
    strings, scanned = quick_scan(book, part), Scanned()
    if strings is None:
        scan = _Scan()
        parse_part(book, part, MAX_PART, scan.parser(), scan.refuse_texts)
        scan.finish()
        strings, scanned = scan.strings, Scanned(scan.found, scan.hidden)
    refuse_texts(strings * longest_string(book))
    return scanned


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
        refuse_own_texts(size, self._cells)

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
        self._column = column_number(match[1])
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
            refuse_large(self._cells, self._columns, self._rows)
