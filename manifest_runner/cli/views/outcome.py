"""How a run ended, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from manifest_runner.cli.console import FEW
from manifest_runner.cli.views.plan import plan_document
from manifest_runner.commands.run import Outcome
from manifest_runner.errors import RunnerError


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
