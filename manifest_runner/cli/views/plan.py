"""A plan, as lines and as JSON."""

from __future__ import annotations

from typing import Any

from manifest_runner.cli.console import FEW
from manifest_runner.planning.plan import Plan

STATES = ("new", "changed", "unchanged", "failed", "removed", "pending")
_MARKS = {"new": "+", "changed": "~", "unchanged": "=", "failed": "!", "removed": "-", "pending": "?"}
_CHANGES_SHOWN = 20


def plan_document(plan: Plan, batches: int) -> dict[str, Any]:
    states = {state: getattr(plan, state) for state in STATES}
    return {**states, "unresolved": len(plan.unresolved), "batches": batches}


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


def _next_lines(plan: Plan) -> list[str]:
    due = set(plan.due) if plan.failed else ()
    failed = sum(reference not in due for reference in plan.failed)
    lines = []
    if plan.pending:
        lines.append(f"next: {len(plan.pending):,} were sent without an answer; a run settles them first")
    if plan.unresolved:
        lines.append(
            f"next: {len(plan.unresolved):,} name(s) to look up first; a run or `manifest-runner resolve` does"
        )
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
