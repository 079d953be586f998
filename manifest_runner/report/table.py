"""The lockfile in a terminal: a table with colours for people, plain lines for pipes."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.table import Table
from rich.text import Text

from manifest_runner.lockfile.model import Lockfile
from manifest_runner.report.rows import Row
from manifest_runner.report.states import State
from manifest_runner.report.summary import Summary, counted, summarise

_COLOURS = {
    State.CREATION_FAILED: "bold red",
    State.ANALYSIS_FAILED: "bold red",
    State.ABORTED: "red",
    State.UNKNOWN: "magenta",
    State.WAITING: "yellow",
    State.CREATING: "cyan",
    State.REQUESTED: "cyan",
    State.RUNNING: "blue",
    State.SUCCEEDED: "green",
    State.REMOVED: "dim",
}
# Narrower than this, a column of messages is only noise.
_WIDE_ENOUGH = 70


def status_table(lockfile: Lockfile, *, width: int, encoding: str = "utf-8", limit: int | None = None) -> Table:
    """What failed first, the totals below; at most ``limit`` rows, the rest counted.

    ``width`` is the terminal's in columns, ``encoding`` its output's: what it cannot show is written as an escape
    (rich draws its lines in ASCII there). Colours are only added to words, so nothing is lost without them.
    """
    summary = summarise(lockfile)
    table = _empty_table(width)
    for row in summary.rows[:limit]:
        cells = _cells(row) if width >= _WIDE_ENOUGH else _cells(row)[:2]
        table.add_row(*(Text(_sayable(cell, encoding), style) for cell, style in cells))
    table.caption = Text(_sayable(_caption(summary, len(table.rows)), encoding))
    return table


def status_lines(lockfile: Lockfile, *, encoding: str = "utf-8") -> Iterator[str]:
    """One line an item, its cells set apart by tabs: userReference, state, status, message, analysis id.

    Then the totals, in a line of their own.
    """
    summary = summarise(lockfile)
    for row in summary.rows:
        launch = row.launch
        cells = [row.reference, row.state, launch.status, launch.reason, launch.analysis_id or ""]
        yield _sayable("\t".join(cells).rstrip("\t"), encoding)
    yield summary.in_words


def _empty_table(width: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, width=width, caption_justify="left", caption_style="", pad_edge=False)
    wide = width >= _WIDE_ENOUGH
    # Folding shows every character; an ellipsis would hide which of two long references is meant.
    table.add_column("Item", overflow="fold", ratio=3)
    table.add_column("State", overflow="fold", ratio=None if wide else 2, no_wrap=wide)
    if wide:
        table.add_column("Status", overflow="fold", max_width=20)
        table.add_column("Message or analysis", overflow="fold", ratio=4)
    return table


def _cells(row: Row) -> list[tuple[str, str]]:
    launch, colour = row.launch, _COLOURS[row.state]
    return [
        (row.reference, ""),
        (row.state.label, colour),
        (launch.status, "dim"),
        (launch.reason or launch.analysis_id or "", ""),
    ]


def _caption(summary: Summary, shown: int) -> str:
    hidden = len(summary.rows) - shown
    more = f"… and {counted(hidden, 'more item')}. " if hidden else ""
    return more + summary.in_words


def _sayable(text: str, encoding: str) -> str:
    """``text`` in the characters that the terminal's encoding has."""
    if encoding.lower().startswith("utf"):
        return text
    return text.replace("…", "...").encode(encoding, "backslashreplace").decode(encoding)
