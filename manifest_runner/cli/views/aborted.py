"""What ``abort`` is about to do, and what it did."""

from __future__ import annotations

from typing import Any

from manifest_runner.cli.console import FEW
from manifest_runner.commands.abort import Aborted


def abort_lines(running: list[str], *, verbose: bool) -> list[str]:
    """The first few of what is about to be aborted."""
    shown = running if verbose else running[:FEW]
    more = [f"x … and {len(running) - len(shown):,} more (--verbose shows all)"] if len(shown) < len(running) else []
    return [*(f"x {reference}" for reference in shown), *more]


def aborted_lines(done: Aborted) -> list[str]:
    words = [f"asked ICA to abort {len(done.aborted):,} analyses" if done.aborted else "no analysis is running"]
    if done.too_early:
        words.append(f"{len(done.too_early):,} item(s) have no analysis yet; abort again when they are created")
    return [*words, f"lockfile: {done.path}"]


def aborted_document(done: Aborted) -> dict[str, Any]:
    return {"aborted": done.aborted, "tooEarly": done.too_early, "lockfile": str(done.path)}
