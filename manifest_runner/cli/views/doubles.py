"""Launches that exist more than once, as lines and as JSON."""

from __future__ import annotations

from typing import Any

from manifest_runner.cli.console import FEW
from manifest_runner.commands.doubles import Doubles
from manifest_runner.launch.doubles import Double, double_words


def double_lines(doubles: list[Double], *, verbose: bool = False) -> list[str]:
    """The first few, with the ids of their analyses, the oldest first."""
    shown = doubles if verbose else doubles[:FEW]
    lines = [f"launched twice: {double_words(each)}" for each in shown]
    more = len(doubles) - len(shown)
    return [*lines, f"launched twice: … and {more:,} more; `manifest-runner doubles` lists all"] if more else lines


def doubles_lines(done: Doubles, *, abort: bool) -> list[str]:
    if not done.doubles:
        return ["no item was launched twice"]
    lines = double_lines(done.doubles, verbose=True)
    if not abort:
        return [*lines, "next: with --abort, this command aborts all but the oldest analysis of each"]
    lines.append(f"asked ICA to abort {len(done.aborted):,} analyses; the oldest of each is kept")
    if done.left:
        lines.append(f"{done.left:,} had ended before they could be aborted")
    return [*lines, f"lockfile: {done.path}"]


def doubles_document(doubles: list[Double]) -> list[dict[str, Any]]:
    return [
        {
            "userReference": double.user_reference,
            "digest": double.digest,
            "analyses": [analysis.id for analysis in double.analyses],
        }
        for double in doubles
    ]
