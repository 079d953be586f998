"""``render``: the requests that a run would send."""

from __future__ import annotations

from pathlib import Path

import click
from msgspec import structs

from manifest_runner.cli.console import Console
from manifest_runner.cli.options import choice_options, console_options, one_manifest, plan_options, target_options
from manifest_runner.cli.progress import working
from manifest_runner.commands.setup.options import RunOptions, Target
from manifest_runner.planning.choices import Choices


@click.command
@one_manifest
@choice_options
@plan_options
@target_options
@console_options
def command(manifest: Path, target: Target, choices: Choices, options: RunOptions, console: Console) -> None:
    """Print the requests that `run` would send, as JSON.

    Prints all batches, each with its idempotency key, as if nothing had been launched yet. Needs no network.
    """
    from manifest_runner.commands import preview

    before, options = b"[", structs.replace(options, choices=choices)
    with working(console) as context:
        for batch in preview.render(manifest, target, options, context, console.findings):
            click.echo(b'%s\n{"idempotencyKey": "%s", "body": %s}' % (before, batch.key.encode(), batch.body), nl=False)
            before = b","
    click.echo("\n]" if before == b"," else "[]")
