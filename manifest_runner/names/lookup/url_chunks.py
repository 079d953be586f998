"""Put the values of a filter into as few requests as the length of a URL allows.

How long a URL may be is not documented: a server that refuses one is asked for half as much at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from math import ceil
from typing import TypeVar

from manifest_runner.errors import Refused
from manifest_runner.ica import data_endpoints as calls

T = TypeVar("T")

_LEAST_BYTES = 200
_SAMPLE = 50
_TOO_LONG = frozenset({400, 413, 414, 431})


class UrlChunks:
    """``budget`` is the number of bytes of a URL for the values; it shrinks when a server refuses long ones."""

    def __init__(self, budget: int) -> None:
        self._budget = budget

    def of(self, values: Sequence[str], filter_name: str) -> Iterator[list[str]]:
        """The values in chunks, each as large as fits."""
        return calls.chunked(values, filter_name, self._budget)

    def count(self, paths: Collection[str]) -> int:
        """The approximate number of chunks for these paths."""
        if not paths:
            return 0
        sample = list(islice(paths, _SAMPLE))
        each = sum(calls.query_bytes("filePath", path) for path in sample) / len(sample)
        return ceil(len(paths) / max(1, self._budget // each))

    def ask(self, values: Sequence[str], ask: Callable[[Sequence[str]], list[T]]) -> list[T]:
        """What ``ask`` returns for a chunk, or for its halves if the server refuses its length; later ones are shorter.

        Raises Refused, also if one value alone is refused.
        """
        try:
            return ask(values)
        except Refused as refused:
            if refused.status not in _TOO_LONG or len(values) == 1:
                raise
        half = len(values) // 2
        self._halve(values)
        return [*self.ask(values[:half], ask), *self.ask(values[half:], ask)]

    def _halve(self, values: Sequence[str]) -> None:
        size = sum(calls.query_bytes("filePath", value) for value in values)
        self._budget = max(min(self._budget, size // 2), _LEAST_BYTES)
