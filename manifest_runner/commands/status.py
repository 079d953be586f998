"""``status``: update the lockfile from the API."""

from __future__ import annotations

from pathlib import Path

from msgspec import structs

from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.options import RunOptions, Target
from manifest_runner.commands.steps.follow import follow, look
from manifest_runner.commands.steps.open_run import OpenRun, open_look
from manifest_runner.commands.steps.targets import check_launched
from manifest_runner.lockfile.model import Lockfile
from manifest_runner.planning.choices import Choices
from manifest_runner.text import counted


def refresh(
    path: Path, target: Target, options: RunOptions, context: Context, *, is_watching: bool = False, usage: bool = False
) -> Lockfile:
    """The lockfile, updated from the API with as few requests as possible.

    With ``is_watching`` it continues until every analysis has ended, and ``context.watch`` sees each state. If another
    process holds the manifest, the lockfile is returned but not written: that process does so. With ``usage`` it also
    asks for the prices of analyses that have ended, once each.
    """
    with open_look(path, target, options, context) as run:
        session = run.session
        try:
            session.report_pending()
            if is_watching:
                follow(run, "finished")
            else:
                look(run, in_detail=True)
            if usage:
                _ask_for_prices(run)
        finally:
            session.finish()
        return session.lockfile


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
