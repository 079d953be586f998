"""``abort``: end the analyses of a manifest that are still running, and record it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from manifest_runner.commands.context import Context
from manifest_runner.commands.options import Target
from manifest_runner.commands.session import held_session
from manifest_runner.errors import ApprovalNeeded, Refused, UsageProblem
from manifest_runner.launch.polling import Poller, analysis_done
from manifest_runner.lockfile.model import LockedItem, Lockfile
from manifest_runner.model import FINAL_ANALYSIS
from manifest_runner.planning.choices import Choices

if TYPE_CHECKING:  # what speaks HTTP is imported when something is to be said
    from manifest_runner.ica.client import Client


class Aborted(msgspec.Struct):
    """``aborted`` are the items whose analysis was asked to end; those in ``too_early`` have no analysis yet."""

    lockfile: Lockfile
    path: str
    aborted: list[str] = []
    too_early: list[str] = []


def abort(
    path: Path,
    target: Target,
    choices: Choices,
    timeout: float,
    context: Context,
    approve: Callable[[list[str]], bool],
) -> Aborted:
    """Ask the API to abort every chosen analysis that is still running, once ``approve`` agrees to the list.

    Statuses are brought up to date before and after. Raises RunnerError; ApprovalNeeded without approval.
    """
    from manifest_runner.timestamps import timestamp

    with held_session(path, target, context) as session, ExitStack() as stack:
        session.report_pending()
        items = session.lockfile.items
        chosen = [name for name in sorted(items) if choices.wants(name)]
        if choices.targets and not chosen:
            raise UsageProblem(f"--target {' '.join(choices.targets)}: no launched item's userReference matches")
        result = Aborted(session.lockfile, session.lockfile_at)
        if all(items[name].analysis_is_final for name in chosen):
            return result
        client = stack.enter_context(session.client(context.deadline(timeout)))
        poller = Poller(client, session.lockfile, analysis_done)
        try:
            poller.poll()
            running = [name for name in chosen if _is_running(items[name])]
            result.too_early = [
                name for name in chosen if items[name].analysis is None and not items[name].analysis_is_final
            ]
            if running and not approve(running):
                raise ApprovalNeeded(
                    f"{len(running)} analyses would be aborted; confirm with --yes. Nothing was aborted."
                )
            for name in running:
                analysis = items[name].analysis
                if analysis is not None and _abort(client, analysis.id):
                    items[name] = structs.replace(items[name], abort_requested_at=timestamp(context.clock()))
                    result.aborted.append(name)
            if running:
                poller.poll()
        finally:
            session.finish()
        return result


def _abort(client: Client, analysis_id: str) -> bool:
    """Whether there was anything to abort: ICA refuses for an analysis that has ended since it was last read."""
    try:
        client.abort_analysis(analysis_id)
    except Refused:
        if client.get_analysis(analysis_id).status not in FINAL_ANALYSIS:
            raise
        return False
    return True


def _is_running(item: LockedItem) -> bool:
    return item.analysis is not None and not item.analysis_is_final
