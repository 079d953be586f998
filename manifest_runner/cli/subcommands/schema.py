"""``schema``: the JSON schemas that the package ships."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from manifest_runner.validation.shipped import SchemaName


@click.command
@click.argument("name", type=click.Choice(["manifest", "lockfile", "payload"]))
def command(name: SchemaName) -> None:
    """Print a JSON schema."""
    from manifest_runner.validation.shipped import schema_text

    click.echo(schema_text(name), nl=False)
