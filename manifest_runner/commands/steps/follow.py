"""Follow launches until they have reached the stage that the user waits for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from manifest_runner.commands.setup.options import WaitMode
from manifest_runner.commands.steps.open_run import OpenRun
from manifest_runner.errors import Refused, Unreachable
from manifest_runner.launch.following.gone import gone_words
from manifest_runner.text import counted

if TYPE_CHECKING:  # requests is imported only when something is sent
    from manifest_runner.launch.following.polling import IsDone, Poller

# An item is created a moment before the API shows its analysis; after this many polls it is left to ``status``.
PATIENCE_FOR_ANALYSES = 5
# The last poll is this many seconds before the end of --timeout, or less if that is short.
LAST_POLL = 1.0


def follow(run: OpenRun, wait: WaitMode, go_on: Callable[[], int] = lambda: 0) -> None:
    """Poll until every launch has reached the stage ``wait``; only once for "none". ``context.watch`` sees each state.

    With --target only those that it selects are waited for.
    ``go_on`` may launch more after each poll; it returns how many launches that was, or are still to come.
    Raises Unreachable when the time is over.
    """
    from manifest_runner.launch.following.polling import pauses

    poller = _poller(run, wait)
    if poller is None and not go_on():
        return
    poller = poller or _new_poller(run, wait)
    session, context = run.session, run.session.context
    last_poll = min(LAST_POLL, run.options.timeout / 10)
    for passes, pause in enumerate(pauses(run.options.poll_interval), 1):
        goes_on_elsewhere = session.is_run_elsewhere()  # asked first: what that run writes in the end is read then
        session.reread()
        poller.poll()
        is_open = [*filter(run.options.choices.wants, poller.open_items())]
        still_open = len(is_open) + go_on()
        context.watch(session.lockfile, still_open)
        if wait == "none":
            return
        if not (still_open or goes_on_elsewhere):
            _check_lost(run, poller)
            return
        if wait == "created" and passes >= PATIENCE_FOR_ANALYSES and poller.are_created(is_open):
            return
        left = run.deadline.left()
        if left <= last_poll:
            context.sleep(left)
            raise _too_late(run, wait, still_open)
        context.sleep(min(pause, left - last_poll))


def look(run: OpenRun, *, in_detail: bool = False) -> bool:
    """Ask once for every launch that has not ended; returns whether any is now known to have failed.

    ``in_detail`` also reads the progress of unfinished ones.
    """
    items = run.session.lockfile.items
    failed = sum(item.failed for item in items.values())
    if (poller := _poller(run, "finished", in_detail=in_detail)) is not None:
        poller.poll()
        if lost := poller.lost_items():
            run.session.context.notify(f"{gone_words(lost)}; the lockfile keeps what was last seen")
    replaced = (launch for item in items.values() for launch in item.previous)
    if not all(launch.analysis_is_final for launch in replaced):
        from manifest_runner.launch.following.replaced import look_at_replaced

        look_at_replaced(run.client(), run.session.lockfile, _stamped_names(run))
    return sum(item.failed for item in items.values()) > failed


def _poller(run: OpenRun, wait: WaitMode, *, in_detail: bool = True) -> Poller | None:
    """None if there is nothing to ask."""
    done, items = _done(wait), run.session.lockfile.items
    if all(done(item) for item in items.values()) and not run.session.is_run_elsewhere():
        return None
    return _new_poller(run, wait, in_detail=in_detail)


def _new_poller(run: OpenRun, wait: WaitMode, *, in_detail: bool = True) -> Poller:
    from manifest_runner.launch.following.polling import Poller

    names, lockfile = _stamped_names(run), run.session.lockfile
    return Poller(run.client(), lockfile, _done(wait), names=names, in_detail=in_detail, gone=run.gone)


def _stamped_names(run: OpenRun) -> Sequence[str]:
    return run.session.naming.names if run.session.loaded.document.stamp else ()


def _done(wait: WaitMode) -> IsDone:
    from manifest_runner.launch.following.polling import analysis_done, creation_done

    return analysis_done if wait == "finished" else creation_done


def _check_lost(run: OpenRun, poller: Poller) -> None:
    """Raise Refused if ICA no longer shows a chosen item of the manifest."""
    items, wants = run.session.lockfile.items, run.options.choices.wants
    if lost := [each for each in poller.lost_items() if wants(each) and not items[each].removed]:
        raise Refused(
            f"{gone_words(lost)}. How they ended is unknown; {run.session.lockfile_at} has what was last seen."
        )


def _too_late(run: OpenRun, wait: WaitMode, still_open: int) -> Unreachable:
    items = counted(still_open, "item is", "items are")
    return Unreachable(
        f"{items} not {wait} after {run.options.timeout:g} s. What is known is in "
        f"{run.session.lockfile_at}; run the same command again to keep waiting."
    )
