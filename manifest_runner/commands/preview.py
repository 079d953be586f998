"""``plan`` and ``render``: what a run would do, without the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from msgspec import structs

from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.open_session import read_session
from manifest_runner.commands.setup.options import RunOptions, Target
from manifest_runner.commands.setup.target import load_target
from manifest_runner.commands.steps.due import due_batches, plan_session
from manifest_runner.commands.steps.obstacles import launch_limit_message
from manifest_runner.commands.steps.targets import check_targets
from manifest_runner.diagnostics.finding import Finding
from manifest_runner.launch.batches import PreparedBatch
from manifest_runner.launch.journal.spool import open_spool
from manifest_runner.launch.max_running import room_for
from manifest_runner.lockfile.model import Lockfile
from manifest_runner.planning.estimate import Estimate, estimate
from manifest_runner.planning.plan import Plan
from manifest_runner.planning.planner import make_plan
from manifest_runner.signed_urls import mask_json


class Preview(msgspec.Struct, frozen=True):
    """What ``run`` would do, how many batches it would send, and the warnings.

    ``rows`` were read, and ``where`` left out ``left_out`` of them. ``waiting`` is due, too, but there is no room
    for it until others end; ``cost`` covers everything due, None if no price is known.
    """

    plan: Plan
    batches: int
    findings: list[Finding]
    too_many: bool = False
    rows: int = 0
    left_out: int = 0
    waiting: list[str] = msgspec.field(default_factory=list)
    cost: Estimate | None = None


def plan(path: Path, target: Target, options: RunOptions, context: Context, *, launches: bool = True) -> Preview:
    """What ``run`` would do. Writes nothing. ``launches`` is as in `make_plan`.

    Notifies ``context`` if more is due than one run may launch.
    """
    session = read_session(path, target, context, no_check=options.no_check)
    made = plan_session(session, options.choices, options.detail, None, launches=launches)
    session.loaded.raise_errors(strict=options.strict)
    check_targets(made.references, options.choices)
    too_many = launch_limit_message(made, options, session.loaded)
    if too_many:
        context.notify(f"run would stop: {too_many}")
    size = options.batch_size_of(session.loaded)
    waiting = made.due[room_for(session.lockfile, session.loaded.document.max_running) :]
    return Preview(
        made,
        batches=-(-(len(made.due) - len(waiting)) // size),
        findings=session.loaded.findings.all(),
        too_many=bool(too_many),
        rows=session.loaded.stream.rows_read,
        left_out=session.loaded.stream.rows_left_out,
        waiting=waiting,
        cost=estimate(session.lockfile, len(made.due)),
    )


def render(
    path: Path,
    target: Target,
    options: RunOptions,
    context: Context,
    warn: Callable[[list[Finding]], object] = lambda _findings: None,
) -> Iterator[PreparedBatch]:
    """The batches that ``run`` would POST for a new lockfile, one at a time, once all of the manifest is checked.

    Signatures in URLs are masked. ``warn`` is given the warnings before the first batch.
    """
    loaded = load_target(path, target, context, report_unresolved=True)
    if options.no_check:
        loaded = loaded.without_checks()
    empty = Lockfile(loaded.document.name, loaded.project, "")
    with open_spool() as spool:
        made = make_plan(loaded.stream.items(), empty, options.choices, keep=spool.keep)
        loaded.raise_errors(strict=options.strict)
        warn(loaded.findings.all())
        for batch in due_batches(made.launches, loaded, options, spool):
            yield structs.replace(batch, body=mask_json(batch.body))
