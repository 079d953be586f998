"""Stream the rows of a JSON file (RFC 8259), a list of objects, or of JSON Lines. Numbers keep their spelling."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from manifest_runner.diagnostics.finding import Finding, InvalidManifest, Place
from manifest_runner.manifest.input_file import refuse_foreign_bytes
from manifest_runner.model import RowId
from manifest_runner.rows.base import IdentifiedRow, Report, Rows
from manifest_runner.rows.json_window import BadRow, Spot, Window
from manifest_runner.text import uncapitalized
from manifest_runner.values import MAX_DEPTH, json_decoder

_JSON_LINES = (".jsonl", ".ndjson")


def json_rows(path: Path, label: str) -> Rows:
    """Rows that are mappings; a file that ends in .jsonl or .ndjson has one on each line.

    Raises InvalidManifest if the file cannot be read.
    """
    refuse_foreign_bytes(path, label)
    elements = _json_lines if path.suffix.lower() in _JSON_LINES else _list_elements

    def read(report: Report) -> Iterator[IdentifiedRow]:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for spot, row in _guarded(elements, Window(file), label):
                if isinstance(row, dict):
                    yield spot, row
                else:
                    place = Place(label, *spot)
                    report(Finding(place, "MR306", "a row must be an object", row=place), "type")

    def place_of_row(row: RowId) -> Place:
        assert isinstance(row, tuple)
        return Place(label, *row)

    return Rows(None, read, place_of_row)


Elements = Callable[[Window], Iterator[tuple[Spot, Any]]]


def _guarded(elements: Elements, window: Window, label: str) -> Iterator[tuple[Spot, Any]]:
    """The elements; raises InvalidManifest at the first that is not JSON."""
    try:
        yield from elements(window)
    except json.JSONDecodeError as e:
        raise _fault(window, label, f"not JSON: {uncapitalized(e.msg).removesuffix(' at')}") from e
    except RecursionError as e:
        raise _fault(window, label, f"nested more than {MAX_DEPTH} levels deep") from e
    except ValueError as e:
        raise _fault(window, label, str(e)) from e


def _list_elements(window: Window) -> Iterator[tuple[Spot, Any]]:
    """The elements of the list; an element that is the first on its line gets the column 1."""
    strict, last_line = json_decoder(), 0
    if (start := window.peek()) != "[":
        hint = "; if each line is an object, the file's name must end in .jsonl" if start == "{" else ""
        raise BadRow(f"expected a list of objects, which starts with [{hint}")
    window.skip()
    while window.peek() != "]":
        spot = window.spot
        yield spot if spot.line == last_line else Spot(spot.line, 1), window.value(strict)
        last_line = window.spot.line
        _next_element(window)
    window.skip()
    if window.peek():
        raise BadRow("something follows the list")


def _next_element(window: Window) -> None:
    following = window.peek()
    if following == ",":
        window.skip()
        if window.peek() == "]":
            raise BadRow("not JSON: a comma before the closing bracket")
    elif following != "]":
        raise BadRow("not JSON: expected a comma or the closing bracket of the list")


def _json_lines(window: Window) -> Iterator[tuple[Spot, Any]]:
    strict = json_decoder()
    while window.peek():
        spot = window.spot
        yield Spot(spot.line, 1), window.value(strict)
        last_line = window.spot.line
        if window.peek() and window.spot.line == last_line:
            raise BadRow("expected a new line after the object")


def _fault(window: Window, label: str, message: str) -> InvalidManifest:
    return InvalidManifest.at(Place(label, *window.spot), "MR306", message)
