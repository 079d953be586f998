"""The options that commands share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, get_args

import click
import msgspec

from manifest_runner.cli import completion
from manifest_runner.cli.console import Console
from manifest_runner.cli.option_groups import option_group
from manifest_runner.cli.parameter_types import COUNT, FILE, SECONDS, Seconds, name_value_pairs, plan_digest
from manifest_runner.commands.setup.options import DEFAULT_TIMEOUT, ResolveOptions, RunOptions, Target, WaitMode
from manifest_runner.ica.model import DEFAULT_KEY_WINDOW
from manifest_runner.planning.choices import Choices

one_manifest = click.argument("manifest", type=FILE, shell_complete=completion.manifests)
many_manifests = click.argument(
    "manifests", metavar="MANIFEST...", type=FILE, nargs=-1, required=True, shell_complete=completion.manifests
)

# -- every command that reads a manifest

console_options = option_group(
    "console",
    Console,
    click.option("--json", "as_json", is_flag=True, help="Print one JSON document to stdout."),
    click.option("--quiet", "-q", is_flag=True, help="Print errors only."),
    click.option("--verbose", "-v", is_flag=True, help="List every item, not just the first few."),
)
target_options = option_group(
    "target",
    Target,
    click.option(
        "--server-url", metavar="URL", show_default="the icav2 CLI's, or ICA's own", help="Use this ICA server."
    ),
    click.option(
        "--emulator", is_flag=True, help="Use a local emulator of ICA; all its files are in .manifest-runner/."
    ),
    click.option(
        "--lockfile", type=FILE, show_default="beside the manifest, with .lock.json", help="Use this lockfile."
    ),
    click.option(
        "--var",
        "given_vars",
        multiple=True,
        metavar="NAME=VALUE",
        callback=name_value_pairs,
        help="Set one of the manifest's vars; repeatable.",
    ),
    click.option("--project", metavar="ID", help="Use this project instead of the manifest's."),
)

# -- which items

targets_option = click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="USER_REFERENCE",
    shell_complete=completion.targets,
    help="Only these items; may be a glob; repeatable.",
)
targets_only = option_group("choices", Choices, targets_option)
choice_options = option_group(
    "choices",
    Choices,
    click.option("--retry-failed", is_flag=True, help="Launch failed items again, and nothing else."),
    click.option("--where", metavar="EXPRESSION", help="With --retry-failed, only items for which this is true."),
    click.option("--relaunch-changed", is_flag=True, help="Approve launching changed items again."),
    targets_option,
    click.option("--limit", type=COUNT, metavar="N", help="Launch only the first N items that are due."),
)

# -- how to run; the defaults are those of RunOptions

_STRICT = click.option("--strict", is_flag=True, help="Treat warnings as errors.")
_NO_CHECK = click.option("--no-check", is_flag=True, help="Do not check items against their pipelines and data.")
_TIMEOUT = click.option(
    "--timeout",
    type=SECONDS,
    default=DEFAULT_TIMEOUT,
    show_default="one hour",
    metavar="SECONDS",
    help="Stop retrying and waiting after this long.",
)
_PLANNING = (
    click.option("--batch-size", type=click.IntRange(1, 5000), metavar="N", help="Put at most N items in a batch."),
    click.option("--max-launches", type=COUNT, metavar="N", help="Launch nothing if more than N items are due."),
    _STRICT,
    _NO_CHECK,
)
_FOLLOWING = (
    _TIMEOUT,
    click.option(
        "--poll-interval",
        type=Seconds(min=0.01),
        metavar="SECONDS",
        show_default="0.5 s, slowing to 30 s",
        help="Ask ICA at this interval.",
    ),
)
_RUNNING = (
    click.option(
        "--wait",
        type=click.Choice(get_args(WaitMode)),
        default=RunOptions().wait,
        show_default=True,
        help="Return when everything is sent, created in ICA, or finished.",
    ),
    click.option(
        "--lock-timeout",
        type=SECONDS,
        default=0.0,
        show_default="fail at once",
        metavar="SECONDS",
        help="Wait this long for another run to end, on this machine or (with `state` or `lock: git`) another.",
    ),
    click.option(
        "--no-lock", is_flag=True, help="Do not take the manifest's lease; other runs can then work at the same time."
    ),
    click.option(
        "--retries",
        type=COUNT,
        default=RunOptions().retries,
        metavar="N",
        help="With --wait finished, relaunch items that fail during the run, up to N times each.",
    ),
    click.option("--outputs", is_flag=True, help="Record the outputs of the analyses, as `outputs` does."),
    click.option("--locked", is_flag=True, help="Launch nothing; exit 8 if something is due."),
    click.option(
        "--no-refresh",
        is_flag=True,
        help="Do not ask ICA about earlier launches first; rely on the lockfile.",
    ),
    click.option(
        "--launch-renamed",
        is_flag=True,
        help="Approve launching new items that differ from removed ones only in name.",
    ),
    click.option(
        "--expect",
        metavar="PLANDIGEST",
        callback=plan_digest,
        help="Launch only if this is still the plan; `plan --json` shows its digest.",
    ),
    click.option(
        "--adopt",
        type=click.Choice(["wait", "now", "never"]),
        default=RunOptions().adopt,
        show_default=True,
        help="What to do while a launch from another machine or user is only partly visible: wait, launch the rest "
        "now, or never look for such launches.",
    ),
    click.option(
        "--idempotency-window",
        "key_window",
        type=SECONDS,
        default=DEFAULT_KEY_WINDOW,
        show_default="seven days, less an hour",
        metavar="SECONDS",
        help="Trust ICA to remember an idempotency key for this long.",
    ),
)
plan_options = option_group("options", RunOptions, *_PLANNING)
follow_options = option_group("options", RunOptions, *_FOLLOWING)
run_options = option_group("options", RunOptions, *_PLANNING, *_RUNNING, *_FOLLOWING)


def outcome_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """For commands about results: ``target``, ``console``, and ``options`` with the choice of items."""

    @targets_only
    @follow_options
    @target_options
    @console_options
    @wraps(function)
    def command(choices: Choices, options: RunOptions, **values: Any) -> Any:
        return function(options=msgspec.structs.replace(options, choices=choices), **values)

    return command


resolve_options = option_group(
    "options",
    ResolveOptions,
    click.option("--update", is_flag=True, help="Look up every name again, not only new ones."),
    click.option("--check", is_flag=True, help="Write nothing; exit 3 if a name is missing or has changed."),
    _NO_CHECK,
    _STRICT,
    _TIMEOUT,
)

yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")
