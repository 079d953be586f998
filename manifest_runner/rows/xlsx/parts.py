"""The parts of a workbook: an xlsx file is a zip of XML files, and some of them list the others."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from xml.parsers import expat

CHUNK = 2**20
WORKBOOK = "xl/workbook.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"
_MAX_INDEX = 16 * 2**20  # of the parts that only list others
_HIDDEN = ("hidden", "veryHidden")


class BadWorkbook(ValueError):
    """A file that is not a workbook, or one that is refused; the message says why."""


def opened(path: Path, act: Callable[[zipfile.ZipFile], Any]) -> Any:
    """The result of ``act`` on a workbook. Raises BadWorkbook if the file is not a zip, or is damaged."""
    try:
        with zipfile.ZipFile(path) as book:
            return act(book)
    except LookupError as e:  # a part, an attribute or an encoding that does not exist
        raise BadWorkbook(f"it is damaged: {e.args[0]}") from e
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as e:
        if not zipfile.is_zipfile(path):
            raise BadWorkbook("it is damaged, or not an xlsx file; name a text file under `csv` or `tsv`") from e
        raise BadWorkbook(f"it is damaged: {e}") from e


class SheetPart(NamedTuple):
    """A worksheet: its name, its part of the zip, and whether Excel shows it."""

    name: str
    part: str
    is_hidden: bool


def find_sheets(book: zipfile.ZipFile) -> dict[str, SheetPart]:
    """The worksheets of a workbook by name, in order."""
    targets = {
        attributes["Id"]: part_name(attributes["Target"])
        for name, attributes in elements(book, RELATIONS)
        if name == "Relationship" and attributes.get("Type", "").endswith("/worksheet")
    }
    found = (
        SheetPart(attributes["name"], targets.get(_relation(attributes), ""), attributes.get("state") in _HIDDEN)
        for name, attributes in elements(book, WORKBOOK)
        if name == "sheet" and "name" in attributes
    )
    return {sheet.name: sheet for sheet in found if sheet.part}


def _relation(attributes: dict[str, str]) -> str:
    """The id of an element's relationship, ``r:id`` with whatever prefix."""
    return next((value for key, value in attributes.items() if key.rpartition(":")[2] == "id"), "")


def elements(book: zipfile.ZipFile, part: str) -> list[tuple[str, dict[str, str]]]:
    """The elements of a small part, each as its name without the prefix, and its attributes."""
    found: list[tuple[str, dict[str, str]]] = []
    parser = strict_parser()
    parser.StartElementHandler = lambda name, attributes: found.append((name.rpartition(":")[2], attributes))
    parse_part(book, part, _MAX_INDEX, parser)
    return found


def part_name(target: str) -> str:
    """The part that a relationship of the workbook points to."""
    return target.lstrip("/") if target.startswith("/") else f"xl/{target.removeprefix('./')}"


def strict_parser() -> Any:
    def refuse(*_: object) -> None:
        raise BadWorkbook("it declares a document type, as no workbook does")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    return parser


def parse_part(
    book: zipfile.ZipFile, part: str, limit: int, parser: Any, check: Callable[[int], None] = lambda _: None
) -> None:
    """Parse a part of the zip; ``check`` is given the size so far. Raises BadWorkbook if it is too large or not XML."""
    size = 0
    try:
        for chunk in chunks_of(book, part, limit):
            parser.Parse(chunk, False)
            check(size := size + len(chunk))
        parser.Parse(b"", True)
    except KeyError as e:
        raise BadWorkbook(f"it has no part {part}") from e
    except expat.ExpatError as e:
        raise BadWorkbook(f"its part {part} is not XML: {e}") from e


def chunks_of(book: zipfile.ZipFile, part: str, limit: int) -> Iterator[bytes]:
    """A part in pieces. Does not rely on the size that the zip claims, unless that is too large."""
    size, claimed = 0, book.getinfo(part).file_size
    with book.open(part) as file:
        while chunk := file.read(CHUNK):
            size += len(chunk)
            if max(size, claimed) > limit:
                raise BadWorkbook(f"its part {part} is larger than {limit // 2**20} MiB; save the rows as csv")
            yield chunk
