"""A window on a JSON text, so that a file of any size is read value by value."""

from __future__ import annotations

import json
import re
from typing import IO, Any, NamedTuple

from manifest_runner.values import MAX_DEPTH, depth_of, is_unicode

MAX_ROW = 8 * 2**20

_CHUNK = 2**20
_LONGEST_TOKEN = len("\\ud800\\udc00")
_SPACE = re.compile(r"[ \t\n\r]*")


class Spot(NamedTuple):
    """A position in a file, from 1."""

    line: int
    column: int


class BadRow(ValueError):
    """A row that is JSON, or nearly, but cannot be a row of a manifest."""


class Window:
    """Reads a file from its start. ``spot`` is the position of what comes next."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._text = ""
        self._at = 0
        self._lines = 1
        self._counted = 0
        self._line_start = 0

    @property
    def spot(self) -> Spot:
        self._count_lines()
        return Spot(self._lines, self._at - self._line_start + 1)

    def peek(self) -> str:
        """The next character that is not a space; empty at the end."""
        while True:
            self._at = _skip_space(self._text, self._at)
            if self._at < len(self._text) or not self._refill():
                return self._text[self._at : self._at + 1]

    def skip(self) -> None:
        self._at += 1

    def value(self, decoder: json.JSONDecoder) -> Any:
        """The next JSON value. If the window ends within it, more is read, up to the maximum size of a row."""
        while True:
            value, end, error = _decoded(decoder, self._text, self._at)
            length = end - self._at
            may_be_cut = error is not None or end == len(self._text)
            if may_be_cut and len(self._text) - self._at <= MAX_ROW and self._refill(MAX_ROW):
                continue
            if length > MAX_ROW or (error is not None and self._is_cut(error)):
                raise BadRow(f"a row of more than {MAX_ROW // 2**20} MiB")
            if error is None:
                self._refuse_unfit(value, self._at + length)
            self._at += length
            if error is not None:
                raise error
            return value

    def _refill(self, least: int = _CHUNK) -> bool:
        """Read more; False at the end of the file. A row that is cut off is read to its end, so it is decoded twice."""
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

    def _is_cut(self, error: json.JSONDecodeError) -> bool:
        """Whether a value only seems wrong because it is too long: the error is at the window's end."""
        at_end = error.pos >= len(self._text) - _LONGEST_TOKEN or error.msg.startswith("Unterminated")
        return at_end and len(self._text) - self._at > MAX_ROW

    def _refuse_unfit(self, value: Any, end: int) -> None:
        brackets = self._text.count("{", self._at, end) + self._text.count("[", self._at, end)
        if brackets > MAX_DEPTH and depth_of(value) > MAX_DEPTH:
            raise BadRow(f"nested more than {MAX_DEPTH} levels deep")
        if self._text.find("\\u", self._at, end) >= 0 and not is_unicode(value):
            raise BadRow("half of a surrogate pair (\\ud800 to \\udfff) is not text")


def _decoded(decoder: json.JSONDecoder, text: str, at: int) -> tuple[Any, int, json.JSONDecodeError | None]:
    """A value and where it ends, or where it is wrong."""
    try:
        return *decoder.raw_decode(text, at), None
    except json.JSONDecodeError as e:
        return None, e.pos, e


def _skip_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
