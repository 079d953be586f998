"""Stream the rows of csv and tsv files (RFC 4180, with a header), or of a section of an Illumina SampleSheet."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

import msgspec

from manifest_runner.diagnostics.finding import InvalidManifest, Place
from manifest_runner.manifest.input_file import refuse_foreign_bytes
from manifest_runner.near_miss import near_miss
from manifest_runner.rows.base import Rows
from manifest_runner.rows.cells import has_blank_edge
from manifest_runner.rows.sheet import Record, Sheet, sheet_rows
from manifest_runner.text import shown

MAX_CELL = 2 * 2**20
MAX_LINE = 16 * 2**20

# Spreadsheets pad the line to the width of the sheet, some quote all cells.
_SECTION = re.compile(r'"?\[([^\]]*)\]"?[,;|\s"]*')
_TOO_LONG = csv.Error(f"a line of more than {MAX_LINE // 2**20} MiB")
_CHUNK = 2**20
_MOST_SPACES = 4  # per line, on average; a file with more is examined line by line
_SEP = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_JSON = ("{", "[{", "[[")
_DELIMITERS = {";": "semicolons", "\t": "tabs", ",": "commas"}


class CsvReading(msgspec.Struct, frozen=True):
    """How to read a file, according to the manifest's keys of these names."""

    delimiter: str = ","
    section: str | None = None
    trim: bool = True
    comment: str | None = None
    is_tsv: bool = False


def csv_rows(path: Path, label: str, reading: CsvReading) -> Rows:
    """The rows of a csv or tsv file. Raises InvalidManifest if it cannot be read or has no usable header."""
    refuse_foreign_bytes(path, label)
    if reading.section is not None:  # the brackets are those of its line in the file
        reading = msgspec.structs.replace(reading, section=reading.section.strip("[]"))
    is_plain = reading.section is None and _is_plain(path, reading)
    file = _CsvFile(path, label, reading, is_plain)
    empty = f"section [{reading.section}] is empty" if reading.section else "the file is empty"
    sheet = Sheet(
        label,
        file.records,
        empty_message=f"{empty}; its first line must name the columns",
        check_header=file.check_header,
        trim=reading.trim,
        comment=reading.comment,
    )
    return sheet_rows(sheet)


class _CsvFile(msgspec.Struct, frozen=True):
    """``is_plain`` if no line is odd (see ``_Lines``), so that none needs a second look."""

    path: Path
    label: str
    reading: CsvReading
    is_plain: bool

    def records(self) -> Iterator[Record]:
        """Records with the line on which each starts, except those with only empty cells."""
        csv.field_size_limit(MAX_CELL)
        line = 1
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                lines = _Lines(file, self.reading.comment or "#")
                delimiter = lines.delimiter = self._delimiter(lines)
                section = self.reading.section
                if section is not None:
                    lines.find_section(section)
                skipped = lines.read
                line = skipped + 1
                wanted = lines.rest() if self.is_plain else lines.of_section(section)
                reader = csv.reader(wanted, delimiter=delimiter, strict=True)
                for cells in reader:
                    is_odd = lines.was_odd() or skipped + reader.line_num > line
                    if cells and (cells[0] or any(cells)):
                        yield line, cells, is_odd
                    line = skipped + reader.line_num + 1
        except csv.Error as e:
            raise self.fault("MR305", f"not readable as a table: {_words(e)}", line) from e
        except _SectionFault as e:
            raise self.fault("MR302", str(e), e.line) from e
        except (OSError, UnicodeDecodeError) as e:
            raise self.fault("MR301", f"cannot be read: {e}") from e

    def _delimiter(self, lines: _Lines) -> str:
        """The delimiter: from the manifest, or from the line ``sep=;`` that Excel writes and reads."""
        match = _SEP.fullmatch(lines.peek())
        if match is None:
            return self.reading.delimiter
        lines.skip()
        if match[1] != self.reading.delimiter and (self.reading.delimiter != "," or self.reading.is_tsv):
            wrong = f"the delimiter of the manifest, {shown(self.reading.delimiter)}"
            what = "`tsv`; name the file under `csv`" if self.reading.is_tsv else wrong
            raise self.fault("MR302", f"the line {shown('sep=' + match[1])} contradicts {what}")
        return match[1]

    def check_header(self, names: list[str], line: int) -> None:
        if names[0].startswith(_JSON):
            raise self.fault("MR302", "this is JSON; name the file under `json`", line)
        if self.reading.section is None and _SECTION.fullmatch(names[0]):
            hint = "this is an Illumina SampleSheet; name the section to read, such as `section: BCLConvert_Data`"
            raise self.fault("MR302", hint, line)
        found = next((each for each in _DELIMITERS if each in names[0] and each != self.reading.delimiter), None)
        if len(names) == 1 and found is not None:
            words = f"it holds {_DELIMITERS[found]}, so {_cure(found, self.reading)}"
            raise self.fault("MR302", f'the header is a single column, "{names[0]}"; {words}', line)

    def fault(self, code: str, message: str, line: int = 1) -> InvalidManifest:
        return InvalidManifest.at(Place(self.label, line), code, message)


