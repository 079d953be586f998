"""``run``: launch what is due, follow it, write the lockfile. Nothing here prints or exits."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from manifest_runner.commands.due import (
    RunOptions,
    changed_words,
    check_targets,
    due_batches,
    plan_session,
    too_many_words,
    uncovered_words,
)
from manifest_runner.commands.session import Context, Session, Target, held_session
from manifest_runner.diagnostics.finding import Finding, Place
from manifest_runner.errors import ApprovalNeeded, NotCovered, Unreachable
from manifest_runner.launch.journal import references
from manifest_runner.launch.spool import open_spool
from manifest_runner.launch.submit import Submitter
from manifest_runner.lockfile.model import LockedItem, Lockfile
from manifest_runner.planning.identity import item_digester
from manifest_runner.planning.plan import Choices, Plan

if TYPE_CHECKING:  # what speaks HTTP is imported when something is to be said
    from manifest_runner.ica.client import Client
    from manifest_runner.launch.polling import Poller

# An item is created a moment before the API shows its analysis; after so many polls it is left to ``status``.
PATIENCE_FOR_ANALYSES = 5


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed item: what the API said, and the places of the manifest and the samplesheet that it came from."""

    user_reference: str
    message: str
    place: Place
    row: Place | None


@dataclass
class Outcome:
    """What a run did. ``launched`` are the items sent by it, ``failures`` the manifest's failed items, new or old."""

    plan: Plan
    lockfile: Lockfile
    path: Path
    batches: int = 0
    launched: list[str] = field(default_factory=list)
    adopted: int = 0
    failures: list[Failure] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def created(self) -> int:
        return sum(self.lockfile.items[each].status == "SUCCEEDED" for each in self.launched)

    @property
    def created_failed(self) -> int:
        return sum(self.lockfile.items[each].creation_failed for each in self.launched)


# -- commands


def run(path: Path, target: Target, options: RunOptions, context: Context) -> Outcome:
    """Launch what is due, follow it, write the lockfile. Raises RunnerError; what was launched is kept."""
    with held_session(path, target, context) as session, ExitStack() as stack:
        return _Run(session, options, stack).run()


def refresh(
    path: Path, target: Target, options: RunOptions, context: Context, watch: Callable[[Lockfile], None] | None = None
) -> Lockfile:
    """The lockfile, brought up to date from the API with as few requests as that takes.

    With ``watch`` it goes on until every analysis has ended, and ``watch`` is shown each state.
    """
    with held_session(path, target, context) as session, ExitStack() as stack:
        _Run(session, replace(options, wait="finished"), stack).refresh(watch)
        return session.lockfile


