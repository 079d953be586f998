"""The place of each value of a YAML text."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from manifest_runner.diagnostics.finding import Place

_BREAK = re.compile(r"\r\n|\r|\n")


class Lines:
    """A text by its lines, as editors count them; libyaml also breaks at U+0085, U+2028 and U+2029."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self.text = text

    def place(self, offset: int) -> Place:
        """The line and column of an offset."""
        line = bisect_right(self._starts, offset)
        return Place(self._file, line, offset - self._starts[line - 1] + 1)

    @cached_property
    def _starts(self) -> array[int]:
        starts = array("I", [0])
        starts.extend(found.end() for found in _BREAK.finditer(self.text))
        return starts


class Places:
    """The places of one document: ``marks`` holds offsets by a container's id.

    For a mapping they are those of each key and its value in turn, for a list those of its elements. ``aliased``
    are the offsets of the values that aliases refer to.
    """

    def __init__(
        self, lines: Lines, data: Any, start: int, marks: Mapping[int, array[int]], aliased: Collection[int]
    ) -> None:
        self._lines = lines
        self._data = data
        self._start = start
        self._marks = marks
        self._aliased = aliased
        self._numbers: dict[int, dict[str | int, int]] = {}

    def find(self, path: Sequence[str | int], *, at_key: bool) -> Place:
        """The place of the value at ``path`` or of its key; of its nearest ancestor where there is no such value."""
        data = self._data
        offset = self._start
        for depth, step in enumerate(path):
            number = self._number(data, step)
            if number is None:
                break
            marks = self._marks[id(data)]
            wants_key = at_key and depth == len(path) - 1
            offset = marks[2 * number + (not wants_key)] if isinstance(data, dict) else marks[number]
            data = data[step]
        return self._lines.place(offset)

    def aliased(self, path: Sequence[str | int]) -> Iterator[str]:
        """The keys of the mapping at ``path`` whose value, or a part of it, is used elsewhere by an alias."""
        root = data = self._data
        for step in path:
            data = data[step]
        marks, aliased = self._marks[id(data)], sorted(self._aliased)
        bounds = sorted([*marks[::2], *self._marks[id(root)][::2], len(self._lines.text) + 1])
        for key, at in zip(data, marks[1::2], strict=True):
            first = bisect_left(aliased, at)
            if first < len(aliased) and aliased[first] < bounds[bisect_right(bounds, at)]:
                yield key

    def _number(self, data: Any, step: str | int) -> int | None:
        """The number of the entry that a step leads to. Keys of a mapping are indexed, since many may be asked for."""
        if not isinstance(data, dict):
            is_index = isinstance(data, list) and isinstance(step, int) and 0 <= step < len(data)
            return int(step) if is_index else None
        if id(data) not in self._numbers:
            self._numbers[id(data)] = {key: number for number, key in enumerate(data)}
        return self._numbers[id(data)].get(step)
