"""``abort``: end the analyses of a manifest that are still running, and record it.

It also works while a run holds the manifest: it asks ICA, and the run records the result.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.options import Target
from manifest_runner.commands.setup.session import Session, looking_session
from manifest_runner.commands.steps.aborting import abort_analysis
from manifest_runner.commands.steps.follow import lost_words
from manifest_runner.commands.steps.targets import check_launched
from manifest_runner.errors import ApprovalNeeded
from manifest_runner.launch.polling import Poller, analysis_done
from manifest_runner.lockfile.model import LockedItem, Lockfile
from manifest_runner.planning.choices import Choices
from manifest_runner.text import counted
from manifest_runner.timestamps import timestamp

if TYPE_CHECKING:  # what speaks HTTP is imported when something is sent
    from manifest_runner.ica.client import Client


class Aborted(msgspec.Struct):
    """``aborted`` are items whose analysis ICA was asked to abort, ``aborting`` those it was already aborting.

    Items in ``too_early`` have no analysis yet.
    """

    lockfile: Lockfile
    path: str
    aborted: list[str] = []
    aborting: list[str] = []
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
    with looking_session(path, target, context) as session, ExitStack() as stack:
        session.report_pending()
        items = session.lockfile.items
        chosen = [name for name in sorted(items) if choices.wants(name)]
        check_launched(items, choices)
        result = Aborted(session.lockfile, session.lockfile_at)
        if all(items[name].analysis_is_final for name in chosen):
            return result
        client = stack.enter_context(session.client(context.deadline(timeout)))
        try:
            _abort_chosen(session, client, chosen, approve, result)
        finally:
            session.finish()
        return result


def _abort_chosen(
    session: Session, client: Client, chosen: list[str], approve: Callable[[list[str]], bool], result: Aborted
) -> None:
    items = session.lockfile.items
    names = session.naming.names if session.loaded.document.stamp else ()
    poller = Poller(client, session.lockfile, analysis_done, names=names)
    poller.poll()
    if lost := set(poller.lost_items()).intersection(chosen):
        session.context.notify(lost_words(sorted(lost)))
    still_open = [name for name in chosen if not items[name].analysis_is_final and name not in lost]
    result.too_early = [name for name in still_open if items[name].analysis is None]
    result.aborting = [name for name in still_open if _is_aborting(items[name])]
    running = [name for name in still_open if items[name].analysis and name not in set(result.aborting)]
    if not running:
        return
    if not approve(running):
        analyses = counted(len(running), "analysis", "analyses")
        raise ApprovalNeeded(f"this would abort {analyses}; confirm with --yes. Nothing was aborted.")
    for name in running:
        analysis = items[name].analysis
        if analysis is not None and abort_analysis(client, analysis.id):
            at = timestamp(session.context.clock())
            items[name] = structs.replace(items[name], abort_requested_at=at)
            result.aborted.append(name)
    poller.poll()


def _is_aborting(item: LockedItem) -> bool:
    return item.analysis is not None and item.analysis.status == "ABORTING"
