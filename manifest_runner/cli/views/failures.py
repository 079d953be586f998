"""The failures of analyses, grouped, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from manifest_runner.cli.console import FEW
from manifest_runner.commands.failures import FailuresReport
from manifest_runner.report.failure_groups import FailureGroup, group_words, hint, where
from manifest_runner.text import counted

_SHOWN = 3
_MOST_GROUPS = 20


def failures_document(report: FailuresReport) -> dict[str, Any]:
    return {
        "failed": len(report.items),
        "groups": [_group(group, report) for group in report.groups],
        "missingLogs": [{"path": each.path, "reason": each.reason} for each in report.missing],
        "lockfile": report.lockfile,
    }


def failures_lines(report: FailuresReport, again: Callable[[str], str], *, verbose: bool) -> Iterator[str]:
    """A line for each group, with the end of the log of its first item that has one; then what to do next.

    ``again`` makes the command that relaunches the items for which an expression is true.
    """
    shown = report.groups if verbose else report.groups[:_MOST_GROUPS]
    for group in shown:
        names = group.user_references if verbose else group.user_references[:_SHOWN]
        more = len(group.user_references) - len(names)
        listed = ", ".join([*names, *([f"… (+{more:,})"] if more else [])])
        yield f"{len(group.user_references):,} × {group_words(group)}  {listed}"
        tails = [name for name in group.user_references if name in report.tails]
        for name in tails if verbose else tails[:1]:
            yield f"    {name}:"
            yield from (f"    | {line}" for line in report.tails[name])
    if hidden := report.groups[len(shown) :]:
        items = counted(sum(len(group.user_references) for group in hidden), "item")
        yield f"… and {len(hidden):,} more reasons, of {items} (--verbose shows all)"
    for each in report.missing:
        yield f"missing: {each.path}: {each.reason}"
    if report.logs is not None:
        yield f"logs: {report.logs}"
    if report.items:
        yield from _cures(report, again, verbose=verbose)
    elif report.accepted:
        yield f"nothing failed, apart from {counted(report.accepted, 'accepted failure')}"
    else:
        yield "nothing failed" if report.launched else "nothing has been launched yet"


def _cures(report: FailuresReport, again: Callable[[str], str], *, verbose: bool) -> Iterator[str]:
    """Hints on exit codes, and a command for each kind of failure."""
    hints = {group.exit_code: found for group in report.groups if (found := hint(group))}
    yield from (f"exit {code}: {found}" for code, found in hints.items())
    yield "next: fix the cause, then launch the failed items again, one kind at a time:"
    kinds = [*dict.fromkeys(map(where, report.groups))]
    shown = kinds if verbose else kinds[:FEW]
    yield from (f"  {again(expression)}" for expression in shown)
    if len(shown) < len(kinds):
        yield f"  … and {len(kinds) - len(shown):,} more (--verbose shows all)"


def _group(group: FailureGroup, report: FailuresReport) -> dict[str, Any]:
    return {
        "count": len(group.user_references),
        "end": group.end,
        "step": group.step,
        "exitCode": group.exit_code,
        "line": group.line,
        "where": where(group),
        "userReferences": list(group.user_references),
        **({"tails": tails} if (tails := _tails(group, report)) else {}),
    }


def _tails(group: FailureGroup, report: FailuresReport) -> dict[str, list[str]]:
    return {name: list(report.tails[name]) for name in group.user_references if name in report.tails}
