"""What is due: the plan of a manifest, and its launches as batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from manifest_runner.commands.setup.context import Progress
from manifest_runner.commands.setup.options import RunOptions
from manifest_runner.commands.setup.session import Session
from manifest_runner.commands.setup.target import report_moves
from manifest_runner.items.load import Loaded
from manifest_runner.launch.batches import PreparedBatch, make_batches, rebuilt_batch
from manifest_runner.launch.journal.journal import references
from manifest_runner.launch.journal.spool import Spool
from manifest_runner.launch.lease.in_flight import InFlight
from manifest_runner.model import NAME_KINDS, Item
from manifest_runner.names.api_keys import NO_UUID
from manifest_runner.names.checks.form_fields import sensitive_ids
from manifest_runner.planning.choices import Choices
from manifest_runner.planning.diff import without_values
from manifest_runner.planning.plan import Launch, Plan
from manifest_runner.planning.planner import Meant, make_plan

REPORT_EVERY = 1000


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
        names = session.loaded.pins.names.by_id(*NAME_KINDS)
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
