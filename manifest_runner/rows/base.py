"""What a source of rows is."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from manifest_runner.model import Finding, Place

# Takes a fault, and what tells faults that are alike.
Report = Callable[[Finding, Hashable], None]
NumberedRow = tuple[int, Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """A source of rows, one at a time: a study of a million rows never stands in memory as a whole.

    A row of a table is the list of its cells, all text, beside ``columns``, which names them once; a row of any
    other source is a mapping, and ``columns`` is None. Each row comes with a number from which ``place`` finds
    where it was written: its line, and its column where that line holds another row before it. ``read`` starts anew
    at each call; it raises InvalidManifest where it cannot go on.
    """

    columns: tuple[str, ...] | None
    read: Callable[[Report], Iterator[NumberedRow]]
    place: Callable[[int], Place | None]
