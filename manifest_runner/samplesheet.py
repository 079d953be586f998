"""Rows of a samplesheet, one at a time: a study of a million rows never stands in memory as a whole.

A row of a csv or tsv file is the list of its cells, all text, beside the columns that ``Rows`` names once; a row
of any other source is a mapping. Each row comes with a number from which ``Rows.place`` finds where it was written.
"""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifest_runner.errors import InvalidManifest
from manifest_runner.manifest import decode_utf8, read_bytes, read_yaml, spelled_number
from manifest_runner.model import Finding, Place

Report = Callable[[Finding], None]
NumberedRow = tuple[int, Any]

MAX_JSON_BYTES = 512 * 2**20
_CHUNK = 2**20
_SECTION = re.compile(r"\[([^\]]*)\],*")


@dataclass(frozen=True, slots=True)
class Rows:
    """A source of rows. ``columns`` is None where each row names its own; ``read`` starts anew at each call."""

    columns: tuple[str, ...] | None
    read: Callable[[Report], Iterator[NumberedRow]]
    place: Callable[[int], Place | None]


def csv_rows(path: Path, label: str, *, delimiter: str, section: str | None = None) -> Rows:
    """Rows of a csv or tsv file (RFC 4180, with a header), or of one section of an Illumina SampleSheet.

    Raises InvalidManifest where the file cannot be read or has no usable header.
    """
    _refuse_nul(path, label)
    opened = _open_csv(path, label, delimiter, section)
    columns, width = _columns(next(opened, None), label, section)

    def read(report: Report) -> Iterator[NumberedRow]:
        lines = _open_csv(path, label, delimiter, section)
        next(lines, None)
        return _cells(lines, len(columns), width, label, report)

    return Rows(columns, read, lambda line: Place(label, line))


def _cells(
    lines: Iterator[tuple[int, list[str]]], wanted: int, width: int, label: str, report: Report
) -> Iterator[NumberedRow]:
    for numbered in lines:
        cells = numbered[1]
        if len(cells) == wanted:
            yield numbered
        elif wanted < len(cells) and not any(cells[wanted:]):
            yield numbered[0], cells[:wanted]
        else:
            what = f"this row has {len(cells)} cells, the header has {width}"
            hint = "; a cell that holds the delimiter must be quoted" if len(cells) > wanted else ""
            report(Finding(Place(label, numbered[0]), "MR304", what + hint))


def _columns(header: tuple[int, list[str]] | None, label: str, section: str | None) -> tuple[tuple[str, ...], int]:
    """The columns' names, and how many cells the header has (a spreadsheet may pad it with empty ones)."""
    if header is None:
        where = f"section [{section}] is empty" if section else "the file is empty"
        raise InvalidManifest([Finding(Place(label, 1), "MR302", f"{where}; the first line must name the columns")])
    line, cells = header
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    faults = [
        Finding(Place(label, line), "MR302", f"column {number} has no name in the header")
        for number, name in enumerate(names, 1)
        if not name
    ]
    faults += [
        Finding(Place(label, line), "MR303", f'duplicate column "{name}"')
        for name in dict.fromkeys(names)
        if name and names.count(name) > 1
    ]
    if not section and names and _SECTION.fullmatch(names[0]):
        hint = "this is an Illumina SampleSheet; name the part to read, such as `section: BCLConvert_Data`"
        faults = [Finding(Place(label, line), "MR302", hint)]
    if not names:
        faults = [Finding(Place(label, line), "MR302", "the header is empty; the first line must name the columns")]
    if faults:
        raise InvalidManifest(faults)
    return tuple(names), len(cells)


def _open_csv(path: Path, label: str, delimiter: str, section: str | None) -> Iterator[tuple[int, list[str]]]:
    """Non-empty records with the line on which each starts."""
    start = 0
    reader = None
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            text: Iterator[str] = file
            if section is not None:
                start, text = _section(file, section, label)
            reader = csv.reader(text, delimiter=delimiter, strict=True)
            line = start + 1
            for cells in reader:
                if cells:
                    yield line, cells
                line = start + reader.line_num + 1
    except UnicodeDecodeError:
        decode_utf8(path.read_bytes(), label)
        raise
    except csv.Error as e:
        at = start + (reader.line_num if reader else 1)
        words = "a quoted cell is not closed" if "unexpected end" in str(e) or "field limit" in str(e) else str(e)
        raise InvalidManifest([Finding(Place(label, at), "MR305", f"not readable as a table: {words}")]) from e
    except OSError as e:
        raise InvalidManifest([Finding(Place(label, 1), "MR301", f"cannot be read: {e.strerror or e}")]) from e


def _section(file: Iterator[str], section: str, label: str) -> tuple[int, Iterator[str]]:
    found: list[str] = []
    for number, line in enumerate(file, 1):
        match = _SECTION.fullmatch(line.strip())
        if match and match[1].casefold() == section.casefold():
            return number, itertools.takewhile(lambda text: not _SECTION.fullmatch(text.strip()), file)
        if match:
            found.append(match[1])
    has = f"it has {', '.join(found)}" if found else "it has no sections at all"
    raise InvalidManifest([Finding(Place(label, 1), "MR302", f"there is no section [{section}]; {has}")])


