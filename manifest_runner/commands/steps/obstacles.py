"""What keeps a run from launching its plan, in words."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

from manifest_runner.commands.setup.options import RunOptions
from manifest_runner.diagnostics.finding import InvalidManifest, Place
from manifest_runner.items.load import Loaded
from manifest_runner.model import Name
from manifest_runner.planning.plan import Plan
from manifest_runner.planning.suggested_moves import moves_to_add
from manifest_runner.report.source import command_line
from manifest_runner.text import counted, few_of, shown

_MOST_TARGETS = 3


def changed_message(plan: Plan, manifest: Path, *, is_trial: bool) -> str:
    """Why nothing is sent, and what to do: launch the items again, or accept them with the command given."""
    items = plan.unapproved
    them, launches = ("it", "its launch") if len(items) == 1 else ("them", "their launches")
    targets = [f"--target {shlex.quote(each)}" for each in items] if len(items) <= _MOST_TARGETS else ["--target …"]
    accept = " ".join([command_line("accept", str(manifest), is_trial), *targets])
    return (
        f"{counted(len(items), 'launched item has', 'launched items have')} changed: {few_of(items)}. To launch {them} "
        "again as now written, use --relaunch-changed or raise `revision` in the manifest. To keep "
        f"{launches}: `{accept}`. `{command_line('plan', str(manifest), is_trial)}` shows what changed."
    )


def renamed_message(plan: Plan) -> str:
    """Why new items that equal removed ones are not launched, with the entries of ``moved`` that would keep those."""
    pairs = plan.guarded.items()
    return (
        f"{counted(len(pairs), 'new item has', 'new items have')} the request of a removed one under another name: "
        f"{few_of([f'{new} (was {old})' for new, old in pairs])}. If they were renamed, keep their launches with "
        f"{moves_to_add(plan.guarded, plan.references)} in the manifest. To launch them again under the new names: "
        "--launch-renamed."
    )


def most_launches(options: RunOptions, loaded: Loaded) -> int | None:
    """How many launches one run may make, None if there is no limit."""
    return loaded.document.max_launches if options.max_launches is None else options.max_launches


def launch_limit_message(plan: Plan, options: RunOptions, loaded: Loaded) -> str | None:
    limit = most_launches(options, loaded)
    due = len(plan.due)
    if limit is None or due <= limit:
        return None
    return (
        f"{counted(due, 'item is', 'items are')} due, more than the {limit:,} that one run may launch (maxLaunches). "
        f"Raise it with --max-launches {due}, or launch a part with --limit."
    )


def missing_names(manifest: Path, names: Iterable[Name]) -> InvalidManifest:
    """Why nothing can be said of launched items: the names file lacks these names."""
    keys = few_of(sorted(shown(each.key) for each in names))
    message = f"not in the names file: {keys}; `manifest-runner resolve {manifest}` looks up what is missing"
    return InvalidManifest.at(Place(str(manifest), 1), "MR711", message)


def uncovered_words(plan: Plan) -> str:
    """The items that keep a lockfile from covering its manifest."""
    again = sorted(set(plan.failed).intersection(plan.due).difference(plan.fixed))
    counts = {
        "new": plan.new,
        "changed": plan.changed,
        "fixed after they failed": plan.fixed,
        "failed and due again": again,
        "pending": plan.pending,
    }
    words = [f"{len(refs)} {state} ({few_of(refs)})" for state, refs in counts.items() if refs]
    return ", ".join([*words, *([f"{plan.beyond_limit} beyond --limit"] if plan.beyond_limit else ())])
