"""Many paths written as one, as in a shell: ``/run/S{001..100}_R{1,2}.fastq.gz``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

_BRACES = re.compile(r"\{(?:(?P<first>\d+)\.\.(?P<last>\d+)|(?P<names>[^{},]*(?:,[^{},]*)+))\}")


def expand(text: str) -> Iterator[str]:
    """Every path that ``text`` stands for, in order; one that has no braces stands for itself.

    A range that starts with a zero pads its numbers to that width.
    """
    match = _BRACES.search(text)
    if match is None:
        yield text
        return
    choices, width = _choices(match)
    for choice in choices:
        yield from expand(f"{text[: match.start()]}{str(choice).zfill(width)}{text[match.end() :]}")


def count(text: str) -> int:
    """How many paths ``text`` stands for."""
    return math.prod(len(_choices(match)[0]) for match in _BRACES.finditer(text))


def _choices(match: re.Match[str]) -> tuple[Sequence[str] | range, int]:
    """What a pair of braces offers, and the width that its numbers are padded to."""
    if match["names"] is not None:
        return match["names"].split(","), 0
    return range(int(match["first"]), int(match["last"]) + 1), len(match["first"])
