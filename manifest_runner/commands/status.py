"""``status``: update the lockfile from the API."""

from __future__ import annotations

from pathlib import Path

from msgspec import structs

from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.open_session import looking_session
from manifest_runner.commands.setup.options import RunOptions, Target
from manifest_runner.commands.setup.state import READING
from manifest_runner.commands.steps.follow import follow, look
from manifest_runner.commands.steps.open_run import OpenRun, open_look, open_watch
from manifest_runner.commands.steps.targets import check_launched
from manifest_runner.launch.record import take_seen
from manifest_runner.lockfile.model import Lockfile
from manifest_runner.planning.choices import Choices
from manifest_runner.text import counted


def refresh(
    path: Path, target: Target, options: RunOptions, context: Context, *, is_watching: bool = False, usage: bool = False
) -> Lockfile:
    """The lockfile, updated from the API with as few requests as possible.

    With ``is_watching`` it first follows them until every analysis has ended, and ``context.watch`` sees each state. If
    another process holds the manifest, the lockfile is returned but not written: that process does so. With ``usage``
    it also asks for the prices of analyses that have ended, once each.
    """
    if is_watching:
        _watch(path, target, options, context)
    with open_look(path, target, options, context) as run:
        session = run.session
        try:
            session.report_pending()
            if not is_watching:
                look(run, in_detail=True)
            if usage:
                _ask_for_prices(run)
        finally:
            session.finish()
        return session.lockfile


def _watch(path: Path, target: Target, options: RunOptions, context: Context) -> None:
    """Follow the launches beside any run, and record in the end what was seen, also after ^C or a timeout."""
    with open_watch(path, target, options, context) as watch:
        try:
            follow(watch, "finished")
        finally:
            with looking_session(path, target, context, patience=min(READING, options.timeout)) as session:
                take_seen(session.lockfile, watch.session.lockfile)
                session.finish()


def chosen_items(lockfile: Lockfile, choices: Choices, *, only_failed: bool) -> Lockfile:
    """The lockfile with these items alone. Raises UsageProblem if there are launched items, and none is wanted."""
    if lockfile.items:
        check_launched(lockfile.items, choices)
    items = {
        reference: item
        for reference, item in lockfile.items.items()
        if choices.wants(reference) and (not only_failed or item.failure_counts)
    }
    return structs.replace(lockfile, items=items)


def _ask_for_prices(run: OpenRun) -> None:
    from manifest_runner.commands.outcomes.prices import record_prices

    if waiting := record_prices(run, run.session.lockfile.items):
        run.session.context.notify(f"{counted(waiting, 'price is', 'prices are')} not known yet; ask again later")
