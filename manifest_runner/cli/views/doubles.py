"""Launches that exist more than once, as lines and as JSON."""

from __future__ import annotations

from typing import Any

from manifest_runner.cli.console import FEW
from manifest_runner.commands.doubles import Doubles
from manifest_runner.launch.doubles import Double, double_words
from manifest_runner.model import FINAL_ANALYSIS
from manifest_runner.text import counted


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
        return [*lines, next_step(done.doubles, "with --abort, this command")]
    if done.aborted:
        lines.append(f"asked ICA to abort {counted(len(done.aborted), 'analysis', 'analyses')}")
    if done.left:
        lines.append(f"{counted(done.left, 'analysis', 'analyses')} had already ended and cannot be aborted")
    return [*lines, "the oldest of each is kept", f"lockfile: {done.path}"]


def next_step(doubles: list[Double], abort: str) -> str:
    """``abort`` names the command that aborts the newer analyses."""
    newer = [analysis for double in doubles for analysis in double.analyses[1:]]
    if all(analysis.status in FINAL_ANALYSIS for analysis in newer):
        return "next: nothing is left to abort, since the newer analyses have ended; use the results of the oldest"
    return f"next: {abort} aborts all but the oldest analysis of each"


def doubles_document(doubles: list[Double]) -> list[dict[str, Any]]:
    return [
        {
            "userReference": double.user_reference,
            "digest": double.digest,
            "analyses": [analysis.id for analysis in double.analyses],
        }
        for double in doubles
    ]
