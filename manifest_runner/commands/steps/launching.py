"""Launch what is due: settle what a crash left, get approval, adopt what exists, send the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from msgspec import structs

from manifest_runner.commands.steps.due import plan_session
from manifest_runner.commands.steps.name_lookup import check_due, resolve_due
from manifest_runner.commands.steps.obstacles import (
    changed_message,
    launch_limit_message,
    missing_names,
    renamed_message,
)
from manifest_runner.commands.steps.open_run import OpenRun
from manifest_runner.commands.steps.sent import Sent
from manifest_runner.commands.steps.waves import Waves
from manifest_runner.errors import ApprovalNeeded, Refused, RunnerError
from manifest_runner.ica.model import Batch
from manifest_runner.launch.following.gone import is_gone, is_hidden
from manifest_runner.launch.journal.journal import references
from manifest_runner.launch.recovery import settle
from manifest_runner.lockfile.model import EMULATOR_SERVER, Lockfile
from manifest_runner.model import Name
from manifest_runner.planning.choices import Choices
from manifest_runner.planning.identity import plan_digest
from manifest_runner.planning.known_digests import Naming
from manifest_runner.planning.plan import Plan
from manifest_runner.text import counted

T = TypeVar("T")


def plan_run(run: OpenRun, choices: Choices) -> Plan:
    """The plan, with the requests of due items in the spool. Raises InvalidManifest."""
    run.spool.clear()
    plan = plan_session(run.session, _within_limit(run, choices), run.options.detail, run.spool)
    run.session.loaded.raise_errors(strict=run.options.strict)
    return plan


def _within_limit(run: OpenRun, choices: Choices) -> Choices:
    """What a crash left of --limit: with --expect, what was sent under that plan is a part of it."""
    if choices.limit is None or run.options.expect is None:
        return choices
    sent = run.session.lockfile.sent_under(run.options.expect)
    return structs.replace(choices, limit=max(0, choices.limit - len(sent)))


def launch_due(run: OpenRun, plan: Plan, sent: Sent, waves: Waves) -> Plan:
    """Launch due items, as far as there is room, once they are approved; updates ``sent``.

    Returns the plan in effect.
    """
    looked_up = len(plan.unresolved)
    if run.session.unseen.batches:
        plan = _read_unseen(run, plan)
    if run.session.journal.pending:
        plan = _settle(run, sent)
    looked_up = max(looked_up, len(plan.unresolved))
    plan = resolve_due(run, plan, lambda: plan_run(run, run.options.choices))
    plan = _approved(run, plan)
    check_due(run, plan)
    _check_expected(run, plan, looked_up)
    apply_moves(run.session.lockfile, run.session.naming, plan)
    sent.rename(plan.renamed)
    waves.begin(plan)
    return plan


def _read_unseen(run: OpenRun, plan: Plan) -> Plan:
    """Read the batches whose items earlier holders of the lease had not all seen into the lockfile, then plan again.

    Names in these items are looked up, due or not: without them no digest is recognised.
    """
    session = run.session
    batches = counted(len(session.unseen.batches), "batch", "batches")
    session.context.notify(f"reading {batches} of the run that held the lease before")
    shown = [batch for each in session.unseen.batches if (batch := _shown_batch(run, each)) is not None]
    if undecided := _take_unseen(run, shown):
        again = partial(plan_run, run, run.options.choices)
        resolve_due(run, structs.replace(plan, unresolved=undecided), again)
        if undecided := _take_unseen(run, shown):
            raise missing_names(session.workspace.manifest, undecided)
    session.save()
    return plan_run(run, run.options.choices)


def _take_unseen(run: OpenRun, shown: Sequence[Batch]) -> set[Name]:
    """Take these batches as soon as they list all of their items: a list may show new ones a moment later."""
    from manifest_runner.commands.steps.importer import PartlyListed, take_batches

    sizes = {} if run.options.adopt == "now" else run.session.unseen.batches
    return _patiently(
        run,
        lambda: take_batches(run.session, run.client(), shown, sizes),
        lambda error: isinstance(error, PartlyListed),
    )


def _shown_batch(run: OpenRun, batch_id: str) -> Batch | None:
    """None if ICA does not show it to this credential, and its analyses can be searched for instead.

    One that was just sent may be shown a moment later.
    """
    is_searched = run.session.loaded.document.stamp and run.options.adopt != "never"

    def is_early(error: RunnerError) -> bool:
        is_missing = isinstance(error, Refused) and is_gone(error)
        return is_missing and is_searched and run.options.adopt == "wait" and run.session.unseen.are_young

    try:
        return _patiently(run, lambda: run.client().get_batch(batch_id), is_early)
    except Refused as refused:
        if not (is_hidden(refused) and is_searched) or is_early(refused):
            raise
        run.session.context.notify(f"ICA does not show batch {batch_id}, so its analyses are searched for: {refused}")
        return None


def _patiently(run: OpenRun, ask: Callable[[], T], is_early: Callable[[RunnerError], bool]) -> T:
    """What ``ask`` returns; asked again, until --timeout, while its error is one of those that ``is_early`` knows."""
    from manifest_runner.launch.following.polling import pauses

    for pause in pauses(run.options.poll_interval):
        try:
            return ask()
        except RunnerError as error:
            if not is_early(error) or run.deadline.left() <= pause:
                raise
        run.session.context.sleep(pause)
    raise AssertionError("the pauses never end")


def _settle(run: OpenRun, sent: Sent) -> Plan:
    """Repeat requests that a crash left without an answer, then plan again with their results."""
    session = run.session
    settled, batches = references(session.journal.pending.values()), len(session.journal.pending)
    settle(run.launch_environment(), run.options.adopt)
    session.save()
    sent.add_batches(batches, sorted(each for each in settled if each in session.lockfile.items))
    return plan_run(run, run.options.choices)


def _approved(run: OpenRun, plan: Plan) -> Plan:
    """Nothing is sent, not even what is new, until the changes, renames and number of launches are approved."""
    if plan.guarded and not run.options.launch_renamed:
        raise ApprovalNeeded(f"{renamed_message(plan)} Nothing was sent.")
    if plan.unapproved:
        plan = _approved_changes(run, plan)
    if too_many := launch_limit_message(plan, run.options, run.session.loaded):
        raise ApprovalNeeded(f"{too_many} Nothing was sent.")
    return plan


def _approved_changes(run: OpenRun, plan: Plan) -> Plan:
    approve, session = run.options.approve, run.session
    is_trial = session.lockfile.server == EMULATOR_SERVER
    words = changed_message(plan, session.workspace.manifest, is_trial=is_trial)
    refusal = ApprovalNeeded(f"{words} Nothing was sent.")
    if approve is None:
        raise refusal
    agreed = plan_run(run, structs.replace(run.options.choices, relaunch_changed=True))
    if not approve(agreed):
        raise refusal
    return agreed


def _check_expected(run: OpenRun, plan: Plan, looked_up: int) -> None:
    """The plan must be the one that was expected, or the rest of it, after a crash.

    ``looked_up`` is how many names this run had to look up: a plan that did not know their ids has another digest.
    """
    expected = run.options.expect
    if expected is None or not plan.launches:
        return
    sent = run.session.lockfile.sent_under(expected)
    found = plan_digest([*(launch.digest for launch in plan.launches), *sent])
    if found != expected:
        names = f", since this run looked up {counted(looked_up, 'name')} first" if looked_up else ""
        raise ApprovalNeeded(
            f"the plan is not the one of --expect {expected}: its digest is now {found}{names}. `manifest-runner plan` "
            "shows what would be launched; review it, then give its digest. Nothing was sent."
        )


def apply_moves(lockfile: Lockfile, naming: Naming, plan: Plan) -> None:
    """Keep the launches of renamed items under their new names. Doing it twice changes nothing."""
    for old in plan.renamed.values():
        lockfile.items.pop(old, None)
    lockfile.items.update(plan.moved)
    lockfile.name = naming.name
