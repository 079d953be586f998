"""``status``: how the launched analyses are doing."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from manifest_runner.cli.console import Console
from manifest_runner.cli.options import console_options, follow_options, one_manifest, target_options
from manifest_runner.cli.progress import working
from manifest_runner.commands.options import RunOptions, Target

EPILOG = """\b
ICA is only asked about analyses that can still change. `run --wait finished` also waits, and
exits with 1 when an analysis did not succeed; `report` shows the same to other readers.
"""


@click.command(epilog=EPILOG)
@one_manifest
@click.option("--watch", is_flag=True, help="Keep going until every analysis has ended.")
@follow_options
@target_options
@console_options
def command(manifest: Path, watch: bool, target: Target, options: RunOptions, console: Console) -> None:
    """Refresh the lockfile from the API and print it."""
    import json

    from manifest_runner.cli.views.status import print_status
    from manifest_runner.commands.status import refresh
    from manifest_runner.lockfile.file import dump_lockfile
    from manifest_runner.lockfile.model import Lockfile

    is_live = watch and sys.stdout.isatty()

    def show(lockfile: Lockfile) -> None:
        if is_live:
            click.clear()
            print_status(lockfile, console)

    with working(console, is_live=is_live) as context:
        lockfile = refresh(manifest, target, options, context, show if watch else None)
    if not lockfile.items:
        console.note(f"{manifest}: nothing has been launched yet")
    if console.as_json:
        console.result([], json.loads(dump_lockfile(lockfile)))
    else:
        (show if is_live else lambda each: print_status(each, console))(lockfile)
