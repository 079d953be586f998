"""Copy data into exact built-in types, which the compiled validator requires; of large data only the first values."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from manifest_runner.model import DataPath
from manifest_runner.values import is_unicode

# The validator goes about 250 levels deep. No shipped schema has rules for values that are nested deeper than this.
_DEEPEST = 200


class FirstValues(msgspec.Struct, frozen=True):
    """The first values of some data. ``cut`` are the lists and mappings that were shortened, or nested too deeply."""

    data: Any
    cut: frozenset[DataPath] = frozenset()


def plain(data: Any) -> Any:
    """The same data in exact built-in types."""
    if isinstance(data, dict):
        return {_scalar(key): plain(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [plain(each) for each in data]
    return _scalar(data)


def first_values(data: Any, most: int = sys.maxsize) -> FirstValues:
    """At most this many of the values, in exact built-in types, and as deeply nested as the validator can go."""
    copy = _Copy(most)
    return FirstValues(copy.of(data, ()), frozenset(copy.cut))


class _Copy:
    """Copies data until no more values are wanted."""

    def __init__(self, most: int) -> None:
        self._left = most
        self.cut: set[DataPath] = set()

    def of(self, data: Any, path: DataPath) -> Any:
        self._left -= 1
        if isinstance(data, dict):
            return {_scalar(key): each for key, each in self._entries(data.items(), path)}
        if isinstance(data, (list, tuple)):
            return [each for _, each in self._entries(enumerate(data), path)]
        return _scalar(data)

    def _entries(self, entries: Iterable[tuple[Any, Any]], path: DataPath) -> Iterator[tuple[Any, Any]]:
        for step, each in entries:
            if self._left <= 0 or len(path) >= _DEEPEST:
                self.cut.add(path)
                return
            yield step, self.of(each, (*path, step))


def _scalar(data: Any) -> Any:
    if isinstance(data, str):
        text = str.__str__(data)
        return text if is_unicode(text) else text.encode("utf-8", "backslashreplace").decode()
    if isinstance(data, int) and not isinstance(data, bool):
        return int(data)
    if not isinstance(data, float):
        return data
    # Beyond a double there is only infinity, which is not JSON; the largest double stands for such a number.
    return float(min(max(data, -sys.float_info.max), sys.float_info.max))
