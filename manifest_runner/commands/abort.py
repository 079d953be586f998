"""``abort``: end the analyses of a manifest that are still running, and record it.

It also works while a run holds the manifest: it asks ICA, and the run records the result.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.open_session import looking_session
from manifest_runner.commands.setup.options import Target
from manifest_runner.commands.setup.session import Session
from manifest_runner.commands.steps.aborting import abort_each
from manifest_runner.commands.steps.targets import check_launched
from manifest_runner.errors import ApprovalNeeded
from manifest_runner.launch.following.gone import Gone, gone_words
from manifest_runner.launch.following.polling import Poller, analysis_done
from manifest_runner.launch.following.replaced import follow_replaced
from manifest_runner.launch.record import with_abort_request
from manifest_runner.lockfile.model import LockedItem, Lockfile
from manifest_runner.planning.choices import Choices
from manifest_runner.text import counted
from manifest_runner.timestamps import timestamp

if TYPE_CHECKING:  # requests is imported only when something is sent
    from manifest_runner.ica.client import Client


class Aborted(msgspec.Struct):
    """``aborted`` are items whose analysis ICA was asked to abort, ``aborting`` those it was already aborting.

    Items in ``too_early`` have no analysis yet. An item occurs once for each of its launches, replaced ones included.
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

    Updates statuses before and after. Raises RunnerError; ApprovalNeeded without approval.
    """
    with looking_session(path, target, context) as session, ExitStack() as stack:
        session.report_pending()
        items = session.lockfile.items
        chosen = [name for name in sorted(items) if choices.wants(name)]
        check_launched(items, choices)
        result = Aborted(session.lockfile, session.lockfile_at)
        if all(launch.analysis_is_final for name in chosen for launch in items[name].launches):
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
    gone = Gone()
    poller = Poller(client, session.lockfile, analysis_done, names=names, gone=gone)
    poller.poll()
    follow_replaced(client, session.lockfile, gone)
    if lost := set(poller.lost_items()).intersection(chosen):
        session.context.notify(gone_words(sorted(lost)))
    launches = [(name, launch) for name in chosen for launch in items[name].launches]
    still_open = [(name, each) for name, each in launches if not each.analysis_is_final and each not in gone]
    result.too_early = [name for name, launch in still_open if launch.analysis is None]
    result.aborting = [name for name, launch in still_open if _is_aborting(launch)]
    running = [(name, each.analysis.id) for name, each in still_open if each.analysis and not _is_aborting(each)]
    if not running:
        return
    if not approve([name for name, _ in running]):
        analyses = counted(len(running), "analysis", "analyses")
        raise ApprovalNeeded(f"this would abort {analyses}; confirm with --yes. Nothing was aborted.")
    by_id = {analysis_id: name for name, analysis_id in running}

    def record(analysis_id: str) -> None:
        name = by_id[analysis_id]
        items[name] = with_abort_request(items[name], analysis_id, timestamp(session.context.clock()))
        result.aborted.append(name)

    refused = abort_each(client, by_id, record)
    poller.poll()
    if refused is not None:
        raise refused


def _is_aborting(item: LockedItem) -> bool:
    return item.analysis is not None and item.analysis.status == "ABORTING"
