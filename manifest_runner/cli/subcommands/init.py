"""``init``: a manifest to start from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from msgspec import structs

from manifest_runner.cli.console import Console, harmless
from manifest_runner.cli.options import console_options, target_options
from manifest_runner.cli.parameter_types import FILE
from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.options import Target
from manifest_runner.errors import RunnerError
from manifest_runner.report.source import command_line

EPILOG = """\b
The comments in the manifest say what to fill in and what to do next. With --pipeline, it has all
inputs and parameters of the pipeline: required ones are filled in or marked, the rest is in
comments. On a terminal, and with a credential, init lists your projects and pipelines.

\b
With --from-payload, the manifest launches the same as an existing request to ICA's API, for a
batch or a single analysis. Turn its values into templates and its items into rows of a
samplesheet; `manifest-runner render` shows whether the requests stay the same.
"""
MAX_LISTED = 50


@click.command(epilog=EPILOG)
@click.argument("manifest", type=FILE, default=Path("manifest.yaml"))
@click.option("--pipeline", metavar="CODE|ID", help="Start from the inputs and parameters of this pipeline.")
@click.option(
    "--from-payload", "payload", type=FILE, metavar="FILE.json", help="Start from a launch request to the API, as JSON."
)
@target_options
@console_options
def command(manifest: Path, pipeline: str | None, payload: Path | None, target: Target, console: Console) -> None:
    """Write a commented starter manifest and its samplesheet.

    Also writes the JSON schema with which editors complete and check the manifest as you type.
    """
    from manifest_runner.commands.init import check_sources, init

    check_sources(pipeline, payload)
    context = Context(notify=console.note)
    if pipeline is None and payload is None:
        target, pipeline = _ask(manifest, target, context, console)
    written = init(manifest, pipeline, payload, target, context)
    check = command_line("validate", str(manifest), target.emulator)
    first = f"replace {', and '.join(written.to_replace)}; then " if written.to_replace else ""
    lines = [*(f"wrote {path}" for path in written.files), f"next: {first}{check}"]
    console.result(lines, {"written": [str(path) for path in written.files]})


def _ask(manifest: Path, target: Target, context: Context, console: Console) -> tuple[Target, str | None]:
    """The project and the pipeline that a person chooses; unchanged if there is no one to ask."""
    from manifest_runner.commands.setup.target import has_credential

    if not console.is_interactive or not (target.emulator or has_credential(target, context)):
        return target, None
    from manifest_runner.commands.starters.from_pipeline import list_pipelines, list_projects

    try:
        if target.project is None:
            projects = list_projects(manifest, target, context)
            chosen = _choose("project", [f"{name}  {id_}" for name, id_ in projects])
            if chosen is None:
                return target, None
            target = structs.replace(target, project=projects[chosen][1])
        pipelines = list_pipelines(manifest, target, str(target.project), context)
        chosen = _choose("pipeline", pipelines)
    except RunnerError as e:  # a starter needs no server
        console.note(f"{e}")
        return target, None
    return target, None if chosen is None else pipelines[chosen]


def _choose(what: str, names: Sequence[str]) -> int | None:
    """The index of what a person chose by its number; None if there is nothing to choose, or nothing was chosen."""
    if not names:
        return None
    shown = names[:MAX_LISTED]
    for number, name in enumerate(shown, 1):
        click.echo(f"{number:>4}  {harmless(name)}", err=True)
    if len(names) > len(shown):
        click.echo(f"      … and {len(names) - len(shown)} more; name one with an option instead", err=True)
    number = click.prompt(
        f"Number of the {what} (Enter to leave it out)",
        type=click.IntRange(0, len(shown)),
        default=0,
        show_default=False,
        err=True,
    )
    return int(number) - 1 if number else None