def _refuse_nul(path: Path, label: str) -> None:
    """Spreadsheets saved as UTF-16 and binary files, told apart before they look like a table of nonsense."""
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is not a file" if path.exists() else "does not exist"
        raise InvalidManifest([Finding(Place(label, 1), "MR301", f"cannot be read: it {what}")])
    line = 1
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                at = chunk.find(b"\0")
                if at >= 0:
                    line += chunk.count(b"\n", 0, at)
                    message = "a NUL byte; save the file as CSV or TSV in UTF-8"
                    raise InvalidManifest([Finding(Place(label, line), "MR305", message)])
                line += chunk.count(b"\n")
    except OSError as e:
        raise InvalidManifest([Finding(Place(label, 1), "MR301", f"cannot be read: {e.strerror or e}")]) from e


def json_rows(path: Path, label: str) -> Rows:
    """Rows of a JSON file (RFC 8259): a list of objects. Numbers keep their spelling."""
    text = decode_utf8(read_bytes(path, label, MAX_JSON_BYTES), label)

    def read(report: Report) -> Iterator[NumberedRow]:
        line, seen = 1, 0
        for number, (start, row) in enumerate(_elements(text, label)):
            line += text.count("\n", seen, start)
            seen = start
            if isinstance(row, dict):
                yield line, row
            else:
                report(Finding(Place(label, line), "MR306", f"row {number + 1} is not an object"))

    return Rows(None, read, lambda line: Place(label, line))


class _DuplicateKey(ValueError):
    pass


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _DuplicateKey(f'duplicate key "{twice}"')
    return found


def _refuse_constant(name: str) -> Any:
    raise _DuplicateKey(f"{name} is not JSON")


def _elements(text: str, label: str) -> Iterator[tuple[int, Any]]:
    """The elements of a JSON list, each with the offset where it starts, decoded one at a time."""
    decoder = json.JSONDecoder(
        object_pairs_hook=_unique_pairs,
        parse_int=lambda digits: spelled_number(digits, whole=True),
        parse_float=lambda digits: spelled_number(digits, whole=False),
        parse_constant=_refuse_constant,
    )
    space = re.compile(r"[ \t\n\r]*")
    at = space.match(text, 0).end()  # type: ignore[union-attr]
    try:
        if text[at : at + 1] != "[":
            raise _fault(text, at, label, "expected a list of objects")
        at = space.match(text, at + 1).end()  # type: ignore[union-attr]
        while text[at : at + 1] != "]":
            start = at
            row, at = decoder.raw_decode(text, at)
            yield start, row
            at = space.match(text, at).end()  # type: ignore[union-attr]
            if text[at : at + 1] == ",":
                at = space.match(text, at + 1).end()  # type: ignore[union-attr]
                if text[at : at + 1] == "]":
                    raise _fault(text, at, label, "a comma before the closing bracket")
            elif text[at : at + 1] != "]":
                raise _fault(text, at, label, "expected a comma or the closing bracket")
        rest = space.match(text, at + 1).end()  # type: ignore[union-attr]
        if rest != len(text):
            raise _fault(text, rest, label, "something follows the list")
    except json.JSONDecodeError as e:
        raise _fault(text, e.pos, label, e.msg) from e
    except (_DuplicateKey, RecursionError, ValueError) as e:
        raise _fault(text, at, label, str(e) if isinstance(e, _DuplicateKey) else "nested too deeply") from e


def _fault(text: str, at: int, label: str, message: str) -> InvalidManifest:
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    return InvalidManifest([Finding(Place(label, line, column), "MR306", f"not a JSON list of objects: {message}")])


def yaml_rows(path: Path, label: str) -> Rows:
    """Rows of a YAML file: a list of mappings, read as a manifest is."""
    file = read_yaml(path, label)
    if not isinstance(file.data, list):
        raise InvalidManifest([Finding(Place(label, 1), "MR306", "expected a list of mappings")])
    return listed_rows(file.data, lambda number: file.place((number,)))


def listed_rows(rows: Sequence[Any], place: Callable[[int], Place]) -> Rows:
    """Rows that are there already, numbered from 0."""

    def read(report: Report) -> Iterator[NumberedRow]:
        for number, row in enumerate(rows):
            if isinstance(row, dict):
                yield number, row
            else:
                report(Finding(place(number), "MR306", "a row must be a mapping of columns to values"))

    return Rows(None, read, place)


def matrix_rows(matrix: Mapping[str, Sequence[Any]], place: Callable[[int], Place]) -> Rows:
    """Every combination of the values, the first key varying slowest."""

    def read(_: Report) -> Iterator[NumberedRow]:
        for number, values in enumerate(itertools.product(*matrix.values())):
            yield number, dict(zip(matrix, values, strict=True))

    return Rows(None, read, place)
