"""``plan``: what a run would do."""

from __future__ import annotations

from pathlib import Path

import click
from msgspec import structs

from manifest_runner.cli.console import Console
from manifest_runner.cli.options import choice_options, console_options, one_manifest, plan_options, target_options
from manifest_runner.cli.progress import working
from manifest_runner.commands.setup.options import RunOptions, Target
from manifest_runner.errors import NotCovered
from manifest_runner.planning.choices import Choices

EPILOG = """\b
+ new, ~ changed (with the changed fields), = unchanged (with --verbose), ! failed,
- left the manifest, > renamed, ? sent without an answer. Give the options that you are going
to give to `run`, and the plan shows what it would launch with them.
"""


@click.command(epilog=EPILOG)
@one_manifest
@choice_options
@plan_options
@click.option("--detailed-exitcode", is_flag=True, help="Exit 8 if something is new, changed or pending.")
@target_options
@console_options
def command(
    manifest: Path,
    target: Target,
    choices: Choices,
    options: RunOptions,
    detailed_exitcode: bool,
    console: Console,
) -> int:
    """Show what `run` would do. Writes nothing, and needs no network, unless the manifest uses `state`."""
    from manifest_runner.cli.views.plan import plan_document, plan_lines
    from manifest_runner.cli.views.row_counts import rows_words
    from manifest_runner.commands import preview

    options = structs.replace(options, choices=choices, detail=console.detail)
    with working(console) as context:
        seen = preview.plan(manifest, target, options, context, launches=console.as_json)
    console.findings(seen.findings)
    waiting = seen.waiting
    lines = plan_lines(seen.plan, seen.batches, verbose=console.verbose, waiting=len(waiting), cost=seen.cost)
    if rows := rows_words(seen.rows, seen.left_out):
        lines.append(rows)
    console.result(lines, plan_document(seen.plan, seen.batches, too_many=seen.too_many, waiting=waiting))
    return NotCovered.exit_code if detailed_exitcode and not seen.plan.is_covered else 0
