"""``abort``: end analyses that still run."""

from __future__ import annotations

from pathlib import Path

import click

from manifest_runner.cli.console import Console
from manifest_runner.cli.options import (
    console_options,
    follow_options,
    one_manifest,
    target_options,
    targets_only,
    yes_option,
)
from manifest_runner.cli.progress import context_of, progress_on
from manifest_runner.commands.setup.options import RunOptions, Target
from manifest_runner.errors import ApprovalNeeded
from manifest_runner.planning.choices import Choices
from manifest_runner.text import counted

EPILOG = """\b
Shows how many analyses would be aborted, and asks before it aborts them. In a script, use --yes.
Launches that were replaced and are still running are aborted too.
An aborted item counts as failed: `manifest-runner run --retry-failed` launches it again.
"""


@click.command(epilog=EPILOG)
@one_manifest
@targets_only
@yes_option
@follow_options
@target_options
@console_options
def command(manifest: Path, yes: bool, target: Target, choices: Choices, options: RunOptions, console: Console) -> None:
    """Abort analyses that are still running."""
    from manifest_runner.cli.views.aborted import abort_lines, aborted_document, aborted_lines
    from manifest_runner.commands import abort

    with progress_on(console) as progress:

        def approve(running: list[str]) -> bool:
            if yes or not console.is_interactive:
                return yes
            question = f"Abort {counted(len(running), 'analysis', 'analyses')}?"
            if not progress.ask(abort_lines(running, verbose=console.verbose), question):
                raise ApprovalNeeded("nothing was aborted")
            return True

        done = abort.abort(manifest, target, choices, options.timeout, context_of(progress), approve)
    console.result(aborted_lines(done), aborted_document(done))
