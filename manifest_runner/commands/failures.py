"""``failures``: why analyses failed, asked once and kept in the lockfile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from manifest_runner.commands.outcomes.output_files import MissingOutput
from manifest_runner.commands.outcomes.step_logs import ends_of_logs, fetch_logs
from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.options import RunOptions, Target
from manifest_runner.commands.steps.follow import look
from manifest_runner.commands.steps.open_run import OpenRun, open_look
from manifest_runner.commands.steps.targets import wanted_items
from manifest_runner.errors import Refused
from manifest_runner.lockfile.model import LockedFailure, LockedItem
from manifest_runner.report.failure_groups import FailureGroup, group_failures
from manifest_runner.text import plain_text
from manifest_runner.timestamps import moment_or_last

if TYPE_CHECKING:  # requests is imported only when something is sent
    from manifest_runner.ica.client import Client
    from manifest_runner.ica.outcome_model import Step

LONGEST_LINE = 500


class LogOptions(msgspec.Struct, frozen=True):
    """How many lines of the end of each log to show, and the folder that whole logs go to."""

    tail: int = 0
    folder: Path | None = None


class FailuresReport(msgspec.Struct, frozen=True):
    """The failed items, grouped. ``tails`` are ends of logs by userReference, ``missing`` the logs that are not
    available, and ``logs`` is the folder that the others were downloaded to.

    Of all ``launched`` items, ``accepted`` have a failure that was accepted. ``is_hidden``: there are failed analyses,
    and the credential may not see the steps of any of them.
    """

    groups: tuple[FailureGroup, ...]
    items: dict[str, LockedItem]
    tails: dict[str, tuple[str, ...]]
    missing: tuple[MissingOutput, ...]
    lockfile: str
    is_hidden: bool
    launched: int
    accepted: int
    logs: Path | None


class _Cause(msgspec.Struct, frozen=True):
    """The failed steps of an analysis, the first to fail first; None if the credential may not see them.

    ``is_known`` is false if ICA has no steps of the analysis: then the reason stays unknown.
    """

    steps: tuple[Step, ...] | None
    is_known: bool = True


def failures(path: Path, target: Target, options: RunOptions, context: Context, logs: LogOptions) -> FailuresReport:
    """Ask for the reasons of failed analyses that have none recorded, and fetch their logs if asked to."""
    with open_look(path, target, options, context) as run:
        session = run.session
        try:
            session.report_pending()
            look(run)
            wanted = wanted_items(session.lockfile, options.choices)
            failed = [name for name in wanted if session.lockfile.items[name].failure_counts]
            tails, missing, is_hidden = _explain(run, failed, logs)
        finally:
            session.finish()
        items = {name: session.lockfile.items[name] for name in failed}
        return FailuresReport(
            group_failures(items),
            items,
            tails,
            tuple(missing),
            session.lockfile_at,
            is_hidden,
            launched=len(wanted),
            accepted=sum(session.lockfile.items[name].failure_accepted for name in wanted),
            logs=logs.folder if failed and logs.folder and logs.folder.is_dir() else None,
        )


def _explain(
    run: OpenRun, failed: list[str], logs: LogOptions
) -> tuple[dict[str, tuple[str, ...]], list[MissingOutput], bool]:
    """Record why these items failed. Logs are asked for again only if they are to be shown or kept."""
    items = run.session.lockfile.items
    again = bool(logs.tail or logs.folder)
    asked = [name for name in failed if _has_steps(items[name]) and (again or items[name].failure is None)]
    if not asked:
        return {}, [], False
    causes: dict[str, _Cause] = {}
    refusal = _ask_causes(run, {name: items[name] for name in asked}, causes)
    seen = {name: cause.steps for name, cause in causes.items() if cause.steps is not None}
    texts = ends_of_logs(run, seen)
    for name, steps in seen.items():
        if items[name].failure is None and causes[name].is_known:
            items[name] = structs.replace(items[name], failure=_failure(steps, texts.get(name, ())))
    if refusal is not None:
        raise refusal
    missing = [] if logs.folder is None else fetch_logs(run, seen, logs.folder)
    tails = {name: lines[-logs.tail :] for name, lines in texts.items()} if logs.tail else {}
    return tails, missing, not seen


def _has_steps(item: LockedItem) -> bool:
    """An aborted analysis has no step that failed."""
    return not item.creation_failed and item.analysis is not None and item.analysis.status != "ABORTED"


def _ask_causes(run: OpenRun, items: Mapping[str, LockedItem], causes: dict[str, _Cause]) -> Refused | None:
    """Ask for the steps of each. Returns the first refusal; what the others say is kept all the same."""
    from manifest_runner.ica.parallel import each_in_parallel

    client, progress = run.client(), run.session.context.progress
    try:
        for name, cause in each_in_parallel(lambda name: _cause(client, items[name]), [*items]):
            causes[name] = cause
            progress("reasons", len(causes), len(items))
    except Refused as refused:
        return refused
    return None


def _cause(client: Client, item: LockedItem) -> _Cause:
    """Includes steps of the platform: an analysis may have failed in one of those alone."""
    from manifest_runner.ica.outcome_endpoints import list_steps
    from manifest_runner.ica.outcome_responses import read_steps

    assert item.analysis is not None
    try:
        steps = client.ask(list_steps(item.analysis.id), read_steps)
    except Refused as e:
        if e.status in (HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED):
            return _Cause(None)
        if e.status == HTTPStatus.NOT_FOUND:
            return _Cause((), is_known=False)
        raise
    failed = [step for step in steps if step.status == "FAILED"]
    return _Cause(tuple(sorted(failed, key=lambda step: (moment_or_last(step.end_date), step.technical))))


def _failure(steps: tuple[Step, ...], lines: Iterable[str]) -> LockedFailure:
    last = next((line for line in reversed([*lines]) if line.strip()), None)
    line = None if last is None else plain_text(last.strip(), LONGEST_LINE)
    return LockedFailure(steps[0].name, steps[0].exit_code, line) if steps else LockedFailure(None, None, line)
