"""``run``: launch what is due, follow it, write the lockfile. Nothing here prints or exits."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import structs

from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.options import RunOptions, Target
from manifest_runner.commands.steps.doubles_search import doubles_of_run
from manifest_runner.commands.steps.failed_items import FailedItem, failed_items
from manifest_runner.commands.steps.follow import follow, look
from manifest_runner.commands.steps.launching import launch_due, plan_run
from manifest_runner.commands.steps.obstacles import uncovered_words
from manifest_runner.commands.steps.open_run import OpenRun, open_run
from manifest_runner.commands.steps.sent import Sent
from manifest_runner.commands.steps.targets import check_targets
from manifest_runner.commands.steps.waves import Waves
from manifest_runner.diagnostics.finding import Finding, InvalidManifest
from manifest_runner.errors import ApprovalNeeded, NotCovered, RunnerError, UsageProblem
from manifest_runner.launch.doubles import Double, double_words
from manifest_runner.lockfile.model import Lockfile
from manifest_runner.manifest.check import load_document
from manifest_runner.manifest.yaml_file import read_manifest
from manifest_runner.planning.plan import Plan
from manifest_runner.text import counted

# Maximum number of duplicates listed in a message.
SHOWN = 5


class RunOutcome(msgspec.Struct):
    """What a run did. ``sent`` is what it launched, ``failures`` the manifest's failed items, new or old,
    ``doubles`` the launches that exist more than once, and ``waiting`` what has no room before others have ended."""

    plan: Plan
    lockfile: Lockfile
    path: str
    sent: Sent
    failures: list[FailedItem] = msgspec.field(default_factory=list)
    findings: list[Finding] = msgspec.field(default_factory=list)
    doubles: list[Double] = msgspec.field(default_factory=list)
    waiting: list[str] = msgspec.field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """1 if an item has failed, now or earlier, or was launched twice."""
        return int(bool(self.failures or self.doubles))

    @property
    def batches(self) -> int:
        return self.sent.batches

    @property
    def launched(self) -> list[str]:
        return [*self.sent.launched]

    @property
    def adopted(self) -> int:
        return self.sent.adopted

    @property
    def created(self) -> int:
        return sum(self.lockfile.items[each].status == "SUCCEEDED" for each in self.launched)

    @property
    def created_failed(self) -> int:
        return sum(self.lockfile.items[each].creation_failed for each in self.launched)


def run(path: Path, target: Target, options: RunOptions, context: Context) -> RunOutcome:
    """Launch what is due, follow it, write the lockfile. Raises RunnerError; what was launched is kept."""
    if options.retries and options.wait != "finished":
        raise UsageProblem("--retries needs --wait finished: only a run that waits sees what fails")
    if options.locked:  # launches nothing
        options = structs.replace(options, retries=0)
    with open_run(path, target, options, context) as run:
        return _run(run)


def check_manifests(paths: Iterable[Path], target: Target, context: Context) -> None:
    """Check the text of several manifests before the first of them launches anything. Raises all errors at once.

    Each run checks its own rows, since they may come from the results of the run before.
    """
    found: list[Finding] = []
    for path in paths:
        try:
            found += load_document(read_manifest(path), env=context.env, given_vars=target.given_vars).faults
        except InvalidManifest as e:
            found += e.findings
    if found:
        raise InvalidManifest(found)


def _run(run: OpenRun) -> RunOutcome:
    session, options = run.session, run.options
    plan = plan_run(run, options.choices)
    _check(run, plan)
    sent = Sent()
    waves = Waves(run, sent)
    try:
        if not options.no_refresh and look(run):
            plan = plan_run(run, options.choices)
            _check(run, plan)
        plan = launch_due(run, plan, sent, waves)
        _mark_removed(session.lockfile, plan)
        follow(run, options.wait, waves.go_on if options.wait == "finished" else lambda: 0)
        if options.outputs:
            _record_outputs(run, plan)
        doubles = doubles_of_run(run, sent.launched)
    except ApprovalNeeded as stop:
        raise ApprovalNeeded(f"{stop}{_doubles_message(run, sent)}") from stop
    finally:
        session.finish()
    failures = failed_items(session, plan, options.choices)
    findings = session.loaded.findings.all()
    return RunOutcome(plan, session.lockfile, session.lockfile_at, sent, failures, findings, doubles, waves.waiting)


def _doubles_message(run: OpenRun, sent: Sent) -> str:
    """A run that stops for approval also reports duplicates, unless the search for them fails."""
    try:
        doubles = doubles_of_run(run, sent.launched)
    except RunnerError:
        return ""
    if not doubles:
        return ""
    items = counted(len(doubles), "item was", "items were")
    shown = "; ".join(map(double_words, doubles[:SHOWN]))
    return f" In addition, {items} launched more than once: {shown}. `manifest-runner doubles` lists all of them."


def _record_outputs(run: OpenRun, plan: Plan) -> None:
    from manifest_runner.commands.outcomes.recorded_outputs import record_outputs

    record_outputs(run, [name for name in run.session.lockfile.items if name in plan.references])


def _check(run: OpenRun, plan: Plan) -> None:
    check_targets(plan.references, run.options.choices)
    if run.options.locked and (plan.due or not plan.is_covered):
        path = run.session.lockfile_at
        raise NotCovered(f"{path} does not cover the manifest: {uncovered_words(plan)}. Run without --locked.")


def _mark_removed(lockfile: Lockfile, plan: Plan) -> None:
    for reference, item in lockfile.items.items():
        is_removed = reference not in plan.references
        if item.removed != is_removed:
            lockfile.items[reference] = structs.replace(item, removed=is_removed)