class _Run:
    """One run of one session, step by step."""

    def __init__(self, session: Session, options: RunOptions, stack: ExitStack) -> None:
        self._session = session
        self._options = options
        self._stack = stack
        self._spool = stack.enter_context(open_spool())
        self._deadline = session.context.deadline(options.timeout)

    def run(self) -> Outcome:
        session, options = self._session, self._options
        made = self._plan(options.choices)
        self._check(made)
        outcome = Outcome(made, session.lockfile, session.workspace.lockfile)
        outcome.findings = session.loaded.findings.all()
        try:
            self._launch(outcome)
            self._mark_removed(outcome.plan)
            self._wait()
        finally:
            session.finish()
        outcome.failures = self._failures(outcome.plan)
        return outcome

    def refresh(self, watch: Callable[[Lockfile], None] | None) -> None:
        session = self._session
        try:
            session.tell_of_pending()
            if watch is not None:
                self._wait(watch)
            elif (poller := self._poller()) is not None:
                poller.poll()
        finally:
            session.finish()

    # -- launching

    def _check(self, made: Plan) -> None:
        path = self._session.workspace.lockfile
        check_targets(made, self._options.choices)
        if self._options.locked and not made.is_covered:
            raise NotCovered(f"{path} does not cover the manifest: {uncovered_words(made)}. Run without --locked.")

    def _launch(self, outcome: Outcome) -> None:
        if self._session.journal.pending:
            self._settle(outcome)
        outcome.plan = self._approved(outcome.plan)
        if outcome.plan.launches:
            self._send(outcome)

    def _settle(self, outcome: Outcome) -> None:
        """Send again what a crash left without an answer, then plan anew with what is known now."""
        session = self._session
        settled, batches = references(session.journal.pending.values()), len(session.journal.pending)
        self._submitter.settle(self._options.adopt)
        session.save()
        outcome.plan = self._plan(self._options.choices)
        outcome.launched += sorted(each for each in settled if each in session.lockfile.items)
        outcome.batches += batches

    def _plan(self, choices: Choices) -> Plan:
        self._spool.clear()
        made = plan_session(self._session, choices, self._options.detail, self._spool)
        self._session.loaded.raise_errors(strict=self._options.strict)
        return made

    def _approved(self, made: Plan) -> Plan:
        """Nothing is sent, also not what is new, until a person has agreed to what is not a matter of course."""
        if made.unapproved:
            made = self._approved_changes(made)
        if too_many := too_many_words(made, self._options, self._session.loaded):
            raise ApprovalNeeded(f"{too_many} Nothing was sent.")
        return made

    def _approved_changes(self, made: Plan) -> Plan:
        approve = self._options.approve
        refusal = ApprovalNeeded(f"{changed_words(made)} `manifest-runner plan` shows what changed. Nothing was sent.")
        if approve is None:
            raise refusal
        agreed = self._plan(replace(self._options.choices, relaunch_changed=True))
        if not approve(agreed):
            raise refusal
        return agreed

    def _send(self, outcome: Outcome) -> None:
        session, loaded, options = self._session, self._session.loaded, self._options
        stamped, due = loaded.document.stamp, outcome.plan.launches
        if stamped:
            due = self._submitter.adopt(due, options.adopt)
            outcome.adopted = len(outcome.plan.launches) - len(due)
        total = -(-len(due) // options.batch_size_of(loaded))
        sent = 0
        batches = due_batches(replace(outcome.plan, launches=due), loaded, options, self._spool)
        for number, batch in enumerate(batches, 1):
            self._submitter.submit(batch, stamped=stamped)
            sent += len(batch.launches)
            outcome.batches += 1
            outcome.launched += [launch.user_reference for launch in batch.launches]
            session.context.progress("submitted", sent, len(due))
            session.context.notify(f"submitted batch {number} of {total}: {len(batch.launches)} item(s)")

    def _mark_removed(self, made: Plan) -> None:
        items = self._session.lockfile.items
        for reference, item in items.items():
            is_removed = reference not in made.references
            if item.removed != is_removed:
                items[reference] = structs.replace(item, removed=is_removed)

    # -- following

    def _wait(self, watch: Callable[[Lockfile], None] = lambda _lockfile: None) -> None:
        """Poll as long as was asked for. Raises Unreachable when the time is over."""
        from manifest_runner.launch.polling import pauses

        poller = self._poller()
        if poller is None:
            return
        wait, context = self._options.wait, self._session.context
        for passes, pause in enumerate(pauses(self._options.poll_interval), 1):
            still_open = poller.poll()
            total = len(self._session.lockfile.items)
            context.progress(wait, total - still_open, total)
            watch(self._session.lockfile)
            if not still_open or wait == "none":
                return
            if wait == "created" and passes >= PATIENCE_FOR_ANALYSES and poller.is_created():
                return
            if self._deadline.left() <= 0:
                raise Unreachable(
                    f"{still_open} item(s) are not {wait} after {self._options.timeout:g} s. What is known is in "
                    f"{self._session.workspace.lockfile}; run the same command again to go on waiting."
                )
            context.sleep(min(pause, self._deadline.left()))

    def _poller(self) -> Poller | None:
        from manifest_runner.launch.polling import Poller, analysis_done, creation_done

        done = analysis_done if self._options.wait == "finished" else creation_done
        lockfile = self._session.lockfile
        if all(done(item) for item in lockfile.items.values()):
            return None
        return Poller(self._client, lockfile, done, self._session.context.notify)

    @cached_property
    def _client(self) -> Client:
        return self._stack.enter_context(self._session.client(self._deadline))

    @cached_property
    def _submitter(self) -> Submitter:
        session, context = self._session, self._session.context
        digest = item_digester(session.lockfile.name, session.lockfile.project)
        return Submitter(
            client=self._client,
            journal=session.journal,
            lockfile=session.lockfile,
            save=session.save,
            clock=context.clock,
            sleep=context.sleep,
            notify=context.notify,
            deadline=self._deadline,
            key_window=self._options.key_window,
            poll_interval=self._options.poll_interval,
            redigest=lambda launch, attempt: digest(
                self._spool.fetch(launch.request), launch.kind, launch.revision, attempt
            ),
        )

    # -- what failed

    def _failures(self, made: Plan) -> list[Failure]:
        finished = self._options.wait == "finished"
        failed = {
            reference: _failure_words(item)
            for reference, item in self._session.lockfile.items.items()
            if reference in made.references and (item.creation_failed or (finished and item.analysis_failed))
        }
        if not failed:
            return []
        expansion = self._session.loaded.expansion
        places = {item.user_reference: expansion.place(item) for item in expansion.named(failed.keys())}
        return [Failure(name, failed[name], *places[name]) for name in places]


def _failure_words(item: LockedItem) -> str:
    if not item.creation_failed and item.analysis is not None:
        return f"its analysis ended as {item.analysis.status}"
    return item.message or "the API gives no reason"
