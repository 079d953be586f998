"""``accept``: keep changed and failed items as launched."""

from __future__ import annotations

from pathlib import Path

import click

from manifest_runner.cli.console import Console
from manifest_runner.cli.options import console_options, one_manifest, target_options, targets_only
from manifest_runner.cli.progress import working
from manifest_runner.commands.setup.options import Target
from manifest_runner.planning.choices import Choices

EPILOG = """\b
An accepted item counts as unchanged until it changes again. Use this for a change that is not
worth a second launch, such as a tag. A failed or aborted item that is accepted no longer counts
as failed. Nothing is launched; the lockfile's diff shows what was accepted.

\b
Examples:
  manifest-runner accept germline.yaml                    everything that has changed or failed
  manifest-runner accept germline.yaml --target NA12878   only this item
"""


@click.command(epilog=EPILOG)
@one_manifest
@targets_only
@target_options
@console_options
def command(manifest: Path, target: Target, choices: Choices, console: Console) -> None:
    """Keep the launches of changed and failed items as they are.

    Records in the lockfile that the items need no second launch. Needs no network, unless the manifest
    uses `state` or `lock: git`.
    """
    from manifest_runner.cli.views.accepted import accepted_document, accepted_lines
    from manifest_runner.commands.accept import accept

    with working(console) as context:
        done = accept(manifest, target, choices, context)
    console.result(accepted_lines(done), accepted_document(done))
