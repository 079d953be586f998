"""What is shown while a command works: bars on a terminal, and lines beside them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from manifest_runner.cli.console import Console, harmless

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from manifest_runner.commands.context import Context


class Progress:
    """A bar for each stage of long work. ``close`` takes the bars away; the next stage brings them back."""

    def __init__(self, console: Console, *, is_shown: bool = True) -> None:
        self._console = console
        self._is_shown = is_shown and sys.stderr.isatty() and not console.quiet
        self._bars: Bars | None = None
        self._tasks: dict[str, TaskID] = {}

    def note(self, line: str) -> None:
        if self._bars is not None:
            self._bars.console.print(harmless(line), markup=False, highlight=False)
        else:
            self._console.note(line)

    def update(self, stage: str, done: int, total: int | None) -> None:
        if not self._is_shown:
            return
        bars = self._bars or self._open()
        if stage not in self._tasks:
            self._tasks[stage] = bars.add_task(stage, total=total, rate="")
        speed = next(task.speed for task in bars.tasks if task.id == self._tasks[stage])
        rate = f"{speed:,.0f}/s" if speed else ""
        bars.update(self._tasks[stage], completed=done, total=total, rate=rate)

    def close(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
            self._tasks.clear()

    def _open(self) -> Bars:
        from rich.console import Console as Terminal
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        self._bars = Bars(
            TextColumn("{task.description:>10}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:>8}"),
            TimeRemainingColumn(),
            console=Terminal(stderr=True),
            transient=True,
        )
        self._bars.start()
        return self._bars


@contextmanager
def progress_on(console: Console, *, is_shown: bool = True) -> Iterator[Progress]:
    """Progress whose bars are gone again when the work is over."""
    progress = Progress(console, is_shown=is_shown)
    try:
        yield progress
    finally:
        progress.close()


@contextmanager
def working(console: Console, *, is_live: bool = False) -> Iterator[Context]:
    """The process as a command sees it; progress is shown until the work is over, unless its result is shown live."""
    with progress_on(console, is_shown=not is_live) as progress:
        yield context_of(progress)


def context_of(progress: Progress) -> Context:
    from manifest_runner.commands.context import Context

    return Context(notify=progress.note, progress=progress.update)
