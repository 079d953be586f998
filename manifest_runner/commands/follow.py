"""Following what was launched until it is as far as was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from manifest_runner.commands.open_run import OpenRun
from manifest_runner.commands.options import WaitMode
from manifest_runner.errors import Unreachable
from manifest_runner.lockfile.model import Lockfile

if TYPE_CHECKING:  # requests is imported only when something is sent
    from manifest_runner.launch.polling import Poller

# An item is created a moment before the API shows its analysis; after so many polls it is left to ``status``.
PATIENCE_FOR_ANALYSES = 5

Watch = Callable[[Lockfile], None]


def follow(run: OpenRun, wait: WaitMode, watch: Watch = lambda _lockfile: None) -> None:
    """Poll until every launch is as far as ``wait`` says, once for "none"; ``watch`` is shown each state.

    Raises Unreachable when the time is over.
    """
    from manifest_runner.launch.polling import pauses

    poller = _poller(run, wait)
    if poller is None:
        return
    lockfile, context = run.session.lockfile, run.session.context
    for passes, pause in enumerate(pauses(run.options.poll_interval), 1):
        still_open = poller.poll()
        context.progress(wait, len(lockfile.items) - still_open, len(lockfile.items))
        watch(lockfile)
        if not still_open or wait == "none":
            return
        if wait == "created" and passes >= PATIENCE_FOR_ANALYSES and poller.is_created():
            return
        if run.deadline.left() <= 0:
            raise _too_late(run, wait, still_open)
        context.sleep(min(pause, run.deadline.left()))


def look_once(run: OpenRun) -> None:
    """Ask once for every launch that has not ended."""
    if (poller := _poller(run, "finished")) is not None:
        poller.poll()


def _poller(run: OpenRun, wait: WaitMode) -> Poller | None:
    """None where there is nothing to ask."""
    from manifest_runner.launch.polling import Poller, analysis_done, creation_done

    done = analysis_done if wait == "finished" else creation_done
    lockfile = run.session.lockfile
    if all(done(item) for item in lockfile.items.values()):
        return None
    return Poller(run.client(), lockfile, done, run.session.context.notify)


def _too_late(run: OpenRun, wait: WaitMode, still_open: int) -> Unreachable:
    return Unreachable(
        f"{still_open} item(s) are not {wait} after {run.options.timeout:g} s. What is known is in "
        f"{run.session.lockfile_at}; run the same command again to keep waiting."
    )
