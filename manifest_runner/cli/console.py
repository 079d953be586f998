"""What a person or a script reads: results to stdout, everything else to stderr. Imported by ``cli`` alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from manifest_runner.diagnostics.finding import Finding, InvalidManifest
from manifest_runner.diagnostics.formats import finding_document, finding_lines, github_line
from manifest_runner.errors import RunnerError
from manifest_runner.text import plain_text

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from manifest_runner.lockfile.model import Lockfile

_TABLE_ROWS = 50


class Console:
    """``--quiet`` leaves errors and results only, ``--verbose`` shows every item."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False, verbose: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self.verbose = verbose
        self.is_watching = False  # then the table is what tells the progress
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    @property
    def is_interactive(self) -> bool:
        """Whether a person can be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty() and not self.as_json

    # -- output

    def note(self, line: str) -> None:
        if self._bars is not None:
            self._bars.console.print(_harmless(line), markup=False, highlight=False)
        elif not self.quiet:
            click.echo(_harmless(line), err=True)

    def error(self, line: str) -> None:
        self.close()
        click.echo(_harmless(line), err=True)

    def result(self, lines: Iterable[str], document: object) -> None:
        self.close()
        if self.as_json:
            print_json(document)
        elif not self.quiet:
            for line in lines:
                click.echo(_harmless(line))

    def failure(self, error: RunnerError) -> None:
        """The message of an expected failure; of an invalid manifest, each finding."""
        if isinstance(error, InvalidManifest):
            self.findings(error.findings)
            errors = sum(finding.severity == "error" for finding in error.findings)
            self.error(f"{errors or len(error.findings)} error(s); nothing was sent.")
        else:
            self.error(f"error: {error}")

    def findings(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            if finding.severity == "error" or not self.quiet:
                for line in finding_lines(finding, on_terminal=sys.stderr.isatty()):
                    self.error(line)

    def table(self, lockfile: Lockfile) -> None:
        """Items as a table on a terminal, as lines for a pipe."""
        from manifest_runner.report.table import status_lines, status_table

        self.close()
        if sys.stdout.isatty():
            from rich.console import Console as Terminal

            terminal = Terminal()
            limit = None if self.verbose else _TABLE_ROWS
            terminal.print(status_table(lockfile, width=terminal.width, encoding=terminal.encoding, limit=limit))
        else:
            for line in status_lines(lockfile):
                click.echo(line)

    def watch(self, lockfile: Lockfile) -> None:
        """The table in place of the one before it, on a terminal; elsewhere the lines of ``note`` tell the changes."""
        if self.is_watching:
            click.clear()
            self.table(lockfile)

    # -- progress

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """A bar for each stage of long work, on a terminal only."""
        if self.quiet or self.is_watching or not sys.stderr.isatty():
            return
        bars = self._bars or self._open_bars()
        if stage not in self._tasks:
            self._tasks[stage] = bars.add_task(stage, total=total, rate="")
        speed = next(task.speed for task in bars.tasks if task.id == self._tasks[stage])
        rate = f"{speed:,.0f}/s" if speed else ""
        bars.update(self._tasks[stage], completed=done, total=total, rate=rate)

    def _open_bars(self) -> Progress:
        from rich.console import Console as Terminal
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bars = Progress(
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

    def close(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
            self._tasks.clear()


def print_json(document: object) -> None:
    """JSON is UTF-8 whatever the locale says (RFC 8259); a lone surrogate has no UTF-8, but its escape is JSON."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace"))


def _harmless(text: str) -> str:
    """Lines that nothing in them can turn into commands to the terminal, whoever wrote the files they come from."""
    return "\n".join(plain_text(line, limit=len(line)) for line in text.split("\n"))


# -- findings


def print_findings(found: list[Finding], counts: Mapping[Path, int], style: str, *, quiet: bool) -> None:
    """Findings as the result of a command, in one of the formats of ``validate``.

    ``counts`` are the items of the manifests that are in order. Programs that take a list of faults are spared what
    is none. Raises UsageProblem (see ``sarif_text``).
    """
    faults = [finding for finding in found if finding.severity != "info"]
    if style == "json":
        print_json([finding_document(finding) for finding in faults])
        return
    if style == "sarif":
        from manifest_runner.diagnostics.sarif import sarif_text

        click.echo(sarif_text(faults).encode("utf-8", "backslashreplace"))
        return
    for finding in found:
        lines = [github_line(finding)] if style == "github" else finding_lines(finding, on_terminal=sys.stdout.isatty())
        for line in lines:
            click.echo(line)
    if not quiet and style == "text":
        for manifest, count in counts.items():
            click.echo(_harmless(f"{manifest}: valid, {count:,} item{'s' * (count != 1)}"))


# -- plans and outcomes
