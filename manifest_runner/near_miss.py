"""The nearest of some known names, for a message: ``; did you mean "sample"?``.

Comparing names takes a while, and thousands of rows may each lack another one, while few messages are shown. So only
the first names are compared with the same known ones, as many as takes about a second, but at least three.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

from manifest_runner.text import shown

_LONGEST_NAME = 100
# The work of a comparison grows as the square of the length.
_MAX_COMPARED = 10_000_000
_MOST_WORK = 50_000_000


def near_miss(name: str, known: Iterable[str]) -> str:
    """``; did you mean "x"?`` with the nearest of the known names, or nothing."""
    near = nearest(name, known)
    return "" if near is None else f"; did you mean {shown(near)}?"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most similar to ``name``, ignoring case; None if none is near."""
    return _nearest(name[:_LONGEST_NAME].lower(), tuple(map(str, known)))


@functools.lru_cache(maxsize=64)  # many rows lack the same column
def _nearest(name: str, known: tuple[str, ...]) -> str | None:
    return _known_names(known).nearest(name)


@functools.lru_cache(maxsize=64)
def _known_names(known: tuple[str, ...]) -> _KnownNames:
    return _KnownNames(known)


class _KnownNames:
    """Names to compare others with, and how many more are compared with them."""

    def __init__(self, known: tuple[str, ...]) -> None:
        self._by_lower = {each[:_LONGEST_NAME].lower(): each for each in known}
        work = sum(len(each) ** 2 for each in self._by_lower)
        self._left = max(3, _MAX_COMPARED // max(1, work)) if work < _MOST_WORK else 0

    def nearest(self, name: str) -> str | None:
        from difflib import get_close_matches  # only a message needs it

        self._left -= 1
        close = get_close_matches(name, self._by_lower, n=1) if self._left >= 0 else ()
        return self._by_lower[close[0]] if close else None


def start_over() -> None:
    """Compare again with names that were compared often enough: what a process did before must not change a message."""
    _nearest.cache_clear()
    _known_names.cache_clear()
