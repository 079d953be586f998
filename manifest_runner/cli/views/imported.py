"""The output of ``import``."""

from __future__ import annotations

from typing import Any

from manifest_runner.commands.steps.importer import Imported
from manifest_runner.text import counted


def imported_lines(done: Imported) -> list[str]:
    launches = counted(done.total, "launch", "launches")
    words = f"imported {launches}: {done.changed:,} changed since, {done.removed:,} no longer in the manifest"
    if not done.total:
        words = "nothing to import: the lockfile already has every launch of this manifest that ICA shows"
    return [words, f"lockfile: {done.path}"]


def imported_document(done: Imported) -> dict[str, Any]:
    return {"imported": done.total, "changed": done.changed, "removed": done.removed, "lockfile": str(done.path)}
