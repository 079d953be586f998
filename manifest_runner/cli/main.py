"""The command line: parse, wire, print, exit. Nothing else prints or exits."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from manifest_runner import __version__
from manifest_runner.cli import guides
from manifest_runner.cli.console import Console, print_findings
from manifest_runner.cli.error_handler import _App
from manifest_runner.cli.options import (
    FILE,
    asking,
    choice_options,
    console_of,
    context_of,
    emulator_options,
    follow_options,
    many_manifests,
    one_manifest,
    poll_option,
    run_options_of,
    target_of,
    target_options,
    timeout_option,
    yes_option,
)
from manifest_runner.cli.views import abort_lines, failure_lines, plan_document, plan_lines, run_document, summary_lines
from manifest_runner.diagnostics.finding import Finding, InvalidManifest
from manifest_runner.errors import RunnerError, UsageProblem

if TYPE_CHECKING:
    from manifest_runner.commands.run import Outcome


# -- commands


@click.group(
    cls=_App,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=guides.APP,
)
@click.version_option(__version__, prog_name="manifest-runner", message="%(prog)s %(version)s")
def app() -> None:
    """Launch analyses on Illumina Connected Analytics from a manifest, each exactly once."""


@app.command(epilog=guides.RUN)
@many_manifests
@target_options
@choice_options
@follow_options
def run(manifests: tuple[Path, ...], **values: Any) -> None:
    """Launch what is not launched yet, follow it, write the lockfile."""
    from manifest_runner.commands import run

    console = console_of(values)
    if len(manifests) > 1 and values["lockfile"]:
        raise UsageProblem("--lockfile goes with one manifest; of several, each has its own beside it")

    def run_one(manifest: Path) -> Outcome:
        options = replace(run_options_of(values), approve=asking(manifest, console))
        return run.run(manifest, target_of(values), options, context_of(console))

    if len(manifests) == 1:
        ended: dict[Path, Outcome | RunnerError] = {manifests[0]: run_one(manifests[0])}
    else:
        ended = _run_each(manifests, run_one, console)
    outcomes = [end for end in ended.values() if not isinstance(end, RunnerError)]
    for outcome in outcomes:
        console.findings(outcome.findings)
        for line in failure_lines(outcome) if console.quiet else ():
            console.error(line)
    documents = [run_document(outcome) for outcome in outcomes]
    console.result(summary_lines(ended), documents[0] if len(manifests) == 1 else documents)
    sys.exit(max(map(_exit_code, ended.values())))


def _run_each(
    manifests: tuple[Path, ...], run_one: Callable[[Path], Outcome], console: Console
) -> dict[Path, Outcome | RunnerError]:
    """One that fails does not stop the others."""
    ended: dict[Path, Outcome | RunnerError] = {}
    for manifest in manifests:
        try:
            ended[manifest] = run_one(manifest)
        except RunnerError as e:
            console.error(f"{manifest}:")
            console.failure(e)
            ended[manifest] = e
    return ended


def _exit_code(end: Outcome | RunnerError) -> int:
    return end.exit_code if isinstance(end, RunnerError) else int(bool(end.failures))


@app.command(epilog=guides.PLAN)
@one_manifest
@target_options
@choice_options
@click.option("--detailed-exitcode", is_flag=True, help="Exit 8 if something is new, changed or pending.")
def plan(manifest: Path, detailed_exitcode: bool, **values: Any) -> None:
    """Show what run would do; no network, nothing written."""
    from manifest_runner.commands import preview

    console = console_of(values)
    options = run_options_of(values)
    made, batches, findings = preview.plan(manifest, target_of(values), options, context_of(console))
    console.findings(findings)
    console.result(plan_lines(made, batches, verbose=console.verbose), plan_document(made, batches))
    if detailed_exitcode and not made.is_covered:
        sys.exit(8)


@app.command()
@many_manifests
@target_options
@click.option("--strict", is_flag=True, help="Take warnings for errors.")
@click.option(
    "--format", "style", type=click.Choice(["text", "json", "github", "sarif"]), default="text", show_default=True
)
def validate(manifests: tuple[Path, ...], style: str, strict: bool, **values: Any) -> None:
    """Check manifests and every item that they render to.

    That is the YAML, the schema, the samplesheets, and each rendered item against the API's rules. Needs no network.
    """
    from manifest_runner.commands import preview

    console = console_of(values)
    found: list[Finding] = []
    counts: dict[Path, int] = {}
    code = 0
    for manifest in manifests:
        try:
            counts[manifest], warnings = preview.validate(
                manifest, target_of(values), context_of(console), strict=strict
            )
            found += warnings
        except InvalidManifest as e:
            found += e.findings
            code = code or e.exit_code
        except UsageProblem as e:  # one that does not exist does not keep the others from being checked
            if len(manifests) == 1:
                raise
            console.failure(e)
            code = e.exit_code
    print_findings(found, counts, "json" if console.as_json else style, quiet=console.quiet)
    sys.exit(code)


@app.command()
@one_manifest
@target_options
@choice_options
def render(manifest: Path, **values: Any) -> None:
    """Print what run would POST, as JSON.

    Each batch with its idempotency key, as for a lockfile that is still empty. Needs no network.
    """
    from manifest_runner.commands import preview

    console = console_of(values)
    before = b"["
    for batch in preview.render(manifest, target_of(values), run_options_of(values), context_of(console)):
        click.echo(b'%s\n{"idempotencyKey": "%s", "body": %s}' % (before, batch.key.encode(), batch.body), nl=False)
        before = b","
    click.echo("\n]" if before == b"," else "[]")


@app.command(epilog=guides.STATUS)
@one_manifest
@target_options
@timeout_option
@poll_option
@click.option("--watch", is_flag=True, help="Go on until every analysis has ended.")
def status(manifest: Path, watch: bool, **values: Any) -> None:
    """Refresh the lockfile from the API and print it."""
    import json

    from manifest_runner.commands import due
    from manifest_runner.commands.status import refresh
    from manifest_runner.lockfile.file import dump_lockfile

    console = console_of(values)
    options = due.RunOptions(timeout=values["timeout"], poll_interval=values["poll_interval"])
    show = console.watch if watch else None
    console.is_watching = watch and sys.stdout.isatty()
    lockfile = refresh(manifest, target_of(values), options, context_of(console), show)
    if not lockfile.items:
        console.note(f"{manifest}: nothing was launched yet")
    if console.as_json:
        console.result([], json.loads(dump_lockfile(lockfile)))
    else:
        (console.watch if console.is_watching else console.table)(lockfile)


@app.command(epilog=guides.REPORT)
@one_manifest
@click.option(
    "--format",
    "style",
    type=click.Choice(["html", "junit", "markdown", "csv", "json"]),
    default="html",
    show_default=True,
)
@click.option("--output", "-o", type=FILE, metavar="FILE", help="Default: stdout.")
@click.option("--lockfile", type=FILE, help="Default: the manifest's name with .lock.json, beside it.")
def report(manifest: Path, style: Any, output: Path | None, lockfile: Path | None) -> None:
    """Write the lockfile as a page or a table.

    A page to look at (html), for CI systems (junit), for a pull request (markdown), for a spreadsheet (csv) or a
    program (json). Needs no network.
    """
    from manifest_runner.files import replace_file
    from manifest_runner.lockfile.file import load_lockfile
    from manifest_runner.lockfile.workspace import Workspace
    from manifest_runner.report import ReportSource, ica_web_url, write_report
    from manifest_runner.timestamps import timestamp

    path = Workspace.of(manifest, lockfile).lockfile
    state = load_lockfile(path)
    if state is None:
        raise UsageProblem(f"{path}: there is no lockfile yet; `manifest-runner run` writes it")
    source = ReportSource(str(manifest), timestamp(time.time()), ica_web_url(state.server))
    text = write_report(state, style, source=source)
    if output is None:
        sys.stdout.buffer.write(text.encode())
    else:
        replace_file(output, text.encode())


@app.command(name="import", epilog=guides.IMPORT)
@one_manifest
@target_options
@timeout_option
@click.option(
    "--batch-id", "batch_ids", multiple=True, metavar="ID", help="A batch to import, repeatable; default: by stamp."
)
def import_(manifest: Path, batch_ids: tuple[str, ...], **values: Any) -> None:
    """Rebuild a lost lockfile from the API."""
    from manifest_runner.commands.import_ import import_lockfile

    console = console_of(values)
    done = import_lockfile(manifest, target_of(values), batch_ids, values["timeout"], context_of(console))
    total = done.known + done.changed + done.removed
    document = {"imported": total, "changed": done.changed, "removed": done.removed, "lockfile": str(done.path)}
    words = f"imported {total:,}: {done.changed:,} changed since, {done.removed:,} no longer in the manifest"
    if not total:
        words = "nothing to import: ICA shows no launch of this manifest that the lockfile lacks"
    console.result([words, f"lockfile: {done.path}"], document)


@app.command(epilog=guides.ABORT)
@one_manifest
@target_options
@timeout_option
@click.option(
    "--target", "targets", multiple=True, metavar="USER_REFERENCE", help="Only these items; globs, repeatable."
)
@yes_option
def abort(manifest: Path, targets: tuple[str, ...], yes: bool, **values: Any) -> None:
    """Abort analyses that still run."""
    from manifest_runner.commands import abort
    from manifest_runner.planning.plan import Choices

    console = console_of(values)

    def approve(running: list[str]) -> bool:
        if yes or not console.is_interactive:
            return yes
        for line in abort_lines(running, verbose=console.verbose):
            console.error(line)
        return click.confirm(f"Abort {len(running):,} analyses?", err=True)

    done = abort.abort(
        manifest, target_of(values), Choices(targets=targets), values["timeout"], context_of(console), approve
    )
    words = [f"asked ICA to abort {len(done.aborted):,} analyses" if done.aborted else "no analysis is running"]
    if done.too_early:
        words.append(f"{len(done.too_early):,} item(s) have no analysis yet; abort again when they are created")
    document = {"aborted": done.aborted, "tooEarly": done.too_early, "lockfile": str(done.path)}
    console.result([*words, f"lockfile: {done.path}"], document)


@app.group()
def lock() -> None:
    """Work on lockfiles: merge those of two branches."""


@lock.command(epilog=guides.MERGE)
@click.argument("base", type=FILE)
@click.argument("ours", type=FILE)
@click.argument("theirs", type=FILE)
def merge(base: Path, ours: Path, theirs: Path) -> None:
    """Merge three lockfiles into OURS.

    Nothing that either side launched is lost, and the sides never conflict. The arguments are those of git's merge
    drivers: %O %A %B.
    """
    from manifest_runner.errors import BadState
    from manifest_runner.lockfile.file import load_lockfile, write_lockfile
    from manifest_runner.lockfile.merge import merge_lockfiles

    mine, other = load_lockfile(ours), load_lockfile(theirs)
    if mine is None or other is None:
        raise BadState(f"{theirs if mine else ours}: there is no such lockfile")
    is_empty = not base.exists() or not base.read_bytes().strip()
    write_lockfile(ours, merge_lockfiles(None if is_empty else load_lockfile(base), mine, other))


@app.command()
@click.argument("code")
def explain(code: str) -> None:
    """Tell what the code of an error or warning means, and the cure."""
    from manifest_runner.diagnostics.codes import CODES

    found = CODES.get(code.upper())
    if found is None:
        raise UsageProblem(f"{code}: there is no such code; they go from {min(CODES)} to {max(CODES)}")
    click.echo(f"{code.upper()}: {found.title}\n\n{found.cause}\n\n{found.cure}")
    if found.example:
        click.echo("\nFor example:\n")
        click.echo("\n".join(f"  {line}" for line in found.example.splitlines()))


@app.command()
@click.argument("name", type=click.Choice(["manifest", "lockfile", "payload"]))
def schema(name: Any) -> None:
    """Print a JSON schema."""
    from manifest_runner.validation.shipped import schema_text

    click.echo(schema_text(name), nl=False)


@app.command(epilog=guides.INIT)
@click.argument("manifest", type=FILE, default=Path("manifest.yaml"))
@click.option("--from-payload", "payload", type=FILE, metavar="FILE.json", help="Start from a launch body of the API.")
@click.option("--project", metavar="ID", help="The project.")
def init(manifest: Path, payload: Path | None, project: str | None) -> None:
    """Write a commented starter manifest and its samplesheet."""
    from manifest_runner.commands.init import write_from_payload, write_starter

    written = write_starter(manifest, project) if payload is None else write_from_payload(manifest, payload, project)
    for path in written:
        click.echo(f"wrote {path}")
    click.echo(f"next: manifest-runner validate {manifest}")


@app.command()
@emulator_options
def emulator(faults: tuple[str, ...], **values: Any) -> None:
    """Serve the emulator; its URL is the first line of stdout."""
    import sqlite3

    from manifest_runner.emulator import EmulatorNotInstalled, EmulatorOptions, parse_fault, serve

    try:
        options = EmulatorOptions(faults=tuple(map(parse_fault, faults)), **values)
        serve(options, click.echo)
    except sqlite3.Error as e:
        raise UsageProblem(f"{values['database']}: cannot be used as the emulator's database: {e}") from e
    except (ValueError, EmulatorNotInstalled, OSError) as e:
        raise UsageProblem(str(e)) from e


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a CI system that cancels a job is as good as ^C
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a character that the terminal lacks is no reason to fail
    app(prog_name="manifest-runner", obj=Console())
