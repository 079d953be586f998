"""``doubles``: find launches that exist more than once, and abort all but the oldest of each.

With ``--abort`` the process can die at these points, and the next ``doubles --abort`` does this:

=====  =====================================  =========================================================================
point  died …                                 the next one …
=====  =====================================  =========================================================================
1      before the lockfile is written         finds what this one found
2      after that, before the first abort     finds the same doubles; the lockfile has the oldest of each already
3      between two aborts                     aborts those that are left; an abort that shows no effect yet is repeated,
                                              which does no harm
4      after the aborts, before the lockfile  finds no doubles, or repeats the aborts; ``abortRequestedAt`` is then
       is written again                       missing or later
=====  =====================================  =========================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.open_session import looking_session, working_session
from manifest_runner.commands.setup.options import Target
from manifest_runner.commands.setup.session import Session
from manifest_runner.commands.steps.aborting import abort_each
from manifest_runner.errors import ApprovalNeeded, UsageProblem
from manifest_runner.launch.doubles import (
    Double,
    StampedAnalyses,
    doubles_among,
    find_analyses,
    keep_oldest,
    record_aborts,
)
from manifest_runner.text import counted
from manifest_runner.timestamps import timestamp

if TYPE_CHECKING:  # requests is imported only when something is sent
    from manifest_runner.ica.client import Client


class Doubles(msgspec.Struct, frozen=True):
    """``doubles`` are the duplicates found, ``aborted`` the ids of the analyses that ICA was asked to abort."""

    doubles: list[Double]
    aborted: list[str]
    path: str

    @property
    def left(self) -> int:
        """How many analyses still exist beside the oldest of each."""
        return sum(len(double.analyses) - 1 for double in self.doubles) - len(self.aborted)


def find_doubles(
    path: Path,
    target: Target,
    timeout: float,
    context: Context,
    approve: Callable[[list[Double]], bool] | None = None,
) -> Doubles:
    """Find launches that exist more than once; with ``approve``, abort all but the oldest of each if it agrees.

    Raises RunnerError; ApprovalNeeded without approval.
    """
    opening = (
        looking_session(path, target, context)
        if approve is None
        else working_session(path, target, context, "doubles", launches=False)
    )
    with opening as session, ExitStack() as stack:
        if not session.loaded.document.stamp:
            raise UsageProblem(
                f"{path}: launched with `stamp: false`, so ICA does not show which launches are the same"
            )
        client = stack.enter_context(session.client(context.deadline(timeout)))
        found = find_analyses(client, session.naming.names)
        doubles = doubles_among(found, session.lockfile)
        aborted: list[str] = []
        if approve is not None:
            if doubles and not approve(doubles):
                raise ApprovalNeeded(
                    f"{counted(len(doubles), 'item was', 'items were')} launched more than once; confirm with --yes. "
                    "Nothing was aborted."
                )
            aborted = _abort_newer(session, client, found, doubles)
        return Doubles(doubles, aborted, session.lockfile_at)


def _abort_newer(session: Session, client: Client, found: StampedAnalyses, doubles: list[Double]) -> list[str]:
    """The lockfile has the oldest before anything is aborted: a crash in between leaves a double, not a lost launch."""
    newer = [analysis.id for double in doubles for analysis in double.analyses[1:]]
    keep_oldest(session.lockfile, found, set(newer))
    session.save()
    aborted: list[str] = []
    refused = abort_each(client, newer, aborted.append)
    record_aborts(session.lockfile, doubles, set(aborted), timestamp(session.context.clock()))
    session.save()
    if refused is not None:
        raise refused
    return aborted
