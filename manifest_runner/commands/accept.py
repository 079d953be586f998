"""``accept``: keep changed and failed items as they are, without launching them again. Offline."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import structs

from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.open_session import working_session
from manifest_runner.commands.setup.options import Target
from manifest_runner.commands.steps.due import plan_session
from manifest_runner.commands.steps.launching import apply_moves
from manifest_runner.commands.steps.obstacles import missing_names
from manifest_runner.commands.steps.targets import check_targets
from manifest_runner.lockfile.model import Lockfile
from manifest_runner.planning.choices import Choices
from manifest_runner.planning.plan import Plan


class Accepted(msgspec.Struct, frozen=True):
    """The userReferences of items that now count as unchanged, and of those whose failure no longer counts."""

    changed: list[str]
    failed: list[str]
    path: str


def accept(path: Path, target: Target, choices: Choices, context: Context) -> Accepted:
    """Record the chosen items' present digests as accepted. Raises RunnerError."""
    with working_session(path, target, context, "accept", launches=False) as session:
        session.report_pending()
        plan = plan_session(session, choices, 0, None)
        session.loaded.raise_errors()
        check_targets(plan.references, choices)
        if plan.undecided:
            raise missing_names(path, plan.undecided)
        apply_moves(session.lockfile, session.naming, plan)
        for reference in (*plan.changed, *plan.failed):
            _accept(session.lockfile, reference, plan)
        session.finish()
        return Accepted(plan.changed, plan.failed, session.lockfile_at)


def _accept(lockfile: Lockfile, reference: str, plan: Plan) -> None:
    item = lockfile.items[reference]
    lockfile.items[reference] = structs.replace(
        item, accepted=plan.present[reference], failure_accepted=item.failed, removed=False
    )
