"""The output of ``plan``, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import structs

from manifest_runner.cli.console import FEW, first_few
from manifest_runner.planning.diff import Change, with_names
from manifest_runner.planning.estimate import Estimate
from manifest_runner.planning.plan import Plan
from manifest_runner.planning.suggested_moves import moves_to_add
from manifest_runner.text import counted, few_of

STATES = ("new", "changed", "unchanged", "failed", "removed", "pending")
_MARKS = {"new": "+", "changed": "~", "unchanged": "=", "failed": "!", "removed": "-", "pending": "?"}
_CHANGES_SHOWN = 20

# What changed in an item; None if the lockfile does not know what was launched.
_Changes = Sequence[Change] | None


def plan_document(plan: Plan, batches: int, *, too_many: bool = False, waiting: Sequence[str] = ()) -> dict[str, Any]:
    return {
        **{state: getattr(plan, state) for state in STATES},
        "renamed": plan.renamed,
        "waiting": list(waiting),
        "unresolved": len(plan.unresolved),
        "batches": batches,
        "launches": plan.due[: len(plan.due) - len(waiting)],
        "approvalNeeded": bool(plan.unapproved or plan.guarded) or too_many,
        "changes": {reference: _change_documents(found) for reference, found in plan.changes.items()},
        "planDigest": plan.digest,
    }


def _change_documents(found: _Changes) -> list[dict[str, Any]]:
    return [{"path": change.field, "before": change.before, "after": change.after} for change in found or ()]


def plan_lines(plan: Plan, batches: int, *, verbose: bool, waiting: int = 0, cost: Estimate | None = None) -> list[str]:
    """The items, a line of totals, and what to know before the next run."""
    lines = [*item_lines(plan, verbose=verbose), _totals(plan, batches, waiting)]
    if cost is not None:
        lines.append(
            f"cost: about {cost.amount:,.2f} {cost.currency}, {len(plan.due):,} times the median of "
            f"{counted(cost.known, 'known price')}"
        )
    return [*lines, *_next_lines(plan)]


def item_lines(plan: Plan, *, verbose: bool) -> list[str]:
    """The items by state, the first few of each, and what changed in them."""
    changes = {reference: found and with_names(found, plan.names) for reference, found in plan.changes.items()}
    plan = structs.replace(plan, changes=changes)
    lines = _renamed_lines(plan, verbose=verbose)
    for state in STATES:
        references = getattr(plan, state)
        if state == "changed":
            lines += _changed_lines(plan, verbose=verbose)
            continue
        shown = references if verbose else references[: 0 if state == "unchanged" else FEW]
        again = set(plan.again) if state == "new" else ()
        for reference in shown:
            lines.append(f"{_MARKS[state]} {reference}{' (again, by its revision)' if reference in again else ''}")
            if reference in plan.changes:  # it failed, and was changed since
                lines += _change_lines(plan.changes[reference], verbose=verbose)
        if len(shown) < len(references) and shown:
            lines.append(_more_line(state, len(references) - len(shown)))
    return lines


def _more_line(state: str, hidden: int) -> str:
    return f"{_MARKS[state]} … and {hidden:,} more {state} (--verbose shows all)"


# -- what changed: items that changed in the same way are one group


def _changed_lines(plan: Plan, *, verbose: bool) -> list[str]:
    groups = _groups(plan)
    shown = groups if verbose else groups[:FEW]
    lines = [line for references, changes in shown for line in _group_lines(references, changes, plan, verbose=verbose)]
    hidden = len(plan.changed) - sum(len(references) for references, _ in shown)
    return [*lines, *([_more_line("changed", hidden)] if hidden else [])]


def _groups(plan: Plan) -> list[tuple[list[str], _Changes]]:
    """Items with the same changes, then those that changed in the same fields; the largest groups first."""
    alike: dict[object, list[str]] = {}
    for reference in plan.changed:
        if reference in plan.changes:
            alike.setdefault(_identity(plan.changes[reference]), []).append(reference)
    by_fields: dict[object, list[str]] = {}
    for identity, references in alike.items():
        key = _fields(plan.changes[references[0]]) if len(references) == 1 else identity
        by_fields.setdefault(key, []).extend(references)
    found = [(references, plan.changes[references[0]]) for references in by_fields.values()]
    return sorted(found, key=lambda group: -len(group[0]))


def _identity(changes: _Changes) -> object:
    return None if changes is None else tuple(map(str, changes))


def _fields(changes: _Changes) -> object:
    return None if changes is None else frozenset(change.field for change in changes)


def _group_lines(references: list[str], changes: _Changes, plan: Plan, *, verbose: bool) -> Iterator[str]:
    if len(references) == 1:
        yield f"~ {references[0]}"
        yield from _change_lines(changes, verbose=verbose)
        return
    names = ", ".join(references) if verbose else few_of(references)
    if changes is not None and _identity(plan.changes[references[1]]) != _identity(changes):
        yield f"~ {counted(len(references), 'item')}: {', '.join(change.field for change in changes)} (values differ)"
        yield f"    {names}; in {references[0]}:"
        yield from _change_lines(changes, verbose=verbose)
    elif changes is not None and len(changes) == 1:
        yield f"~ {counted(len(references), 'item')}: {changes[0]}"
        yield f"    {names}"
    else:
        yield f"~ {counted(len(references), 'item')}: {names}"
        yield from _change_lines(changes, verbose=verbose)


def _change_lines(changes: _Changes, *, verbose: bool) -> list[str]:
    if changes is None:
        return ["    (the lockfile does not have the request that was launched)"]
    shown = changes if verbose else changes[:_CHANGES_SHOWN]
    more = [f"    … and {len(changes) - len(shown)} more"] if len(changes) > len(shown) else []
    return [*(f"    {change}" for change in shown), *more]


# -- totals, and what to do next


def _totals(plan: Plan, batches: int, waiting: int) -> str:
    parts = [f"{len(getattr(plan, state)):,} {state}" for state in STATES if getattr(plan, state)]
    parts += [f"{plan.beyond_limit:,} beyond --limit"] if plan.beyond_limit else []
    now = len(plan.due) - waiting
    later = " after approval" if plan.unapproved or plan.guarded else ""
    due = [f"{now:,} to launch in {counted(batches, 'batch', 'batches')}{later}"] if now else []
    due += [f"{counted(waiting, 'waits', 'wait')} until others have ended (maxRunning)"] if waiting else []
    return f"{', '.join(parts) or 'no items'}; {', '.join(due) or 'nothing to launch'}"


def _renamed_lines(plan: Plan, *, verbose: bool) -> list[str]:
    return first_few(">", [f"{new} (was {old})" for new, old in plan.renamed.items()], verbose=verbose, kind="renamed")


def _next_lines(plan: Plan) -> list[str]:
    due = set(plan.due) if plan.failed else ()
    fixed = [reference for reference in plan.fixed if reference not in due]
    failed = sum(reference not in due for reference in plan.failed) - len(fixed)
    lines = []
    if plan.not_ended:
        lines.append(f"{plan.not_ended:,} had not ended when ICA was last asked; `run` and `status` ask again")
    if plan.pending:
        sent = counted(len(plan.pending), "item was", "items were")
        lines.append(f"next: {sent} sent and not answered; the next run settles that first")
    if plan.unresolved:
        names = counted(len(plan.unresolved), "name")
        lines.append(f"next: {names} to look up first; a run does that, and so does `manifest-runner resolve`")
    if plan.again:
        items = counted(len(plan.again), "item was", "items were")
        lines.append(f"next: {items} launched before; a run launches {_them(plan.again)} again: `revision` was raised")
    if plan.unapproved:
        lines.append(
            f"next: {len(plan.unapproved):,} changed; a run launches nothing until you approve that: "
            "--relaunch-changed, or raise `revision`; `accept` keeps their launches"
        )
    if plan.guarded:
        new = counted(len(plan.guarded), "new item looks like a removed one", "new items look like removed ones")
        moves = moves_to_add(plan.guarded, plan.references)
        lines.append(
            f"next: {new} under another name; a run launches nothing until you add {moves} "
            "to the manifest, or use --launch-renamed"
        )
    if fixed:
        lines.append(f"next: {len(fixed):,} failed and changed since; --retry-failed launches those as they are now")
    if failed:
        them = "it" if failed == 1 else "them"
        lines.append(f"next: {failed:,} failed; `failures` shows why, and --retry-failed launches {them} again")
    return lines


def _them(references: Sequence[str]) -> str:
    return "it" if len(references) == 1 else "them"
