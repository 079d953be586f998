"""Values that come more than once among a million, noticed at eight bytes a value."""

from __future__ import annotations

from array import array
from collections.abc import Hashable
from itertools import pairwise


class Repeats:
    """Remembers hashes only. Two values can share one by chance, so whoever asks looks at the values once more."""

    def __init__(self) -> None:
        self._hashes = array("q")

    def add(self, value: Hashable) -> None:
        self._hashes.append(hash(value))

    def repeated(self) -> frozenset[int]:
        """The hashes that came more than once."""
        return frozenset(one for one, next_ in pairwise(sorted(self._hashes)) if one == next_)
