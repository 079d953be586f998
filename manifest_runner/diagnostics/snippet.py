"""The source line of a finding with a caret under its column, as a terminal shows it."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from pathlib import Path

from manifest_runner.diagnostics.finding import Place
from manifest_runner.text import plain_text

MAX_LINE = 100


def excerpt(place: Place) -> list[str]:
    """The source line and a caret under its column; nothing if the file can no longer be read."""
    from rich.cells import cell_len  # only a terminal needs it

    text = _line(place.file, place.line)
    if text is None:
        return []
    start = max(0, place.column - 1 - MAX_LINE // 2) if len(text) > MAX_LINE else 0
    before = plain_text(text[start : place.column - 1])
    after = plain_text(text[place.column - 1 : start + MAX_LINE])
    number = str(place.line)
    return [f"  {number} | {before}{after}", f"  {' ' * len(number)} | {' ' * cell_len(before)}^"]


@lru_cache(maxsize=256)
def _line(file: str, number: int) -> str | None:
    try:
        with Path(file).open(encoding="utf-8-sig", errors="replace") as lines:
            return next(islice(lines, number - 1, None), "").rstrip("\n") or None
    except OSError:
        return None
