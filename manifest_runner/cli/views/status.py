"""The output of ``status``: a table on a terminal, lines in a pipe, or JSON."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from manifest_runner.lockfile.model import Lockfile
from manifest_runner.report import ReportSource, ica_web_url, write_report
from manifest_runner.report.states import State
from manifest_runner.report.summary import Summary
from manifest_runner.report.times import shown_duration
from manifest_runner.text import counted
from manifest_runner.timestamps import moment, timestamp

if TYPE_CHECKING:
    from rich.table import Table

    from manifest_runner.report.rows import Row

COLOURS = {
    State.CREATION_FAILED: "bold red",
    State.ANALYSIS_FAILED: "bold red",
    State.ABORTED: "red",
    State.UNKNOWN: "magenta",
    State.WAITING: "yellow",
    State.CREATING: "cyan",
    State.REQUESTED: "cyan",
    State.RUNNING: "blue",
    State.SUCCEEDED: "green",
    State.ACCEPTED: "dim",
    State.REMOVED: "dim",
}
# A narrower terminal shows only the item and its state.
_WIDE_ENOUGH = 70
# A wider terminal shows whole ids.
_WIDE_FOR_IDS = 120
_SHORT_ID = 8


def status_json(lockfile: Lockfile, manifest: Path) -> str:
    """The report's JSON."""
    source = ReportSource(str(manifest), timestamp(time.time()), ica_web_url(lockfile.server))
    return write_report(lockfile, "json", source=source)


def status_lines(summary: Summary) -> list[str]:
    """One line for each item, its cells separated by tabs: userReference, state, status, reason, analysis id.

    Then the totals, in a line of their own.
    """
    lines = []
    for row in summary.rows:
        launch = row.launch
        cells = [row.reference, row.state, launch.status, launch.reason, launch.analysis_id or ""]
        lines.append("\t".join(cells).rstrip("\t"))
    return [*lines, _totals(summary)]


def status_table(
    summary: Summary, *, width: int, now: float, encoding: str = "utf-8", limit: int | None = None
) -> Table:
    """Failures first, the totals below; at most ``limit`` rows, and the number of the others.

    ``width`` is that of the terminal in columns. Characters that its ``encoding`` does not have become escapes, and
    rich draws the lines in ASCII. Colours and links are only added to words, so nothing is lost without them.
    """
    from rich.text import Text

    shown = summary.rows[:limit]
    table = _empty_table(width, has_reasons=any(row.launch.reason for row in shown))
    submitted = {batch.id: batch.submitted_at for batch in summary.batches}
    for row in shown:
        cells = _cells(row, submitted, now, width)
        table.add_row(*(Text(_printable(cell, encoding), style) for cell, style in cells[: len(table.columns)]))
    table.caption = Text(_printable(_caption(summary, len(table.rows)), encoding))
    return table


def _empty_table(width: int, *, has_reasons: bool) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, width=width, caption_justify="left", caption_style="", pad_edge=False)
    wide = width >= _WIDE_ENOUGH
    # Folding shows every character; an ellipsis would hide which of two long references is meant.
    table.add_column("Item", overflow="fold", ratio=1)
    table.add_column("State", overflow="fold", ratio=None if wide else 1, no_wrap=wide)
    if wide:
        table.add_column("Since", no_wrap=True, justify="right")
        table.add_column("Analysis", overflow="fold", no_wrap=True)
    if wide and has_reasons:
        table.add_column("Reason", overflow="fold", ratio=1)
    return table


def _cells(row: Row, submitted: Mapping[str, str], now: float, width: int) -> list[tuple[str, str]]:
    launch = row.launch
    since = launch.ended or launch.started or submitted.get(launch.batch_id or "")
    analysis = launch.analysis_id or ""
    shown_id = analysis if width >= _WIDE_FOR_IDS else analysis[:_SHORT_ID]
    return [
        (row.reference, ""),
        (row.state.label, COLOURS[row.state]),
        (age(since, now), "dim"),
        (shown_id, f"link {launch.link}" if launch.link else ""),
        (launch.reason, ""),
    ]


def age(since: str | None, now: float) -> str:
    """How long ago that was; nothing if it is not known."""
    time_of = moment(since)
    return "" if time_of is None else shown_duration(max(0.0, now - time_of.timestamp()))


def _caption(summary: Summary, shown: int) -> str:
    hidden = len(summary.rows) - shown
    more = f"… and {counted(hidden, 'more item')} (--verbose shows all). " if hidden else ""
    return more + _totals(summary)


def _totals(summary: Summary) -> str:
    """The number of items in each state, and their cost if known."""
    costs = (f"cost {amount:,f} {currency}" for currency, amount in summary.prices.items())
    return "; ".join([summary.in_words, *costs])


def _printable(text: str, encoding: str) -> str:
    """``text`` in the characters that the terminal's encoding has."""
    if encoding.lower().startswith("utf"):
        return text
    return text.replace("…", "...").encode(encoding, "backslashreplace").decode(encoding)
