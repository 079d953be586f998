"""``failures``: why analyses failed."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from manifest_runner.cli.console import Console, error_document
from manifest_runner.cli.options import one_manifest, outcome_options
from manifest_runner.cli.parameter_types import COUNT, FOLDER
from manifest_runner.cli.progress import working
from manifest_runner.commands.setup.options import RunOptions, Target
from manifest_runner.errors import Refused

EPILOG = """\b
Examples:
  manifest-runner failures germline.yaml
  manifest-runner failures germline.yaml --tail 20           also the end of one log per group
  manifest-runner failures germline.yaml --logs logs         to logs/USER_REFERENCE/STEP.stderr
  manifest-runner run germline.yaml --retry-failed --where 'failure.exitCode == 137'

\b
Asks ICA once about each failed analysis; the lockfile keeps the step, its exit code and the
last line that it wrote. Exit 0: nothing failed, 1: something failed, 4: the credential may not
see the steps of any failed analysis.
"""


@click.command(epilog=EPILOG)
@one_manifest
@click.option("--tail", type=COUNT, default=0, metavar="N", help="Show the last N lines that the failed step wrote.")
@click.option("--logs", "folder", type=FOLDER, metavar="DIR", help="Download the logs of all failed steps.")
@outcome_options
def command(
    manifest: Path,
    tail: int,
    folder: Path | None,
    target: Target,
    options: RunOptions,
    console: Console,
) -> int:
    """Show why analyses failed, grouped by step and exit code."""
    from manifest_runner.cli.views.failures import failures_document, failures_lines
    from manifest_runner.commands.failures import LogOptions, failures
    from manifest_runner.report.source import command_line

    with working(console) as context:
        found = failures(manifest, target, options, context, LogOptions(tail, folder))
    again = partial(command_line, "run", str(manifest), target.emulator, "--retry-failed", "--where")
    hidden = Refused("the credential may not see the steps of any failed analysis") if found.is_hidden else None
    document = {**failures_document(found), **(error_document(hidden) if hidden else {})}
    console.result(failures_lines(found, again, verbose=console.verbose), document)
    if hidden is not None:
        console.explain(hidden)
        return hidden.exit_code
    return int(bool(found.items))
