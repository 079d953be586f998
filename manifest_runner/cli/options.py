"""The options of the command line, and the values that commands make of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from manifest_runner.cli.console import Console
from manifest_runner.cli.views import FEW, item_lines

if TYPE_CHECKING:
    from manifest_runner.commands.due import RunOptions
    from manifest_runner.commands.session import Context, Target
    from manifest_runner.planning.plan import Choices, Plan

F = TypeVar("F", bound=Callable[..., Any])


def _vars(_context: click.Context, _parameter: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
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


class Seconds(click.FloatRange):
    """A time. Python reads ``nan`` as a number, and no clock ever comes there."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is no time", param, ctx)
        return number


SECONDS = Seconds(min=0)
FILE = click.Path(path_type=Path)

target_options = _options(
    click.option("--server-url", metavar="URL", help="The ICA server. Default: as the icav2 CLI finds it, else ICA's."),
    click.option("--emulator", is_flag=True, help="Use the embedded emulator; its state is kept in .manifest-runner/."),
    click.option("--lockfile", type=FILE, help="Default: the manifest's name with .lock.json, beside it."),
    click.option(
        "--var",
        "given_vars",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_vars,
        help="Set an entry of the manifest's vars, repeatable.",
    ),
    click.option("--project", metavar="ID", help="The project, if not the manifest's."),
    click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, for programs."),
    click.option("--quiet", "-q", is_flag=True, help="Errors only."),
    click.option("--verbose", "-v", is_flag=True, help="Every item, not the first few."),
)
choice_options = _options(
    click.option("--retry-failed", is_flag=True, help="Launch failed items again, and nothing else."),
    click.option("--relaunch-changed", is_flag=True, help="Approve that changed items are launched again."),
    click.option(
        "--target", "targets", multiple=True, metavar="USER_REFERENCE", help="Only these items; globs, repeatable."
    ),
    click.option("--limit", type=click.IntRange(min=0), metavar="N", help="Launch the first N of what is due."),
    click.option("--batch-size", type=click.IntRange(1, 5000), metavar="N", help="Most items in one batch."),
    click.option(
        "--max-launches", type=click.IntRange(min=0), metavar="N", help="Launch nothing if more than N are due."
    ),
    click.option("--strict", is_flag=True, help="Take warnings for errors."),
)
timeout_option = click.option(
    "--timeout",
    type=SECONDS,
    default=3600.0,
    show_default=True,
    metavar="SECONDS",
    help="For retries and waiting together.",
)
poll_option = click.option(
    "--poll-interval", type=Seconds(min=0.01), metavar="SECONDS", help="Default: 0.5 s growing to 30 s."
)
follow_options = _options(
    click.option(
        "--wait",
        type=click.Choice(["none", "created", "finished"]),
        default="created",
        show_default=True,
        help="Until all is sent, created in ICA, or has run.",
    ),
    timeout_option,
    click.option("--locked", is_flag=True, help="Launch nothing: exit 8 if something is not launched yet."),
    click.option(
        "--adopt",
        type=click.Choice(["wait", "now", "never"]),
        default="wait",
        show_default=True,
        help="What to do about another user's launch that is only partly visible.",
    ),
    poll_option,
    click.option(
        "--idempotency-window",
        "key_window",
        type=SECONDS,
        default=7 * 86400 - 3600.0,
        show_default=True,
        metavar="SECONDS",
        help="How long ICA is trusted to know a key.",
    ),
)
emulator_options = _options(
    click.option("--host", default="127.0.0.1", show_default=True),
    click.option(
        "--port", type=click.IntRange(0, 65535), default=8787, show_default=True, help="0 chooses a free one."
    ),
    click.option("--database", type=FILE, default=Path("emulator.sqlite3"), show_default=True, help="Its state."),
    click.option("--api-key", envvar="MANIFEST_RUNNER_EMULATOR_KEY", help="The only key accepted. Default: any."),
    click.option("--project", "projects", multiple=True, metavar="ID", help="The known projects. Default: any."),
    click.option("--creation-delay", type=SECONDS, default=1.0, show_default=True, metavar="SECONDS"),
    click.option("--analysis-duration", type=SECONDS, default=8.0, show_default=True, metavar="SECONDS"),
    click.option("--fail-creation", metavar="REGEX", help="userReferences whose creation fails."),
    click.option("--fail-analysis", metavar="REGEX", help="userReferences whose analysis fails."),
    click.option("--abort-analysis", metavar="REGEX", help="userReferences whose analysis is aborted."),
    click.option(
        "--search-lag", type=SECONDS, default=0.0, metavar="SECONDS", help="Hides new analyses from searches."
    ),
    click.option("--latency", type=SECONDS, default=0.0, metavar="SECONDS", help="Added to every answer."),
    click.option(
        "--fault",
        "faults",
        multiple=True,
        metavar="KIND:NTH",
        help="Spoil the NTH POST of a batch: 503, drop-before, … Also KIND:FIRST-LAST, KIND:NTH@get, @search, …",
    ),
    click.option("--idempotency-ttl", type=SECONDS, default=7 * 86400.0, metavar="SECONDS", help="How long keys live."),
    click.option(
        "--token-lifetime", type=SECONDS, default=86400.0, metavar="SECONDS", help="How long tokens are good."
    ),
)
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
one_manifest = click.argument("manifest", type=FILE)
many_manifests = click.argument("manifests", metavar="MANIFEST...", type=FILE, nargs=-1, required=True)


def console_of(values: dict[str, Any]) -> Console:
    """The console as this command's options want it; what fails later is told there, too."""
    console: Console = click.get_current_context().obj
    console.as_json, console.quiet, console.verbose = (values[name] for name in ("as_json", "quiet", "verbose"))
    return console


def context_of(console: Console) -> Context:
    from manifest_runner.commands.session import Context

    return Context(notify=console.note, progress=console.progress)


def target_of(values: dict[str, Any]) -> Target:
    from manifest_runner.commands.session import Target

    names = ("server_url", "emulator", "lockfile", "project", "given_vars")
    return Target(**{name: values[name] for name in names})


def choices_of(values: dict[str, Any]) -> Choices:
    from manifest_runner.planning.plan import Choices

    return Choices(values["retry_failed"], values["relaunch_changed"], tuple(values["targets"]), values["limit"])


def run_options_of(values: dict[str, Any]) -> RunOptions:
    from manifest_runner.commands.due import RunOptions

    names = (
        "wait timeout locked adopt batch_size max_launches poll_interval key_window strict".split()
    )  # those that a command has
    given = {name: values[name] for name in names if name in values}
    return RunOptions(choices=choices_of(values), detail=None if values["verbose"] else FEW, **given)


def asking(manifest: Path, console: Console) -> Callable[[Plan], bool] | None:
    """How to ask a person, who is shown first what will be spent; None where nobody is there."""

    def approve(plan: Plan) -> bool:
        for line in item_lines(plan, verbose=console.verbose):
            console.error(line)
        again = f"{len(plan.changed):,} of them again because they changed"
        return click.confirm(f"{manifest}: launch {len(plan.launches):,} analyses, {again}?", err=True)

    return approve if console.is_interactive else None
