"""Why analyses failed, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from manifest_runner.commands.failures import FailuresReport
from manifest_runner.report.failure_groups import FailureGroup, in_words

_SHOWN = 3


def failures_document(report: FailuresReport) -> dict[str, Any]:
    return {
        "failed": len(report.items),
        "groups": [_group(group, report) for group in report.groups],
        "missingLogs": [{"path": each.path, "reason": each.reason} for each in report.missing],
        "lockfile": report.lockfile,
    }


def failures_lines(report: FailuresReport, *, verbose: bool) -> Iterator[str]:
    """A line for each group, with the end of the log of its first item that has one."""
    for group in report.groups:
        names = group.user_references if verbose else group.user_references[:_SHOWN]
        more = len(group.user_references) - len(names)
        yield f"{len(group.user_references):,} × {in_words(group)}  {', '.join(names)}{f', … (+{more:,})' * bool(more)}"
        tails = [name for name in group.user_references if name in report.tails]
        for name in tails if verbose else tails[:1]:
            yield f"    {name}:"
            yield from (f"    | {line}" for line in report.tails[name])
    for each in report.missing:
        yield f"missing: {each.path}: {each.reason}"
    if not report.items:
        yield "nothing failed"
    elif any(group.end == "failed" for group in report.groups):
        yield "next: fix the cause, then launch them again: run --retry-failed --where \"failure.step == '…'\""


def _group(group: FailureGroup, report: FailuresReport) -> dict[str, Any]:
    return {
        "count": len(group.user_references),
        "end": group.end,
        "step": group.step,
        "exitCode": group.exit_code,
        "line": group.line,
        "userReferences": list(group.user_references),
        **({"tails": tails} if (tails := _tails(group, report)) else {}),
    }


def _tails(group: FailureGroup, report: FailuresReport) -> dict[str, list[str]]:
    return {name: list(report.tails[name]) for name in group.user_references if name in report.tails}
