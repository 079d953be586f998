"""``--target``: which items it selects, and what to say if there are none."""

from __future__ import annotations

from collections.abc import Iterable

from manifest_runner.errors import UsageProblem
from manifest_runner.lockfile.model import Lockfile
from manifest_runner.planning.choices import Choices


def check_targets(references: Iterable[str], choices: Choices) -> None:
    """Raise UsageProblem if --target matches none of the manifest's userReferences."""
    _check(references, choices, "item")


def check_launched(references: Iterable[str], choices: Choices) -> None:
    """Raise UsageProblem if --target matches none of the launched userReferences."""
    _check(references, choices, "launched item")


def wanted_items(lockfile: Lockfile, choices: Choices) -> list[str]:
    """The manifest's launched items that --target selects, sorted. Raises UsageProblem if it selects none."""
    present = [name for name, item in lockfile.items.items() if not item.removed]
    check_launched(present, choices)
    return sorted(filter(choices.wants, present))


def _check(references: Iterable[str], choices: Choices, what: str) -> None:
    if choices.targets and not any(map(choices.wants, references)):
        raise UsageProblem(f"--target {' '.join(choices.targets)}: no {what}'s userReference matches")
