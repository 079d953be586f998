"""The command line: parse, wire, print, exit. Nothing else prints or exits."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from manifest_runner import __version__
from manifest_runner.errors import InvalidManifest, RunnerError, UsageProblem
from manifest_runner.model import Finding

if TYPE_CHECKING:
    from manifest_runner.runner import RunOptions, Target, World

F = TypeVar("F", bound=Callable[..., Any])
BUG_EXIT = 70


class Console:
    """Results go to stdout, everything else to stderr; ``--quiet`` leaves errors and results only."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False, verbose: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self.verbose = verbose

    def note(self, line: str) -> None:
        if not self.quiet:
            click.echo(line, err=True)

    def result(self, text: str, document: object) -> None:
        if self.as_json:
            click.echo(json.dumps(document, ensure_ascii=False, indent=2))
        elif text and not self.quiet:
            click.echo(text)

    def findings(self, findings: list[Finding] | tuple[Finding, ...]) -> None:
        for finding in findings:
            if finding.severity == "error" or not self.quiet:
                click.echo(finding_line(finding), err=True)


def finding_line(finding: Finding) -> str:
    place = finding.place
    word = "" if finding.severity == "error" else f"{finding.severity}: "
    row = f" (row at {finding.row.file}:{finding.row.line})" if finding.row else ""
    return f"{place.file}:{place.line}:{place.column}: {word}{finding.message} [{finding.code}]{row}"


@contextmanager
def error_handler(console: Console) -> Iterator[None]:
    """Turn an expected failure, ^C and a bug into an exit code; a bug leaves its traceback in a file."""
    try:
        yield
    except InvalidManifest as e:
        console.findings(e.findings)
        errors = sum(finding.severity == "error" for finding in e.findings) or len(e.findings)
        click.echo(f"{errors} error(s); nothing was sent.", err=True)
        sys.exit(e.exit_code)
    except RunnerError as e:
        click.echo(f"error: {e}", err=True)
        sys.exit(e.exit_code)
    except KeyboardInterrupt:
        click.echo("interrupted; what was launched is safe, run the same command again to go on.", err=True)
        sys.exit(130)
    except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
        raise
    except Exception as e:  # noqa: BLE001 - the one place where a bug ends
        click.echo(f"error: a bug in manifest-runner: {type(e).__name__}. Details are in {_crash_log()}", err=True)
        sys.exit(BUG_EXIT)


def _crash_log() -> str:
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile(
        "w", prefix="manifest-runner-", suffix=".log", delete=False, encoding="utf-8"
    ) as file:
        file.write(f"manifest-runner {__version__}, Python {sys.version}\n{traceback.format_exc()}")
        return file.name


