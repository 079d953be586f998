"""``outputs``: the outputs of analyses, asked for once and kept in the lockfile."""

from __future__ import annotations

from pathlib import Path

import msgspec

from manifest_runner.commands.outcomes.download import Downloaded, DownloadOptions, download
from manifest_runner.commands.outcomes.recorded_outputs import record_outputs
from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.options import RunOptions, Target
from manifest_runner.commands.steps.follow import look
from manifest_runner.commands.steps.open_run import open_look
from manifest_runner.commands.steps.targets import wanted_items
from manifest_runner.lockfile.model import LockedItem


class OutputsReport(msgspec.Struct, frozen=True):
    """``items`` have succeeded, by userReference; ``unfinished`` have not; ``downloaded`` is None without a folder."""

    items: dict[str, LockedItem]
    unfinished: tuple[str, ...]
    lockfile: str
    downloaded: Downloaded | None = None


def outputs(
    path: Path, target: Target, options: RunOptions, context: Context, into: DownloadOptions | None = None
) -> OutputsReport:
    """Ask for the outputs of each succeeded analysis that has none recorded, and fetch their files if asked to."""
    with open_look(path, target, options, context) as run:
        session = run.session
        try:
            session.report_pending()
            look(run)
            wanted = wanted_items(session.lockfile, options.choices)
            record_outputs(run, wanted)
        finally:
            session.finish()
        items = {name: session.lockfile.items[name] for name in wanted}
        done = {name: item for name, item in items.items() if item.succeeded}
        downloaded = None if into is None else download(run, done, into)
        unfinished = tuple(name for name in items if name not in done)
        return OutputsReport(done, unfinished, session.lockfile_at, downloaded)
