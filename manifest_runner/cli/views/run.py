"""The output of ``run``, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from manifest_runner.cli.console import FEW
from manifest_runner.cli.views.counts import count_states, states_line
from manifest_runner.cli.views.doubles import double_lines, doubles_document, next_step
from manifest_runner.cli.views.plan import plan_document
from manifest_runner.commands.run import RunOutcome
from manifest_runner.errors import RunnerError
from manifest_runner.lockfile.model import LockedItem
from manifest_runner.report.states import State
from manifest_runner.report.times import shown_duration
from manifest_runner.text import counted


class Ended(msgspec.Struct, frozen=True):
    """How the run of one manifest ended, and after how many seconds."""

    end: RunOutcome | RunnerError
    seconds: float

    @property
    def exit_code(self) -> int:
        return self.end.exit_code


def run_document(outcome: RunOutcome, seconds: float) -> dict[str, Any]:
    """The keys of ``plan --json`` for the plan that was run, what it launched, and how that ended."""
    states = count_states(_launched(outcome))
    return {
        **plan_document(outcome.plan, outcome.batches, waiting=outcome.waiting),
        # With what a crash left unanswered, and without what was adopted or waits until others have ended.
        "launches": outcome.launched,
        "created": outcome.created,
        "createdFailed": outcome.created_failed,
        "succeeded": states[State.SUCCEEDED],
        "failedAnalyses": states[State.ANALYSIS_FAILED] + states[State.ABORTED],
        "doubles": doubles_document(outcome.doubles),
        "seconds": round(seconds, 1),
        "lockfile": str(outcome.path),
    }


def run_lines(outcome: RunOutcome, seconds: float) -> list[str]:
    """Failed items, what was done and how it ended, and what to do next."""
    lines = [*failure_lines(outcome), *_renamed_line(outcome), *_done_lines(outcome, seconds)]
    if outcome.failures:
        lines.append(
            "next: `manifest-runner failures` shows why; fix the cause and run with --retry-failed to launch them "
            "again, or `accept` the failures"
        )
    if beyond := outcome.plan.beyond_limit:
        lines.append(f"next: {counted(beyond, 'item is', 'items are')} beyond --limit; run again to launch more")
    if outcome.waiting:
        waiting = counted(len(outcome.waiting), "more waits", "more wait")
        lines.append(f"next: {waiting} until others have ended (maxRunning); run again, or with --wait finished")
    if outcome.doubles:
        lines.append(next_step(outcome.doubles, "`manifest-runner doubles` with --abort"))
    return [*lines, f"lockfile: {outcome.path}"]


def failure_lines(outcome: RunOutcome) -> list[str]:
    """Failed items with the API's reason, and the places in the manifest and the samplesheet they came from."""
    lines = []
    for failure in outcome.failures[:FEW]:
        at = ", ".join(f"{place.file}:{place.line}" for place in (failure.place, failure.row) if place)
        lines.append(f"failed: {failure.user_reference}: {failure.message} ({at})")
    if len(outcome.failures) > FEW:
        lines.append(f"failed: … and {len(outcome.failures) - FEW:,} more; `manifest-runner report` lists all")
    return [*lines, *double_lines(outcome.doubles)]


def _renamed_line(outcome: RunOutcome) -> list[str]:
    count = len(outcome.plan.renamed)
    return [f"kept {counted(count, 'launch', 'launches')} under new names"] if count else []


def summary_lines(ended: Mapping[Path, Ended]) -> list[str]:
    """The summary of one manifest, or of several, each under its name."""
    lines: list[str] = []
    for manifest, each in ended.items():
        lines += [f"== {manifest}"] if len(ended) > 1 else []
        if isinstance(each.end, RunnerError):
            lines.append(f"stopped with exit code {each.exit_code}")
        else:
            lines += run_lines(each.end, each.seconds)
    return lines


def _done_lines(outcome: RunOutcome, seconds: float) -> list[str]:
    """What this run launched, and the state of all the manifest's items if there are more."""
    mine = _launched(outcome)
    everything = [*_present(outcome)]
    lines = []
    if mine or outcome.adopted:
        parts = [f"launched {len(mine):,} in {counted(outcome.batches, 'batch', 'batches')}"] if mine else []
        parts += [f"adopted {outcome.adopted:,}"] if outcome.adopted else []
        states = f": {states_line(count_states(mine))}" if mine else ""
        lines.append(f"{', '.join(parts)} in {shown_duration(seconds)}{states}")
    else:
        lines.append("nothing to launch")
    if len(everything) > len(mine):
        lines.append(f"{counted(len(everything), 'item')} in all: {states_line(count_states(everything))}")
    return lines


def _present(outcome: RunOutcome) -> Iterator[LockedItem]:
    """The items of the manifest. A failure that was accepted counts again if the item has changed since."""
    failed = {each.user_reference for each in outcome.failures}
    for reference, item in outcome.lockfile.items.items():
        if not item.removed:
            counts = item.failure_accepted and reference in failed
            yield msgspec.structs.replace(item, failure_accepted=False) if counts else item


def _launched(outcome: RunOutcome) -> list[LockedItem]:
    return [outcome.lockfile.items[each] for each in outcome.launched]