def _var(_context: click.Context, _parameter: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise click.BadParameter(f"{pair!r} is not NAME=VALUE")
        found[name] = value
    return found


def _options(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


target_options = _options(
    click.option(
        "--server-url",
        metavar="URL",
        help="The ICA server. Default: ICAV2_SERVER_URL, the icav2 CLI's, ICA's.",
    ),
    click.option("--emulator", is_flag=True, help="Use the embedded emulator; its state is kept in .manifest-runner/."),
    click.option("--lockfile", type=click.Path(path_type=Path), help="Default: MANIFEST with .lock.json, beside it."),
    click.option(
        "--var",
        "given_vars",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_var,
        help="Set a var of the manifest.",
    ),
    click.option("--project", metavar="ID", help="The project, if not the manifest's."),
    click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout."),
    click.option("--quiet", "-q", is_flag=True, help="Errors and results only."),
    click.option("--verbose", "-v", is_flag=True, help="Show everything."),
)
choice_options = _options(
    click.option("--retry-failed", is_flag=True, help="Launch failed items again, and only those."),
    click.option("--relaunch-changed", is_flag=True, help="Launch changed items again."),
    click.option("--target", "targets", multiple=True, metavar="USER_REFERENCE", help="Only these items (globs)."),
    click.option("--limit", type=click.IntRange(min=0), metavar="N", help="Launch the first N of what is due."),
    click.option("--batch-size", type=click.IntRange(1, 5000), metavar="N", help="Items in one batch."),
    click.option("--max-launches", type=click.IntRange(min=0), metavar="N", help="Refuse to launch more than N."),
    click.option("--strict", is_flag=True, help="Take warnings for errors."),
)
one_manifest = click.argument("manifest", type=click.Path(path_type=Path))
many_manifests = click.argument(
    "manifests", metavar="MANIFEST...", type=click.Path(path_type=Path), nargs=-1, required=True
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="manifest-runner", message="%(prog)s %(version)s")
def app() -> None:
    """Launch analyses on Illumina Connected Analytics from a manifest, each exactly once."""


def _world(console: Console) -> World:
    from manifest_runner.runner import World

    return World(env=os.environ, home=Path.home(), notify=console.note)


def _target(values: dict[str, Any]) -> Target:
    from manifest_runner.runner import Target

    names = ("server_url", "emulator", "lockfile", "project", "given_vars")
    return Target(**{name: values[name] for name in names})


def _console(values: dict[str, Any]) -> Console:
    return Console(as_json=values["as_json"], quiet=values["quiet"], verbose=values["verbose"])


def _run_options(values: dict[str, Any]) -> RunOptions:
    from manifest_runner.plan import Choices
    from manifest_runner.runner import RunOptions

    choices = Choices(values["retry_failed"], values["relaunch_changed"], tuple(values["targets"]), values["limit"])
    names = (
        "wait",
        "timeout",
        "locked",
        "adopt",
        "batch_size",
        "max_launches",
        "poll_interval",
        "key_window",
        "strict",
    )
    return RunOptions(choices=choices, **{name: values[name] for name in names if name in values})


@app.command()
@many_manifests
@target_options
@choice_options
@click.option("--wait", type=click.Choice(["none", "created", "finished"]), default="created", show_default=True)
@click.option("--timeout", type=click.FloatRange(min=0), default=3600.0, show_default=True, metavar="SECONDS")
@click.option("--locked", is_flag=True, help="Fail if the lockfile does not cover the manifest.")
@click.option("--adopt", type=click.Choice(["wait", "now", "never"]), default="wait", show_default=True)
@click.option("--poll-interval", type=click.FloatRange(min=0.01), metavar="SECONDS")
@click.option(
    "--idempotency-window",
    "key_window",
    type=click.FloatRange(min=0),
    default=7 * 86400 - 3600.0,
    metavar="SECONDS",
)
def run(manifests: tuple[Path, ...], **values: Any) -> None:
    """Launch what is not launched yet, follow it, and write the lockfile."""
    from manifest_runner import runner

    console = _console(values)
    with error_handler(console):
        if len(manifests) > 1 and values["lockfile"]:
            raise UsageProblem("--lockfile goes with one manifest")
        outcome = runner.run(manifests[0], _target(values), _run_options(values), _world(console))
        console.findings(outcome.warnings)
        console.result(_run_words(outcome), _run_document(outcome))
        if outcome.failed:
            sys.exit(1)


def _plan_document(made: Any, batches: int) -> dict[str, Any]:
    states = ("new", "changed", "unchanged", "failed", "removed", "pending")
    return {**{state: getattr(made, state) for state in states}, "batches": batches}


def _run_document(outcome: Any) -> dict[str, Any]:
    return {
        **_plan_document(outcome.plan, outcome.batches),
        "adopted": outcome.adopted,
        "created": outcome.created,
        "createdFailed": outcome.created_failed,
        "lockfile": str(outcome.path),
    }


def _run_words(outcome: Any) -> str:
    lines = []
    for reference in outcome.failed[:10]:
        item = outcome.lockfile.items[reference]
        lines.append(f"failed: {reference}: {item.message or 'the API gives no reason'}")
    if not outcome.launched and not outcome.adopted:
        lines.append(f"nothing to launch; {len(outcome.plan.unchanged)} item(s) are launched already")
    else:
        lines.append(
            f"{len(outcome.launched)} launched in {outcome.batches} batch(es): {outcome.created} created, "
            f"{outcome.created_failed} failed; {outcome.adopted} adopted; {len(outcome.plan.unchanged)} unchanged"
        )
    lines.append(f"lockfile: {outcome.path}")
    return "\n".join(lines)


@app.command()
@one_manifest
@target_options
@choice_options
@click.option("--detailed-exitcode", is_flag=True, help="Exit 8 if the lockfile does not cover the manifest.")
def plan(manifest: Path, detailed_exitcode: bool, **values: Any) -> None:
    """Show what run would do. Needs no network, writes nothing."""
    from manifest_runner import runner

    console = _console(values)
    with error_handler(console):
        made, batches, warnings = runner.plan(manifest, _target(values), _run_options(values), _world(console))
        console.findings(warnings)
        states = ("new", "changed", "unchanged", "failed", "removed", "pending")
        counts = ", ".join(f"{len(getattr(made, state))} {state}" for state in states)
        console.result(f"{counts}; {batches} batch(es) to send", _plan_document(made, batches))
        if detailed_exitcode and not made.is_covered:
            sys.exit(8)


@app.command()
@many_manifests
@target_options
@click.option("--strict", is_flag=True, help="Take warnings for errors.")
@click.option("--format", "style", type=click.Choice(["text", "json", "github"]), default="text", show_default=True)
def validate(manifests: tuple[Path, ...], style: str, strict: bool, **values: Any) -> None:
    """Check manifests: YAML, schema, samplesheets, and every rendered item against the API's rules."""
    from manifest_runner import runner

    console = _console(values)
    with error_handler(console):
        found: list[Finding] = []
        for manifest in manifests:
            try:
                found += runner.validate(manifest, _target(values), _world(console))
            except InvalidManifest as e:
                found += e.findings
        _print_findings(found, "json" if console.as_json else style, console)
        fatal = ("error", "warning") if strict else ("error",)
        if any(finding.severity in fatal for finding in found):
            sys.exit(3)


def _print_findings(found: list[Finding], style: str, console: Console) -> None:
    if style == "json":
        click.echo(json.dumps([_finding_document(finding) for finding in found], ensure_ascii=False, indent=2))
        return
    for finding in found:
        if style == "github":
            level = "notice" if finding.severity == "info" else finding.severity
            at = f"file={finding.place.file},line={finding.place.line},col={finding.place.column},title={finding.code}"
            click.echo(f"::{level} {at}::{finding.message}".replace("%", "%25").replace("\n", "%0A"))
        else:
            click.echo(finding_line(finding))
    if not found and not console.quiet and style == "text":
        click.echo("valid")


def _finding_document(finding: Finding) -> dict[str, Any]:
    row = {"file": finding.row.file, "line": finding.row.line} if finding.row else None
    place = finding.place
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message,
        "row": row,
    }


@app.command()
@one_manifest
@target_options
@choice_options
def render(manifest: Path, **values: Any) -> None:
    """Print the batches that run would POST for a new lockfile, as JSON."""
    from manifest_runner import runner

    console = _console(values)
    with error_handler(console):
        batches = runner.render(manifest, _target(values), _run_options(values), _world(console))
        comma = "["
        for batch in batches:
            click.echo(f'{comma}\n{{"idempotencyKey": "{batch.key}", "body": {batch.body.decode()}}}', nl=False)
            comma = ","
        click.echo("\n]" if comma == "," else "[]")


@app.command()
@one_manifest
@target_options
@click.option("--timeout", type=click.FloatRange(min=0), default=3600.0, show_default=True, metavar="SECONDS")
def status(manifest: Path, **values: Any) -> None:
    """Refresh the lockfile from the API and print it."""
    from manifest_runner import runner

    console = _console(values)
    with error_handler(console):
        options = runner.RunOptions(timeout=values["timeout"])
        lockfile = runner.status(manifest, _target(values), options, _world(console))
        from manifest_runner.lockfile import dump_lockfile

        text = dump_lockfile(lockfile).decode()
        rows = [
            f"{reference}  {item.status}  {item.analysis['status'] if item.analysis else '-'}"
            for reference, item in sorted(lockfile.items.items())
        ]
        console.result("\n".join(rows), json.loads(text))


@app.command()
@click.argument("name", type=click.Choice(["manifest", "lockfile", "payload"]))
def schema(name: Any) -> None:
    """Print a JSON schema."""
    from manifest_runner.schema import schema_text

    click.echo(schema_text(name), nl=False)


@app.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8787, show_default=True, help="0 chooses a free one.")
@click.option("--database", type=click.Path(path_type=Path), default=Path("emulator.sqlite3"), show_default=True)
@click.option("--api-key", envvar="MANIFEST_RUNNER_EMULATOR_KEY", help="The only key accepted; any if not given.")
@click.option("--project", "projects", multiple=True, metavar="ID", help="Known projects; any if not given.")
@click.option("--creation-delay", type=click.FloatRange(min=0), default=1.0, show_default=True, metavar="SECONDS")
@click.option("--analysis-duration", type=click.FloatRange(min=0), default=8.0, show_default=True, metavar="SECONDS")
@click.option("--fail-creation", metavar="REGEX", help="userReferences whose creation fails.")
@click.option("--fail-analysis", metavar="REGEX", help="userReferences whose analysis fails.")
@click.option("--latency", type=click.FloatRange(min=0), default=0.0, metavar="SECONDS", help="Added to every answer.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="KIND:NTH",
    help="409, 429, 500, 503, drop-before or drop-after.",
)
@click.option("--idempotency-ttl", type=click.FloatRange(min=0), default=7 * 86400.0, metavar="SECONDS")
def emulator(faults: tuple[str, ...], **values: Any) -> None:
    """Serve the emulator; its URL is the first line of stdout."""
    from manifest_runner.emulator import EmulatorNotInstalled, EmulatorOptions, parse_fault, serve

    with error_handler(Console()):
        try:
            options = EmulatorOptions(faults=tuple(map(parse_fault, faults)), **values)
            serve(options, click.echo)
        except (ValueError, EmulatorNotInstalled, OSError) as e:
            raise UsageProblem(str(e)) from e


def main() -> None:
    app(prog_name="manifest-runner")
