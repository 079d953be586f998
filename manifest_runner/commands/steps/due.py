"""What is due: the plan of a manifest, and whether a run may launch it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from manifest_runner.commands.setup.context import Progress
from manifest_runner.commands.setup.options import RunOptions
from manifest_runner.commands.setup.session import Session
from manifest_runner.commands.setup.target import report_moves
from manifest_runner.diagnostics.finding import InvalidManifest, Place
from manifest_runner.items.load import Loaded
from manifest_runner.launch.batches import PreparedBatch, make_batches, rebuilt_batch
from manifest_runner.launch.journal.journal import references
from manifest_runner.launch.journal.spool import Spool
from manifest_runner.launch.lease.in_flight import InFlight
from manifest_runner.model import Item, Name
from manifest_runner.names.api_keys import NO_UUID
from manifest_runner.names.checks.form_fields import sensitive_ids
from manifest_runner.planning.choices import Choices
from manifest_runner.planning.diff import without_values
from manifest_runner.planning.plan import Launch, Plan
from manifest_runner.planning.planner import Meant, make_plan
from manifest_runner.planning.suggested_moves import moves_to_add
from manifest_runner.report.source import command_line
from manifest_runner.text import counted, few_of, shown

REPORT_EVERY = 1000
MOST_TARGETS = 3


def changed_message(plan: Plan, manifest: Path, *, is_trial: bool) -> str:
    """Why nothing is sent, and what to do: launch the items again, or accept them with the command given."""
    items = plan.unapproved
    them, launches = ("it", "its launch") if len(items) == 1 else ("them", "their launches")
    targets = [f"--target {shlex.quote(each)}" for each in items] if len(items) <= MOST_TARGETS else ["--target …"]
    accept = " ".join([command_line("accept", str(manifest), is_trial), *targets])
    return (
        f"{counted(len(items), 'launched item has', 'launched items have')} changed: {few_of(items)}. To launch {them} "
        "again as now written, use --relaunch-changed or raise `revision` in the manifest. To keep "
        f"{launches}: `{accept}`. `{command_line('plan', str(manifest), is_trial)}` shows what changed."
    )


def missing_names(manifest: Path, names: Iterable[Name]) -> InvalidManifest:
    """Why nothing can be said of launched items: the names file lacks these names."""
    keys = few_of(sorted(shown(each.key) for each in names))
    message = f"not in the names file: {keys}; `manifest-runner resolve {manifest}` looks up what is missing"
    return InvalidManifest.at(Place(str(manifest), 1), "MR711", message)


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
        f"{due:,} items are due, more than the {limit:,} that one run may launch (maxLaunches). Raise it with "
        f"--max-launches {due}, or launch a part with --limit."
    )


def plan_session(
    session: Session, choices: Choices, detail: int | None, spool: Spool | None, *, launches: bool = True
) -> Plan:
    """The plan, given all that lockfile and journal know. Changes neither. ``launches`` is as in `make_plan`."""
    pending = references(session.journal.pending.values())
    items = _counted(session.loaded.stream.items(), session.context.progress)
    keep = None if spool is None else spool.keep
    plan = make_plan(
        items,
        session.lockfile,
        choices,
        naming=session.naming,
        pending=pending,
        keep=keep,
        detail=detail,
        is_meant=_meant(choices),
        launches=launches,
    )
    _hide_sensitive(plan, session.loaded)
    if plan.changes:
        names = session.loaded.pins.names.by_id("projects", "storages", "pipelines", "data")
        plan.names = {**names, NO_UUID: "(to be looked up)"}
    report_moves(session.loaded, plan.references)
    return plan


def _hide_sensitive(plan: Plan, loaded: Loaded) -> None:
    """Leave the values out of the changes of form fields that are declared as sensitive."""
    forms = [entry.form for entry in loaded.pins.names.pipelines.values()] if plan.changes else []
    if sensitive := frozenset[str]().union(*map(sensitive_ids, forms)):
        for reference, found in plan.changes.items():
            plan.changes[reference] = found and without_values(found, sensitive)


def _meant(choices: Choices) -> Meant:
    if choices.where is None:
        return lambda _reference, _before: True
    from manifest_runner.commands.steps.where import failed_where

    return failed_where(choices.where)


def _counted(items: Iterator[Item], progress: Progress) -> Iterator[Item]:
    """The items, while progress shows how many there are so far; the total is known only at the end."""
    for number, item in enumerate(items, 1):
        if number % REPORT_EVERY == 0:
            progress("rendered", number, None)
        yield item


def due_batches(
    launches: Iterable[Launch], loaded: Loaded, options: RunOptions, spool: Spool
) -> Iterator[PreparedBatch]:
    return make_batches(launches, options.batch_size_of(loaded), stamp_name=_stamp_name(loaded), fetch=spool.fetch)


def resumed_batch(batch: InFlight, launches: Iterable[Launch], loaded: Loaded, spool: Spool) -> PreparedBatch | None:
    """The batch as another run sent it, if all of its items are due."""
    return rebuilt_batch(batch, launches, stamp_name=_stamp_name(loaded), fetch=spool.fetch)


def _stamp_name(loaded: Loaded) -> str | None:
    return loaded.document.name if loaded.document.stamp else None


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
