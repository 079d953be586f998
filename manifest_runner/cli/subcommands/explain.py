"""``explain``: what the code of an error or a warning means."""

from __future__ import annotations

import click

from manifest_runner.errors import UsageProblem


@click.command
@click.argument("code")
def command(code: str) -> None:
    """Explain the code of an error or warning, and how to fix it."""
    from manifest_runner.diagnostics.codes import CODES

    found = CODES.get(code.upper())
    if found is None:
        raise UsageProblem(f"{code}: unknown code; the codes range from {min(CODES)} to {max(CODES)}")
    click.echo(f"{code.upper()}: {found.title}\n\n{found.cause}\n\n{found.cure}")
    if found.example:
        click.echo("\nFor example:\n")
        click.echo("\n".join(f"  {line}" for line in found.example.splitlines()))
