"""``status``: bring the lockfile up to date from the API."""

from __future__ import annotations

from pathlib import Path

from manifest_runner.commands.context import Context
from manifest_runner.commands.follow import Watch, follow, look_once
from manifest_runner.commands.open_run import open_run
from manifest_runner.commands.options import RunOptions, Target
from manifest_runner.lockfile.model import Lockfile


def refresh(path: Path, target: Target, options: RunOptions, context: Context, watch: Watch | None = None) -> Lockfile:
    """The lockfile, brought up to date from the API with as few requests as that takes.

    With ``watch`` it goes on until every analysis has ended, and ``watch`` is shown each state.
    """
    with open_run(path, target, options, context) as run:
        session = run.session
        try:
            session.report_pending()
            if watch is None:
                look_once(run)
            else:
                follow(run, "finished", watch)
        finally:
            session.finish()
        return session.lockfile
