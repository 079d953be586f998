"""Group failures by step, exit code and last line, each group with an expression that selects it for a retry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal

import msgspec

from manifest_runner.lockfile.model import LockedFailure, LockedItem
from manifest_runner.report.rows import failure_words, shown_text
from manifest_runner.report.same_cause import blanked, common, largest_first, nameless

End = Literal["failed", "aborted", "notCreated"]
_Kind = tuple[End, str | None, int | None, str | None]
_Member = tuple[str, str | None, str | None]
# Exit codes of shells and container engines.
_SIGNALS = {
    126: "the command could not be executed; check the container of this step",
    127: "the command was not found; check the container of this step",
    137: "the system killed it, most often for lack of memory; give the step more",
    139: "the program crashed (segmentation fault); check its version and its input",
    143: "the system stopped it, most often at a time limit or when a machine was taken away",
}
_NOT_KNOWN = LockedFailure(None, None, None)


class FailureGroup(msgspec.Struct, frozen=True):
    """One kind of failure. ``step`` and the last ``line`` of its items have "…" for what differs between them.

    ``has_one_step`` if they all failed in a step of the same name.
    """

    end: End
    step: str | None
    exit_code: int | None
    line: str | None
    user_references: tuple[str, ...]
    has_one_step: bool = True


def group_failures(failed: Mapping[str, LockedItem]) -> tuple[FailureGroup, ...]:
    """The largest group first, then in the order of the first userReference of each."""
    failures = (_failure(name, item) for name, item in sorted(failed.items()))
    return tuple(_group(key, members) for key, members in largest_first(failures))


def _group(key: _Kind, members: list[_Member]) -> FailureGroup:
    end, step, exit_code, line = key
    names, steps, lines = zip(*members, strict=True)
    return FailureGroup(end, common(steps, step), exit_code, common(lines, line), names, len(set(steps)) == 1)


def _failure(name: str, item: LockedItem) -> tuple[_Kind, _Member]:
    """The key that the item shares with others of its kind, and its own name, step and line."""
    end, failure = _end(item), item.failure or _NOT_KNOWN
    line = failure.line or (shown_text(item.message) if end != "aborted" else None)
    step = failure.step and nameless(failure.step, name)
    return (end, step, failure.exit_code, line and blanked(line, name)), (name, failure.step, line)


def group_words(group: FailureGroup) -> str:
    """``dragen, exit 137: "Killed"``."""
    if group.end == "aborted":
        return "aborted"
    step = "not created" if group.end == "notCreated" else group.step
    return failure_words(LockedFailure(step, group.exit_code, group.line))


def hint(group: FailureGroup) -> str | None:
    """The likely cause behind an exit code set by the system; None for a code of the program's own."""
    return _SIGNALS.get(group.exit_code or 0)


def where(group: FailureGroup) -> str:
    """An expression for --where that holds for the items of the group."""
    if group.end == "aborted":
        return 'analysis.status == "ABORTED"'
    if group.end == "notCreated":
        return 'status == "FAILED"'
    is_step_known = group.step is not None and group.has_one_step
    parts = [f"failure.step == {json.dumps(group.step, ensure_ascii=False)}"] if is_step_known else []
    parts += [] if group.exit_code is None else [f"failure.exitCode == {group.exit_code}"]
    return " and ".join(parts) or 'analysis.status == "FAILED"'


def _end(item: LockedItem) -> End:
    if item.creation_failed:
        return "notCreated"
    return "aborted" if item.analysis and item.analysis.status == "ABORTED" else "failed"
