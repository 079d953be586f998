"""Rows of csv and tsv files (RFC 4180, with a header), also in a section of an Illumina SampleSheet; streamed."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import msgspec

from manifest_runner.diagnostics.finding import Finding, InvalidManifest, Place
from manifest_runner.manifest.input_file import refuse_foreign_bytes
from manifest_runner.model import RowId
from manifest_runner.rows.base import IdentifiedRow, Report, Rows

MAX_CELL = 2 * 2**20
MAX_LINE = 16 * 2**20

_DELIMITERS = {",": "csv file has commas", "\t": "tsv file has tabs", ";": ""}
_CONFLICT = ("<<<<<<< ", "=======", ">>>>>>> ")
# Spreadsheets pad the line to the width of the sheet, some quote all cells.
_SECTION = re.compile(r'"?\[([^\]]*)\]"?[,;\s"]*')


def csv_rows(path: Path, label: str, *, delimiter: str, section: str | None = None) -> Rows:
    """The rows of a table: lists of texts, as many as ``columns``. A row in which all cells are empty does not count.

    Raises InvalidManifest where the file cannot be read or has no usable header.
    """
    refuse_foreign_bytes(path, label)
    table = _Table(path, label, delimiter, section)
    header = _Header.read(table)
    return Rows(header.columns, lambda report: _cells(table, header, report), partial(_place, label))


def _place(label: str, row: RowId) -> Place:
    assert isinstance(row, int)
    return Place(label, row)


class _Table(msgspec.Struct, frozen=True):
    path: Path
    label: str
    delimiter: str
    section: str | None = None

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Records with the line on which each starts; those with nothing but empty cells are left out."""
        csv.field_size_limit(MAX_CELL)
        line = 1
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                lines: Iterator[str] = _bounded_lines(file)
                skipped = 0 if self.section is None else self._skip_to_section(lines, self.section)
                line += skipped
                if self.section is not None:
                    lines = self._section(lines, self.section, skipped)
                reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
                for cells in reader:
                    if cells and (cells[0] or any(cells)):
                        yield line, cells
                    line = skipped + reader.line_num + 1
        except csv.Error as e:
            raise self.fault("MR305", f"not readable as a table: {_words(e)}", line) from e
        except (OSError, UnicodeDecodeError) as e:
            raise self.fault("MR301", f"cannot be read: {e}") from e

    def _skip_to_section(self, lines: Iterable[str], wanted: str) -> int:
        found: list[str] = []
        for number, line in enumerate(lines, 1):
            match = _SECTION.fullmatch(line.strip())
            if match and match[1].casefold() == wanted.casefold():
                return number
            if match:
                found.append(match[1])
        has = f"it has {', '.join(found)}" if found else "it has no sections"
        raise self.fault("MR302", f"there is no section [{wanted}]; {has}")

    def _section(self, lines: Iterator[str], wanted: str, first: int) -> Iterator[str]:
        """The lines of the section that begins after line ``first``. A second one of that name is an error."""
        inside = True
        for number, text in enumerate(lines, first + 1):
            match = _SECTION.fullmatch(text.strip())
            if match and match[1].casefold() == wanted.casefold():
                raise self.fault("MR302", f"duplicate section [{wanted}]; it first starts on line {first}", number)
            inside = inside and not match
            if inside:
                yield text

    def fault(self, code: str, message: str, line: int = 1) -> InvalidManifest:
        return InvalidManifest([Finding(Place(self.label, line), code, message)])


class _Header(msgspec.Struct, frozen=True):
    """``width`` counts the header's cells, which a spreadsheet may pad with empty ones; ``columns`` is without them."""

    line: int
    width: int
    columns: tuple[str, ...] = ()

    @classmethod
    def read(cls, table: _Table) -> _Header:
        line, cells = next(table.records(), (1, []))
        names = [cell.strip() for cell in cells]
        while names and not names[-1]:
            names.pop()
        if not names:
            what = f"section [{table.section}] is empty" if table.section else "the file is empty"
            raise table.fault("MR302", f"{what}; its first line must name the columns", line)
        if table.section is None and _SECTION.fullmatch(names[0]):
            hint = "this is an Illumina SampleSheet; name the section to read, such as `section: BCLConvert_Data`"
            raise table.fault("MR302", hint, line)
        if len(names) == 1 and any(each in names[0] for each in _DELIMITERS):
            wanted = _DELIMITERS[table.delimiter]
            raise table.fault(
                "MR302", f'the header is a single column, "{names[0]}"; a {wanted} between its cells', line
            )
        faults = list(_faulty_names(names, Place(table.label, line)))
        if faults:
            raise InvalidManifest(faults)
        return cls(line, len(cells), tuple(names))


def _faulty_names(names: list[str], place: Place) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        if not name:
            yield Finding(place, "MR302", f"column {number} has no name in the header")
        elif first.setdefault(name, number) != number:
            yield Finding(place, "MR303", f'duplicate column "{name}" (columns {first[name]} and {number})')


def _cells(table: _Table, header: _Header, report: Report) -> Iterator[IdentifiedRow]:
    wanted = len(header.columns)
    for numbered in itertools.islice(table.records(), 1, None):
        cells = numbered[1]
        if len(cells) == wanted:
            yield numbered
        elif wanted < len(cells) and not any(cells[wanted:]):
            yield numbered[0], cells[:wanted]
        else:
            kind, message = _raggedness(cells, header)
            place = Place(table.label, numbered[0])
            report(Finding(place, "MR304", message, row=place), kind)


def _raggedness(cells: list[str], header: _Header) -> tuple[str, str]:
    """The kind of fault, and the message, for a row that has more or fewer cells than the header."""
    if cells[0].startswith(_CONFLICT):
        return "conflict", "an unresolved merge conflict"
    message = f"this row has {len(cells)} cell{'s' * (len(cells) != 1)}, the header has {header.width}"
    if len(cells) <= len(header.columns):
        return "short", message
    return "long", f"{message}; a cell that holds the delimiter must be quoted"


def _bounded_lines(file: Iterable[str]) -> Iterator[str]:
    """Lines of a text file; a file that is one huge line does not fill the memory."""
    readline = file.readline  # type: ignore[attr-defined]
    while line := readline(MAX_LINE):
        if len(line) == MAX_LINE:
            raise csv.Error(f"a line of more than {MAX_LINE // 2**20} MiB")
        yield line


def _words(error: csv.Error) -> str:
    words = str(error)
    if "unexpected end" in words:
        return "the quoted cell that starts here is never closed"
    if "field limit" in words:
        return f"a cell of more than {MAX_CELL // 2**20} MiB; is a quote not closed?"
    if "expected after" in words:
        return 'text follows a closing quote; a quote inside a quoted cell is written twice ("")'
    return words
