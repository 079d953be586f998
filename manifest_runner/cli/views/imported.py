"""The output of ``import``."""

from __future__ import annotations

from typing import Any

from manifest_runner.commands.steps.importer import Imported
from manifest_runner.text import counted


def imported_lines(done: Imported) -> list[str]:
    launches = counted(done.total, "launch", "launches")
    if not done.total and not done.lockfile.items:
        return ["nothing to import: ICA shows no launch of this manifest; --batch-id finds launches without its tags"]
    counts = {"changed since": done.changed, "no longer in the manifest": done.removed}
    parts = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    words = f"imported {launches}" + (f": {parts}" if parts else "")
    if not done.total:
        words = "nothing to import: the lockfile already has every launch of this manifest that ICA shows"
    lines = [words, f"lockfile: {done.path}"]
    if done.changed:
        lines.append("next: `manifest-runner plan` shows what changed; `accept` keeps these launches as they are")
    return lines


def imported_document(done: Imported) -> dict[str, Any]:
    return {"imported": done.total, "changed": done.changed, "removed": done.removed, "lockfile": str(done.path)}