def _cure(delimiter: str, reading: CsvReading) -> str:
    """Which key of the source fits a file with this delimiter."""
    if delimiter == "\t":
        return "name the file under `tsv`"
    other = "name the file under `csv`" if reading.is_tsv else ""
    if delimiter == ",":
        return other or "leave out `delimiter`"
    return f'{other} and add `delimiter: ";"`' if other else 'add `delimiter: ";"`'


def _is_plain(path: Path, reading: CsvReading) -> bool:
    """Whether no line of a file is odd (see ``_Lines``): most files need no examination of each line."""
    marks = {b"#", (reading.comment or "#").encode(), b"#" if reading.is_tsv else b"\t"}
    edges, longest, last = reading.delimiter.encode() + b' \t\r\n"', max(map(len, marks)), b"\n"
    with path.open("rb") as file:
        if file.read(5).lower().lstrip(b'"').startswith(b"sep="):
            return False  # another delimiter
        file.seek(0)
        while chunk := file.read(_CHUNK):
            lines = chunk.count(b"\n")
            if not chunk.isascii() or not lines or chunk.count(b" ") > _MOST_SPACES * lines:
                return False
            joined = last + chunk
            if any(mark in joined for mark in marks) or _has_blank_edge(joined, edges):
                return False
            last = chunk[-longest:]
    return not last.endswith(b" ")


def _has_blank_edge(chunk: bytes, edges: bytes) -> bool:
    """The same as ``has_blank_edge`` for many lines; whether the last character is an edge is not known yet."""
    at = chunk.find(b" ")
    while at >= 0:
        if chunk[at - 1] in edges or (at + 1 < len(chunk) and chunk[at + 1] in edges):
            return True
        at = chunk.find(b" ", at + 1)
    return False


class _SectionFault(Exception):
    """A section that is missing, or that occurs twice."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


class _Lines:
    """The lines of a text file. A file that is a single huge line does not fill the memory.

    Nearly all lines have no comment, no error value of Excel and no blanks around a cell. The odd ones are found
    here, line by line, so that only their cells are examined one by one.
    """

    def __init__(self, file: TextIO, mark: str) -> None:
        self._file = file
        self._mark = mark
        self._ahead: str | None = None
        self._is_odd = False
        self.delimiter = ","
        self.read = 0

    def __iter__(self) -> Iterator[str]:
        edges, readline = self.delimiter + ' \t\r\n"', self._file.readline
        mark = self._mark
        tab = "\t" if self.delimiter != "\t" else mark
        line = self._next()
        while line:
            if "#" in line or tab in line or not line.isascii() or mark in line:
                self._is_odd = True
            elif " " in line:
                self._is_odd = has_blank_edge(line, edges) or self._is_odd
            yield line
            line = readline(MAX_LINE)
            if len(line) == MAX_LINE:
                raise _TOO_LONG

    def was_odd(self) -> bool:
        """Whether any line since the last call was odd."""
        is_odd, self._is_odd = self._is_odd, False
        return is_odd

    def _next(self) -> str:
        if self._ahead is not None:
            line, self._ahead = self._ahead, None
            return line
        line = self._file.readline(MAX_LINE)
        if len(line) == MAX_LINE:
            raise _TOO_LONG
        return line

    def rest(self) -> Iterable[str]:
        """The lines that follow, none of which is odd or too long."""
        ahead, self._ahead = self._ahead, None
        return self._file if ahead is None else itertools.chain([ahead], self._file)

    def peek(self) -> str:
        self._ahead = self._next()
        return self._ahead

    def skip(self) -> None:
        self._next()
        self.read += 1

    def find_section(self, wanted: str) -> None:
        """Skip to the line after ``[wanted]``. Raises _SectionFault if there is none."""
        found: list[str] = []
        while line := self._next():
            self.read += 1
            match = _SECTION.fullmatch(line.strip())
            if match and match[1].casefold() == wanted.casefold():
                return
            if match:
                found.append(match[1])
        has = f"; it has {', '.join(found)}" if found else "; it has no sections"
        raise _SectionFault(f"there is no section [{wanted}]{near_miss(wanted, found) or has}")

    def of_section(self, wanted: str | None) -> Iterable[str]:
        """The lines to the end of the section that begins here. Raises _SectionFault for a second one with its name."""
        return self if wanted is None else self._of_section(wanted, self.read)

    def _of_section(self, wanted: str, first: int) -> Iterator[str]:
        is_inside = True
        for number, text in enumerate(self, first + 1):
            match = _SECTION.fullmatch(text.strip())
            if match and match[1].casefold() == wanted.casefold():
                raise _SectionFault(f"duplicate section [{wanted}]; it first starts on line {first}", number)
            is_inside = is_inside and not match
            if is_inside:
                yield text


def _words(error: csv.Error) -> str:
    words = str(error)
    if "unexpected end" in words:
        return "the quoted cell that starts here is never closed"
    if "field limit" in words:
        return f"a cell of more than {MAX_CELL // 2**20} MiB; is a quote not closed?"
    if "expected after" in words:
        return 'text follows a closing quote; a quote inside a quoted cell is written twice ("")'
    return words
