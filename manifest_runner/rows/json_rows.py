"""Rows of a JSON file (RFC 8259), a list of objects: one at a time is in memory. Numbers keep their spelling."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from manifest_runner.diagnostics.finding import Finding, InvalidManifest, Place
from manifest_runner.manifest.input_file import refuse_foreign_bytes
from manifest_runner.rows.base import NumberedRow, Report, Rows
from manifest_runner.values import spelled_number

MAX_ROW = 8 * 2**20
MAX_DEPTH = 100

_CHUNK = 2**20
_LINES = 2**32  # more than a file has
_LONGEST_TOKEN = len("\\ud800\\udc00")
_SPACE = re.compile(r"[ \t\n\r]*")


def json_rows(path: Path, label: str) -> Rows:
    """Rows that are mappings. Raises InvalidManifest where the file cannot be read."""
    refuse_foreign_bytes(path, label)

    def read(report: Report) -> Iterator[NumberedRow]:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, row in _elements(_Window(file), label):
                if isinstance(row, dict):
                    yield number, row
                else:
                    place = _place(label, number)
                    report(Finding(place, "MR306", "a row must be an object", row=place), "type")

    return Rows(None, read, lambda number: _place(label, number))


def _number(line: int, column: int) -> int:
    """The number of a row from which its place is found again."""
    return column * _LINES + line


def _place(label: str, number: int) -> Place:
    return Place(label, number % _LINES, max(1, number // _LINES))


class _BadRow(ValueError):
    """A row that is JSON, or nearly, but no data for a manifest."""


def decoder() -> json.JSONDecoder:
    """Of JSON as the RFC has it: no key twice, no NaN; a number's ``str()`` is its spelling."""
    return json.JSONDecoder(
        object_pairs_hook=_unique_pairs,
        parse_int=lambda digits: spelled_number(digits, whole=True),
        parse_float=lambda digits: spelled_number(digits, whole=False),
        parse_constant=_refuse_constant,
    )


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise _BadRow(f'duplicate key "{twice[:60]}"')
    return found


def _refuse_constant(name: str) -> Any:
    raise _BadRow(f"{name} has no place in JSON")


class _Window:
    """The part of a text that is being read. ``line`` and ``column`` are those of what comes next."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._text = ""
        self._at = 0
        self._lines = 1
        self._counted = 0
        self._line_start = 0

    def _is_cut(self, error: json.JSONDecodeError) -> bool:
        """Whether a value that is wrong is only too long for the window: it is wrong at the window's end."""
        at_end = error.pos >= len(self._text) - _LONGEST_TOKEN or error.msg.startswith("Unterminated")
        return at_end and len(self._text) - self._at > MAX_ROW

    def _refill(self, least: int = _CHUNK) -> bool:
        """Read on; False at the end of the file. A row that is cut off is read whole, to decode it but once more."""
        more = self._file.read(least + 1)
        self._count_lines()
        self._line_start -= self._at
        self._text = self._text[self._at :] + more
        self._at = self._counted = 0
        return bool(more)

    def _count_lines(self) -> None:
        self._lines += self._text.count("\n", self._counted, self._at)
        last = self._text.rfind("\n", self._counted, self._at)
        self._line_start = last + 1 if last >= 0 else self._line_start
        self._counted = self._at

    @property
    def line(self) -> int:
        self._count_lines()
        return self._lines

    @property
    def column(self) -> int:
        self._count_lines()
        return self._at - self._line_start + 1

    def peek(self) -> str:
        """The next character that is no space; nothing at the end."""
        while True:
            self._at = _skip_space(self._text, self._at)
            if self._at < len(self._text) or not self._refill():
                return self._text[self._at : self._at + 1]

    def skip(self) -> None:
        self._at += 1

    def value(self, decoder: json.JSONDecoder) -> Any:
        """The JSON value that comes next; what the window cuts off is read on, as long as a row may be."""
        while True:
            value, end, error = _decoded(decoder, self._text, self._at)
            length = end - self._at
            may_be_cut = error is not None or end == len(self._text)
            if may_be_cut and len(self._text) - self._at <= MAX_ROW and self._refill(MAX_ROW):
                continue
            if length > MAX_ROW or (error is not None and self._is_cut(error)):
                raise _BadRow(f"a row of more than {MAX_ROW // 2**20} MiB")
            if error is None:
                self._refuse_unfit(value, self._at + length)
            self._at += length
            if error is not None:
                raise error
            return value

    def _refuse_unfit(self, value: Any, end: int) -> None:
        brackets = self._text.count("{", self._at, end) + self._text.count("[", self._at, end)
        if brackets > MAX_DEPTH and _depth(value) > MAX_DEPTH:
            raise _BadRow(f"nested more than {MAX_DEPTH} levels deep")
        if self._text.find("\\u", self._at, end) >= 0 and not _is_unicode(value):
            raise _BadRow("half of a surrogate pair (\\ud800 to \\udfff) is no text")


def _decoded(decoder: json.JSONDecoder, text: str, at: int) -> tuple[Any, int, json.JSONDecodeError | None]:
    """A value and where it ends, or where it is wrong."""
    try:
        return *decoder.raw_decode(text, at), None
    except json.JSONDecodeError as e:
        return None, e.pos, e


def _skip_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _depth(value: Any) -> int:
    level, depth = [value], 0
    while level:
        depth += 1
        level = [each for outer in level for each in _children(outer)]
    return depth


def _children(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _is_unicode(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _elements(window: _Window, label: str) -> Iterator[tuple[int, Any]]:
    """The elements of the list, each with its line, and with its column where another one stands before it there.

    Raises InvalidManifest at the first that is not JSON.
    """
    strict, before = decoder(), 0
    try:
        if (start := window.peek()) != "[":
            lines = "; objects without a list, as in JSON Lines, are not read" if start == "{" else ""
            raise _BadRow(f"expected a list of objects, which starts with [{lines}")
        window.skip()
        while window.peek() != "]":
            line = window.line
            yield _number(line, window.column if line == before else 0), window.value(strict)
            before = window.line
            _next_element(window)
        window.skip()
        if window.peek():
            raise _BadRow("something follows the list")
    except json.JSONDecodeError as e:
        raise _fault(window, label, f"not JSON: {e.msg[:1].lower()}{e.msg[1:].removesuffix(' at')}") from e
    except RecursionError as e:
        raise _fault(window, label, f"nested more than {MAX_DEPTH} levels deep") from e
    except ValueError as e:
        raise _fault(window, label, str(e)) from e


def _next_element(window: _Window) -> None:
    following = window.peek()
    if following == ",":
        window.skip()
        if window.peek() == "]":
            raise _BadRow("not JSON: a comma before the closing bracket")
    elif following != "]":
        raise _BadRow("not JSON: expected a comma or the closing bracket of the list")


def _fault(window: _Window, label: str, message: str) -> InvalidManifest:
    return InvalidManifest([Finding(Place(label, window.line, window.column), "MR306", message)])
