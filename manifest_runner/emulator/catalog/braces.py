"""Expand braces in paths as a shell does: ``/run/S{001..100}_R{1,2}.fastq.gz``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

_BRACES = re.compile(r"\{(?:(?P<first>\d+)\.\.(?P<last>\d+)|(?P<names>[^{},]*(?:,[^{},]*)+))\}")


def expand(text: str) -> Iterator[str]:
    """Every path that ``text`` expands to, in order; one without braces expands to itself.

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
    """The number of paths that ``text`` expands to."""
    return math.prod(len(_choices(match)[0]) for match in _BRACES.finditer(text))


def _choices(match: re.Match[str]) -> tuple[Sequence[str] | range, int]:
    """The alternatives in a pair of braces, and the width to which its numbers are padded."""
    if match["names"] is not None:
        return match["names"].split(","), 0
    return range(int(match["first"]), int(match["last"]) + 1), len(match["first"])
