"""``outputs``: what the analyses made, asked once and kept in the lockfile."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from manifest_runner.commands.outcomes.download import Downloaded, DownloadOptions, download
from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.options import RunOptions, Target
from manifest_runner.commands.steps.follow import look
from manifest_runner.commands.steps.open_run import OpenRun, open_run
from manifest_runner.errors import Refused, UsageProblem
from manifest_runner.lockfile.model import LockedItem, LockedOutput, Lockfile
from manifest_runner.planning.choices import Choices

if TYPE_CHECKING:  # requests is imported only when something is sent
    from manifest_runner.ica.client import Client
    from manifest_runner.ica.outcome_model import Output

# What was asked is not lost with the process: it is written so often.
SAVE_SECONDS = 60.0


class OutputsReport(msgspec.Struct, frozen=True):
    """``items`` have succeeded, by userReference; ``unfinished`` have not; ``downloaded`` is None without a folder."""

    items: dict[str, LockedItem]
    unfinished: tuple[str, ...]
    lockfile: str
    downloaded: Downloaded | None = None


def outputs(
    path: Path, target: Target, options: RunOptions, context: Context, into: DownloadOptions | None = None
) -> OutputsReport:
    """Ask for the outputs of each succeeded analysis that has none recorded, and fetch their files where wanted."""
    with open_run(path, target, options, context) as run:
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


def wanted_items(lockfile: Lockfile, choices: Choices) -> list[str]:
    """The items of the manifest that --target selects, sorted. Raises UsageProblem where it selects none."""
    found = sorted(name for name, item in lockfile.items.items() if not item.removed and choices.wants(name))
    if choices.targets and not found:
        raise UsageProblem(f"--target {' '.join(choices.targets)}: no launched item's userReference matches")
    return found


def record_outputs(run: OpenRun, wanted: Iterable[str]) -> None:
    """Keep the outputs of those among these items that succeeded and have none recorded."""
    from manifest_runner.ica.parallel import in_parallel

    session, items, context = run.session, run.session.lockfile.items, run.session.context
    names = [name for name in wanted if items[name].succeeded and items[name].outputs is None]
    if not names:
        return
    client, saved_at = run.client(), context.monotonic()
    for done, (name, found) in enumerate(in_parallel(lambda name: _ask(client, items[name]), names), 1):
        if found is None:
            context.notify(f"{name}: ICA no longer knows its analysis, so it has no outputs")
        else:
            items[name] = structs.replace(items[name], outputs=_locked(found, session.lockfile.project))
        context.progress("outputs", done, len(names))
        if context.monotonic() - saved_at > SAVE_SECONDS:
            session.save()
            saved_at = context.monotonic()


def _ask(client: Client, item: LockedItem) -> tuple[Output, ...] | None:
    """None where the analysis is gone."""
    from manifest_runner.ica.outcome_endpoints import list_outputs
    from manifest_runner.ica.outcome_responses import read_outputs

    assert item.analysis is not None
    try:
        return client.ask(list_outputs(item.analysis.id), read_outputs)
    except Refused as e:
        if e.status != HTTPStatus.NOT_FOUND:
            raise
        return None


def _locked(found: Iterable[Output], project: str) -> dict[str, tuple[LockedOutput, ...]]:
    locked: dict[str, tuple[LockedOutput, ...]] = {}
    for output in found:
        other = None if output.project == project else output.project
        data = tuple(LockedOutput(each.id, each.name, each.type, other) for each in output.data)
        locked[output.code] = locked.get(output.code, ()) + data
    return locked
