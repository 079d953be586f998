"""``resolve``: look up names, check against pipelines and data, write the names file."""

from __future__ import annotations

from pathlib import Path

import click

from manifest_runner.cli.console import Console
from manifest_runner.cli.options import console_options, one_manifest, resolve_options, target_options
from manifest_runner.cli.progress import working
from manifest_runner.commands.setup.options import ResolveOptions, Target

EPILOG = """\b
The names file, such as germline.names.json, records the id of each path, pipeline, storage and
project that the manifest names, and the inputs and parameters of each pipeline. Commit it: then
a launch is the same on every machine, and validate and plan check codes and values offline. A
launch from CI with --expect needs it before the plan.

\b
  manifest-runner resolve germline.yaml            look up what is not in it yet
  manifest-runner resolve germline.yaml --update   look everything up again
  manifest-runner resolve germline.yaml --check    only compare, in CI: exit 3 if anything differs
"""


@click.command(epilog=EPILOG)
@one_manifest
@resolve_options
@target_options
@console_options
def command(manifest: Path, target: Target, options: ResolveOptions, console: Console) -> None:
    """Look up names and paths in ICA; write the names file.

    Also checks every item against its pipeline and its data. If anything is wrong, writes nothing.
    """
    from manifest_runner.cli.views.resolved import resolved_document, resolved_lines
    from manifest_runner.commands.resolve import resolve

    with working(console) as context:
        resolved = resolve(manifest, target, options, context)
    console.findings(list(resolved.findings))
    console.result(
        resolved_lines(resolved, options, verbose=console.verbose),
        resolved_document(resolved),
    )
