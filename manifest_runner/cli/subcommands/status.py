"""``status``: how the launched analyses are doing."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import structs

from manifest_runner.cli.console import Console, can_draw, print_json_text
from manifest_runner.cli.options import console_options, follow_options, one_manifest, target_options, targets_only
from manifest_runner.cli.progress import context_of, progress_on
from manifest_runner.commands.setup.options import RunOptions, Target
from manifest_runner.planning.choices import Choices

if TYPE_CHECKING:
    from manifest_runner.lockfile.model import Lockfile

# Rows of the table, unless --verbose asks for all.
MOST_ROWS = 50
EPILOG = """\b
Asks ICA only about analyses that can still change. While a run is active, `status` does not
write the lockfile; the run does. To wait in a script, use `run --wait finished`: it exits with 1
if an analysis did not succeed. Use `report` to share the same information.
"""


@click.command(epilog=EPILOG)
@one_manifest
@targets_only
@click.option("--watch", is_flag=True, help="Keep going until every analysis has ended.")
@click.option("--usage", is_flag=True, help="Also ask for the price of each analysis that has ended.")
@click.option("--failed", "only_failed", is_flag=True, help="Only items that failed.")
@click.option("--exit-status", is_flag=True, help="Exit 1 if an item failed.")
@follow_options
@target_options
@console_options
def command(
    manifest: Path,
    watch: bool,
    usage: bool,
    only_failed: bool,
    exit_status: bool,
    target: Target,
    choices: Choices,
    options: RunOptions,
    console: Console,
) -> int:
    """Update the lockfile from ICA and show how analyses are doing."""
    from manifest_runner.cli.views.status import status_json
    from manifest_runner.commands.status import chosen_items

    lockfile = _refresh(manifest, target, options, console, watch=watch, usage=usage)
    if not lockfile.items:
        console.note(f"{manifest}: nothing has been launched yet")
    shown = chosen_items(lockfile, choices, only_failed=only_failed)
    if console.as_json:
        print_json_text(status_json(shown, manifest))
    else:
        _show(shown, console, is_watched=watch)
    return int(exit_status and any(item.failure_counts for item in shown.items.values()))


def _show(lockfile: Lockfile, console: Console, *, is_watched: bool) -> None:
    """Items as a table on a terminal, as lines in a pipe."""
    from manifest_runner.cli.views.status import status_lines, status_table
    from manifest_runner.report import ica_web_url
    from manifest_runner.report.summary import summarise

    if console.quiet:
        return
    summary = summarise(lockfile, ica_web_url(lockfile.server))
    if not (sys.stdout.isatty() and summary.rows):
        console.lines(status_lines(summary))
        return
    from rich.console import Console as Terminal

    terminal = Terminal()
    limit = max(3, terminal.height - 6) if is_watched else MOST_ROWS
    rows = None if console.verbose else limit
    terminal.print(status_table(summary, width=terminal.width, encoding=terminal.encoding, limit=rows, now=time.time()))


def _refresh(
    manifest: Path, target: Target, options: RunOptions, console: Console, *, watch: bool, usage: bool
) -> Lockfile:
    from manifest_runner.commands.status import refresh

    if not watch:
        with progress_on(console) as progress:
            return refresh(manifest, target, options, context_of(progress), usage=usage)
    if console.as_json or not can_draw(sys.stdout):
        with progress_on(console) as progress:
            return refresh(manifest, target, options, context_of(progress), is_watching=True, usage=usage)
    from manifest_runner.cli.watch_screen import watch_screen

    with watch_screen(manifest) as screen, progress_on(console, is_shown=False) as progress:
        context = structs.replace(context_of(progress), notify=screen.note, watch=screen.update)
        return refresh(manifest, target, options, context, is_watching=True, usage=usage)
