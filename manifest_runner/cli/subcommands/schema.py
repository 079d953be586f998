"""``schema``: the JSON schemas that the package ships."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from manifest_runner.cli.option_groups import ignored
from manifest_runner.cli.options import console_options, target_options
from manifest_runner.cli.parameter_types import FILE
from manifest_runner.commands.setup.options import Target
from manifest_runner.errors import UsageProblem

if TYPE_CHECKING:
    from manifest_runner.validation.shipped_schemas import SchemaName


@click.command
@click.argument("name", type=click.Choice(["manifest", "lockfile", "payload", "names"]))
@click.option(
    "--for", "manifest", type=FILE, metavar="MANIFEST", help="Add the codes of the pipelines in its names file."
)
@target_options
@ignored("console", console_options)
def command(name: SchemaName, manifest: Path | None, target: Target) -> None:
    """Print a JSON schema.

    With the schema of --for, an editor also completes the inputs, parameters and options of the manifest's own
    pipelines. Run `manifest-runner resolve` first to look them up.
    """
    from manifest_runner.validation.shipped_schemas import schema_text

    if manifest is None:
        click.echo(schema_text(name), nl=False)
        return
    if name != "manifest":
        raise UsageProblem("--for goes with the manifest's schema: manifest-runner schema manifest --for MANIFEST")
    from manifest_runner.commands.setup.context import Context
    from manifest_runner.commands.setup.target import load_target
    from manifest_runner.names.editor_schema import schema_with_codes

    names = load_target(manifest, target, Context()).pins.names
    click.echo(json.dumps(schema_with_codes(json.loads(schema_text(name)), names), indent=2, ensure_ascii=False))
