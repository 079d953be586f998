"""Put the values of a filter into as few requests as the length of a URL allows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from math import ceil

from manifest_runner.ica import data_endpoints as calls

_LEAST_BYTES = 200
_SAMPLE = 50


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

    def halve(self, paths: Sequence[str]) -> None:
        """Make all further chunks half as long, since one of these paths was refused as too long."""
        size = sum(calls.query_bytes("filePath", path) for path in paths)
        self._budget = max(min(self._budget, size // 2), _LEAST_BYTES)
