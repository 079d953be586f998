"""Progress of a command: bars on a terminal, and lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from manifest_runner.cli.console import Console, can_draw, harmless
from manifest_runner.text import counted

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from manifest_runner.commands.setup.context import Context
    from manifest_runner.lockfile.model import Lockfile


class Progress:
    """A bar for each stage of long work, and one for the launches that are followed; lines where nothing can be drawn.

    ``close`` removes the bars; the next stage brings them back.
    """

    def __init__(self, console: Console, *, is_shown: bool = True) -> None:
        self._console = console
        self._can_draw = can_draw(sys.stderr)
        self._is_shown = is_shown and self._can_draw and not console.quiet
        self._start = time.monotonic()
        self._bars: Bars | None = None
        self._tasks: dict[str, TaskID] = {}
        self._said = ""

    def begin(self, title: str | None = None) -> None:
        """Count the time from here, since other work begins; first print its title, if it has one."""
        self.close()
        self._start, self._said = time.monotonic(), ""
        if title:
            self.note(title)

    def note(self, line: str) -> None:
        if self._bars is not None:
            self._bars.console.print(harmless(line), markup=False, highlight=False)
        else:
            self._console.note(line)

    def ask(self, lines: Iterable[str], question: str) -> bool:
        """Show what a person is to decide on, and ask."""
        self.close()
        for line in lines:
            self._console.error(line)
        return click.confirm(question, err=True)

    def update(self, stage: str, done: int, total: int | None) -> None:
        if self._is_shown:
            self._draw(stage, done, total, f"{done:,}" if total is None else f"{done:,} of {total:,}")

    def follow(self, lockfile: Lockfile, still_open: int) -> None:
        """Show how the launches are doing: on a terminal in place, elsewhere in a line for each change."""
        from manifest_runner.cli.views.counts import count_states, followed, states_line
        from manifest_runner.report.times import shown_duration

        items = followed(lockfile.items.values())
        words, total = states_line(count_states(items)), len(items)
        if self._is_shown:
            self._draw("launched", total - still_open, total, words)
        elif words != self._said and not self._can_draw:
            elapsed = shown_duration(time.monotonic() - self._start)
            self._console.note(f"{counted(total, 'item')}: {words} (after {elapsed})")
        self._said = words

    def close(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
            self._tasks.clear()

    def _draw(self, stage: str, done: int, total: int | None, words: str) -> None:
        bars = self._bars or self._open()
        if stage not in self._tasks:
            self._tasks[stage] = bars.add_task(stage, total=total, words="")
        bars.update(self._tasks[stage], completed=done, total=total, words=words)

    def _open(self) -> Bars:
        from rich.console import Console as Terminal
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        self._bars = Bars(
            TextColumn("{task.description:>10}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[words]}"),
            TimeElapsedColumn(),
            console=Terminal(stderr=True),
            transient=True,
        )
        self._bars.start()
        return self._bars


@contextmanager
def progress_on(console: Console, *, is_shown: bool = True) -> Iterator[Progress]:
    """Progress whose bars are removed when the work is done."""
    progress = Progress(console, is_shown=is_shown)
    try:
        yield progress
    finally:
        progress.close()


@contextmanager
def working(console: Console) -> Iterator[Context]:
    """The context of a command. Shows progress until the work is done."""
    with progress_on(console) as progress:
        yield context_of(progress)


def context_of(progress: Progress) -> Context:
    from manifest_runner.commands.setup.context import Context

    return Context(notify=progress.note, progress=progress.update, watch=progress.follow)
