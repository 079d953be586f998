"""The output of ``abort``, before it asks and afterwards."""

from __future__ import annotations

from typing import Any

from manifest_runner.cli.console import first_few
from manifest_runner.commands.abort import Aborted
from manifest_runner.text import counted


def abort_lines(running: list[str], *, verbose: bool) -> list[str]:
    """The analyses that are about to be aborted, or the first few of them."""
    return first_few("x", running, verbose=verbose)


def aborted_lines(done: Aborted) -> list[str]:
    if done.aborted:
        lines = [f"asked ICA to abort {counted(len(done.aborted), 'analysis', 'analyses')}"]
    else:
        lines = [f"nothing to abort: no {'other ' if done.aborting else ''}analysis is running"]
    if done.aborting:
        lines.append(f"{counted(len(done.aborting), 'analysis is', 'analyses are')} already being aborted")
    if done.too_early:
        items = counted(len(done.too_early), "item has", "items have")
        lines.append(f"{items} no analysis yet; abort again once there is one")
    return [*lines, f"lockfile: {done.path}"]


def aborted_document(done: Aborted) -> dict[str, Any]:
    return {"aborted": done.aborted, "aborting": done.aborting, "tooEarly": done.too_early, "lockfile": str(done.path)}
