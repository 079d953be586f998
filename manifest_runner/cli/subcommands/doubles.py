"""``doubles``: find launches that exist more than once."""

from __future__ import annotations

from pathlib import Path

import click

from manifest_runner.cli.console import Console
from manifest_runner.cli.options import console_options, follow_options, one_manifest, target_options, yes_option
from manifest_runner.cli.progress import context_of, progress_on
from manifest_runner.commands.setup.options import RunOptions, Target
from manifest_runner.launch.doubles import Double
from manifest_runner.text import counted

EPILOG = """\b
Two runs that start at the same time on two machines cannot see each other without a lease, so
both may launch the same items. --abort keeps the oldest analysis of each item, so two people who
clean up at the same time keep the same one.

\b
Exit codes: 0 no item was launched twice, or the newer analyses were aborted; 1 an item was
launched twice; 7 --abort was not confirmed.
"""


@click.command(epilog=EPILOG)
@one_manifest
@click.option("--abort", is_flag=True, help="Abort all but the oldest analysis of each item.")
@yes_option
@follow_options
@target_options
@console_options
def command(manifest: Path, abort: bool, yes: bool, target: Target, options: RunOptions, console: Console) -> int:
    """Find items that were launched more than once in ICA."""
    from manifest_runner.cli.views.doubles import double_lines, doubles_document, doubles_lines
    from manifest_runner.commands.doubles import find_doubles

    with progress_on(console) as progress:

        def approve(doubles: list[Double]) -> bool:
            if yes or not console.is_interactive:
                return yes
            newer = sum(len(double.analyses) - 1 for double in doubles)
            question = f"Abort {counted(newer, 'analysis', 'analyses')}, all but the oldest of each?"
            return progress.ask(double_lines(doubles, verbose=console.verbose), question)

        done = find_doubles(manifest, target, options.timeout, context_of(progress), approve if abort else None)
    console.result(doubles_lines(done, abort=abort), doubles_document(done.doubles))
    return int(done.left > 0)
