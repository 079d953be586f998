"""``status --watch`` on a terminal: one screen that fits its height, and leaves nothing behind."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from rich.console import Console as Terminal
from rich.console import ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from manifest_runner.cli.views.status import COLOURS, age
from manifest_runner.lockfile.model import Lockfile
from manifest_runner.report.rows import Row
from manifest_runner.report.states import State
from manifest_runner.report.summary import Summary, summarise
from manifest_runner.report.times import shown_duration
from manifest_runner.text import counted, plain_text
from manifest_runner.timestamps import moment_or_first

Entry = TypeVar("Entry")

_KEPT = 200
_BAR = 30
_REFRESHES = 2


class WatchScreen:
    """The latest states, and what has changed since the watch began, the latest first.

    A thread of its own draws it, so what it draws is replaced and never changed.
    """

    def __init__(self, manifest: Path) -> None:
        self._manifest = manifest
        self._start = time.monotonic()
        self._summary: Summary | None = None
        self._states: dict[str, State] = {}
        self._failed: list[Row] = []
        self._changes: tuple[str, ...] = ()

    def note(self, line: str) -> None:
        self._add([plain_text(line)])

    def _add(self, changes: Iterable[str]) -> None:
        latest = deque(self._changes, maxlen=_KEPT)
        latest.extendleft(changes)
        self._changes = tuple(latest)

    def update(self, lockfile: Lockfile, _still_open: int) -> None:
        summary = summarise(lockfile)
        clock = time.strftime("%H:%M:%S")
        changed = [(self._states.get(row.reference, row.state), row) for row in summary.rows]
        self._add(
            f"{clock}  {row.reference}: {before.label} → {row.state.label}"
            for before, row in changed
            if before is not row.state
        )
        self._states = {row.reference: row.state for row in summary.rows}
        self._failed = sorted(summary.failed, key=lambda row: moment_or_first(row.launch.ended), reverse=True)
        self._summary = summary

    def __rich_console__(self, _terminal: Terminal, options: ConsoleOptions) -> RenderResult:
        height = options.height or options.max_height
        for line in self.lines(height)[:height]:
            line.truncate(options.max_width, overflow="ellipsis")
            yield line

    def lines(self, height: int) -> list[Text]:
        """At most ``height`` lines: the states, then the newest failures and the latest changes."""
        elapsed = shown_duration(time.monotonic() - self._start)
        if self._summary is None:
            return [Text(f"{self._manifest}: asking ICA … {elapsed}")]
        head = [Text(f"{self._manifest}: {counted(len(self._summary.rows), 'item')}, watched for {elapsed}", "bold")]
        lines = [*head, *_bars(self._summary)]
        room, now = height - len(lines), time.time()
        room = room // 2 if self._changes else room
        lines += _part("Newest failures", self._failed, room, lambda row: _failure(row, now))
        return [*lines, *_part("Latest changes", self._changes, height - len(lines), Text)]


def _bars(summary: Summary) -> Iterator[Text]:
    total = len(summary.rows)
    for state, count in summary.counts.items():
        filled = max(1, round(count / total * _BAR))
        bar = Text("█" * filled, COLOURS[state]) + Text("░" * (_BAR - filled), "dim")
        yield Text(f"{state.label:>18} ") + bar + Text(f" {count:,}")


def _failure(row: Row, now: float) -> Text:
    when = age(row.launch.ended, now)
    return Text(row.reference, "red") + Text(f"  {row.launch.reason}" + (f" ({when} ago)" if when else ""))


def _part(title: str, entries: Sequence[Entry], room: int, draw: Callable[[Entry], Text]) -> list[Text]:
    """A blank line, the title and what fits, drawn as lines; nothing if there is no room for a single one."""
    shown = entries[: max(0, room - 2)]
    if not shown:
        return []
    more = f" ({len(shown):,} of {len(entries):,})" if len(shown) < len(entries) else ""
    return [Text(), Text(title + more, "bold"), *map(draw, shown)]


@contextmanager
def watch_screen(manifest: Path) -> Iterator[WatchScreen]:
    """The terminal's alternate screen, until the watch ends; then the previous contents come back."""
    screen = WatchScreen(manifest)
    with Live(screen, screen=True, refresh_per_second=_REFRESHES, vertical_overflow="crop"):
        yield screen
