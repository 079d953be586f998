"""``init``: a manifest to start from."""

from __future__ import annotations

from pathlib import Path

import click

from manifest_runner.cli.options import FILE

EPILOG = """\b
The manifest says what to fill in and what to do next. With --from-payload it launches exactly
what a request of ICA's API launches, whether for a batch or for a single analysis. Turn its values
into templates and its items into rows of a samplesheet; `manifest-runner render` shows that the
requests stay the same.
"""


@click.command(epilog=EPILOG)
@click.argument("manifest", type=FILE, default=Path("manifest.yaml"))
@click.option(
    "--from-payload", "payload", type=FILE, metavar="FILE.json", help="Start from a launch request of the API, as JSON."
)
@click.option("--project", metavar="ID", help="The project to launch in.")
def command(manifest: Path, payload: Path | None, project: str | None) -> None:
    """Write a commented starter manifest and its samplesheet.

    Beside them goes the JSON schema by which editors complete and check the manifest as you type.
    """
    from manifest_runner.commands.init import write_from_payload
    from manifest_runner.commands.starter import write_starter

    written = write_starter(manifest, project) if payload is None else write_from_payload(manifest, payload, project)
    for path in written:
        click.echo(f"wrote {path}")
    samples = "" if payload else f", and the ids in {written[1]}"
    is_ready = payload is not None and project is not None
    first = "" if is_ready else f"replace what is marked FILL IN in {written[0]}{samples}; then "
    click.echo(f"next: {first}manifest-runner validate {manifest}")
