"""After a launch, search for items that were launched twice because another run started at the same time."""

from __future__ import annotations

from collections.abc import Collection

from manifest_runner.commands.setup.session import Session
from manifest_runner.commands.steps.open_run import OpenRun
from manifest_runner.errors import Refused, Unreachable
from manifest_runner.launch.doubles import (
    Double,
    StampedAnalyses,
    all_visible,
    doubles_among,
    find_analyses,
    keep_oldest,
)
from manifest_runner.launch.following.polling import pauses
from manifest_runner.timestamps import seconds_of

# Within this time of a launch another run may have started without seeing it.
RECENT_SECONDS = 3600
# A server may show a new analysis to searches a little later; we wait this many seconds for our own.
MOST_LAG = 30.0


def doubles_of_run(run: OpenRun, launched: Collection[str]) -> list[Double]:
    """The duplicates that a run reports, if it launched something or the latest launch is less than an hour ago.

    A launch that somebody aborted as the newer of two is replaced by the older one. Where searches are refused, a run
    that needs none goes on without.
    """
    session = run.session
    if not session.loaded.document.stamp or not (launched or _launched_lately(session)):
        return []
    try:
        found = _found_when_visible(run, launched)
    except Refused as refused:
        if run.options.adopt != "never":
            raise
        session.context.notify(f"could not check whether an item was launched twice: {refused}")
        return []
    keep_oldest(session.lockfile, found)
    return doubles_among(found, session.lockfile)


def _launched_lately(session: Session) -> bool:
    now = session.context.clock()
    times = (seconds_of(batch.submitted_at) for batch in session.lockfile.batches.values())
    return any(time is not None and abs(now - time) < RECENT_SECONDS for time in times)


def _found_when_visible(run: OpenRun, launched: Collection[str]) -> StampedAnalyses:
    """The search, repeated for a while until it shows what this run launched: then it shows what came before, too.

    Under a lease nobody else launches meanwhile, so one search will do. A search that misses the deadline is ignored;
    only the first has to be answered.
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
