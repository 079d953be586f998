"""What each command shows, as lines and as JSON; printing is the console's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manifest_runner.errors import RunnerError

if TYPE_CHECKING:
    from manifest_runner.commands.run import Outcome
    from manifest_runner.planning.plan import Plan

STATES = ("new", "changed", "unchanged", "failed", "removed", "pending")
_MARKS = {"new": "+", "changed": "~", "unchanged": "=", "failed": "!", "removed": "-", "pending": "?"}
_CHANGES_SHOWN = 20


# Of a long list so many are shown, unless all are asked for.
FEW = 10


def plan_document(plan: Plan, batches: int) -> dict[str, Any]:
    return {**{state: getattr(plan, state) for state in STATES}, "batches": batches}


def plan_lines(plan: Plan, batches: int, *, verbose: bool) -> list[str]:
    """The items, a line of totals, and what a person has to know before the next run."""
    totals = f"{_totals(plan)}; {len(plan.due):,} to launch in {batches:,} batch(es)"
    return [*item_lines(plan, verbose=verbose), totals, *_next_lines(plan)]


def item_lines(plan: Plan, *, verbose: bool) -> list[str]:
    """Groups of items with the first few of each, and what changed in the changed ones."""
    lines: list[str] = []
    for state in STATES:
        references = getattr(plan, state)
        shown = references if verbose else references[: 0 if state == "unchanged" else FEW]
        for reference in shown:
            lines.append(f"{_MARKS[state]} {reference}")
            lines += _change_lines(plan, reference, verbose=verbose) if state == "changed" else ()
        if len(shown) < len(references) and shown:
            lines.append(f"{_MARKS[state]} … and {len(references) - len(shown):,} more {state} (--verbose shows all)")
    return lines


def abort_lines(running: list[str], *, verbose: bool) -> list[str]:
    """The first few of what is about to be aborted."""
    shown = running if verbose else running[:FEW]
    more = [f"x … and {len(running) - len(shown):,} more (--verbose shows all)"] if len(shown) < len(running) else []
    return [*(f"x {reference}" for reference in shown), *more]


def _next_lines(plan: Plan) -> list[str]:
    due = set(plan.due) if plan.failed else ()
    failed = sum(reference not in due for reference in plan.failed)
    lines = []
    if plan.pending:
        lines.append(f"next: {len(plan.pending):,} were sent without an answer; a run settles them first")
    if plan.unapproved:
        lines.append(
            f"next: {len(plan.unapproved):,} changed; until that is approved a run launches nothing: "
            "--relaunch-changed, or raise `revision`"
        )
    if failed:
        lines.append(f"next: {failed:,} failed; --retry-failed launches those again")
    return lines


def _change_lines(plan: Plan, reference: str, *, verbose: bool) -> list[str]:
    found = plan.changes.get(reference)
    if found is None:
        return ["    (what was launched is not known in detail)"]
    shown = found if verbose else found[:_CHANGES_SHOWN]
    more = [f"    … and {len(found) - len(shown)} more"] if len(found) > len(shown) else []
    return [*(f"    {change}" for change in shown), *more]


def _totals(plan: Plan) -> str:
    return ", ".join(f"{len(getattr(plan, state)):,} {state}" for state in STATES)


def run_document(outcome: Outcome) -> dict[str, Any]:
    return {
        **plan_document(outcome.plan, outcome.batches),
        "created": outcome.created,
        "createdFailed": outcome.created_failed,
        "lockfile": str(outcome.path),
    }


def run_lines(outcome: Outcome) -> list[str]:
    """Failed items, what was done, and what to do next."""
    lines = [*failure_lines(outcome), _done_line(outcome)]
    if outcome.failures:
        lines.append(
            "next: mend the cause, then run with --retry-failed: it launches them again, as the manifest then has them"
        )
    return [*lines, f"lockfile: {outcome.path}"]


def failure_lines(outcome: Outcome) -> list[str]:
    """Failed items with the API's words, and the places of the manifest and the samplesheet that they came from."""
    lines = []
    for failure in outcome.failures[:FEW]:
        at = ", ".join(f"{place.file}:{place.line}" for place in (failure.place, failure.row) if place)
        lines.append(f"failed: {failure.user_reference}: {failure.message} ({at})")
    if len(outcome.failures) > FEW:
        lines.append(f"failed: … and {len(outcome.failures) - FEW:,} more; `manifest-runner report` lists all")
    return lines


def summary_lines(ended: Mapping[Path, Outcome | RunnerError]) -> list[str]:
    """The summary of one manifest, or of several, each under its name."""
    lines: list[str] = []
    for manifest, end in ended.items():
        lines += [f"== {manifest}"] if len(ended) > 1 else []
        lines += [f"stopped with exit code {end.exit_code}"] if isinstance(end, RunnerError) else run_lines(end)
    return lines


def _done_line(outcome: Outcome) -> str:
    unchanged = len(set(outcome.plan.unchanged) - set(outcome.launched))  # what a crash left is launched by now
    if not outcome.launched and not outcome.adopted:
        return f"nothing to launch: {unchanged:,} unchanged, {len(outcome.plan.failed):,} failed before"
    parts = [f"launched {len(outcome.launched):,} in {outcome.batches:,} batch(es)"]
    parts.append(f"{outcome.created:,} created, {outcome.created_failed:,} failed")
    if outcome.adopted:
        parts.append(f"{outcome.adopted:,} adopted")
    return ", ".join([*parts, f"{unchanged:,} unchanged"])
