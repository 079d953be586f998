"""The lockfile in a terminal or a pipe."""

from __future__ import annotations

import sys

from manifest_runner.cli.console import Console
from manifest_runner.lockfile.model import Lockfile

_TABLE_ROWS = 50


def print_status(lockfile: Lockfile, console: Console) -> None:
    """Items as a table on a terminal, as lines in a pipe."""
    from manifest_runner.report.table import status_lines, status_table

    if not sys.stdout.isatty():
        console.lines(status_lines(lockfile))
        return
    from rich.console import Console as Terminal

    terminal = Terminal()
    limit = None if console.verbose else _TABLE_ROWS
    terminal.print(status_table(lockfile, width=terminal.width, encoding=terminal.encoding, limit=limit))
