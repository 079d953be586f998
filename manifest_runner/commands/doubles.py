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

from manifest_runner.commands.abort import abort_analysis
from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.options import Target
from manifest_runner.commands.setup.session import Session, held_session
from manifest_runner.commands.steps.open_run import OpenRun
from manifest_runner.errors import ApprovalNeeded, Unreachable, UsageProblem
from manifest_runner.launch.doubles import (
    Double,
    StampedAnalyses,
    all_visible,
    doubles_among,
    find_analyses,
    keep_oldest,
    record_aborts,
)
from manifest_runner.launch.polling import pauses
from manifest_runner.timestamps import seconds_of, timestamp

if TYPE_CHECKING:  # requests is imported only when something is sent
    from manifest_runner.ica.client import Client

# Within this time of a launch another run may have started without seeing it.
RECENT_SECONDS = 3600
# A server may show a new analysis to searches a little later; that many seconds our own are waited for.
MOST_LAG = 30.0


class Doubles(msgspec.Struct, frozen=True):
    """``doubles`` are those that were found, ``aborted`` the ids of the analyses that were asked to end."""

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
    command = "" if approve is None else "doubles"
    with held_session(path, target, context, command, launches=False) as session, ExitStack() as stack:
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
                    f"{len(doubles)} launches exist more than once; confirm with --yes. Nothing was aborted."
                )
            aborted = _abort_newer(session, client, found, doubles)
        return Doubles(doubles, aborted, session.lockfile_at)


def _abort_newer(session: Session, client: Client, found: StampedAnalyses, doubles: list[Double]) -> list[str]:
    """The lockfile has the oldest before anything is aborted: a crash in between leaves a double, not a lost launch."""
    newer = [analysis.id for double in doubles for analysis in double.analyses[1:]]
    keep_oldest(session.lockfile, found, set(newer))
    session.save()
    aborted = [analysis_id for analysis_id in newer if abort_analysis(client, analysis_id)]
    record_aborts(session.lockfile, doubles, set(aborted), timestamp(session.context.clock()))
    session.save()
    return aborted


def doubles_of_run(run: OpenRun, launched: list[str]) -> list[Double]:
    """What a run has to report: after a launch, and within an hour of one, launches that exist more than once.

    A launch that somebody aborted as the newer of two is replaced by the older one.
    """
    session = run.session
    if not session.loaded.document.stamp or not (launched or _launched_lately(session)):
        return []
    found = _found_when_visible(run, launched)
    keep_oldest(session.lockfile, found)
    return doubles_among(found, session.lockfile)


def _launched_lately(session: Session) -> bool:
    now = session.context.clock()
    times = (seconds_of(batch.submitted_at) for batch in session.lockfile.batches.values())
    return any(time is not None and abs(now - time) < RECENT_SECONDS for time in times)


def _found_when_visible(run: OpenRun, launched: list[str]) -> StampedAnalyses:
    """The search, repeated for a while until it shows what this run launched: then it shows what came before, too.

    Under a lease nobody else launches meanwhile, so one search will do. One that comes too late for the deadline
    counts as none; only the first has to be answered.
    """
    client, names = run.client(), run.session.naming.names
    found, waited = find_analyses(client, names), 0.0
    is_enough = run.session.leases.own is not None or run.options.wait == "none"
    for pause in pauses(run.options.poll_interval):
        if is_enough or all_visible(found, run.session.lockfile, launched):
            break
        if waited + pause > MOST_LAG or run.deadline.left() <= pause:
            break
        if not waited:
            run.session.context.notify("waiting until searches show what was launched, to see whether it exists twice")
        run.session.context.sleep(pause)
        waited += pause
        try:
            found = find_analyses(client, names)
        except Unreachable:
            break
    return found
