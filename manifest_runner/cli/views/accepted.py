"""The output of ``accept``."""

from __future__ import annotations

from typing import Any

from manifest_runner.cli.console import FEW
from manifest_runner.commands.accept import Accepted
from manifest_runner.text import counted


def accepted_lines(done: Accepted) -> list[str]:
    names = [*done.changed, *done.failed]
    if not names:
        return ["nothing to accept: no launched item has changed or failed"]
    lines = [f"= {name}" for name in names[:FEW]]
    if len(names) > FEW:
        lines.append(f"= … and {len(names) - FEW:,} more")
    counts = [(len(done.changed), "changed item"), (len(done.failed), "failed item")]
    lines.append(f"accepted {' and '.join(counted(count, noun) for count, noun in counts if count)}")
    if done.failed:
        lines.append("accepted failures no longer count as failed; to undo that, restore the lockfile from git")
    return [*lines, f"lockfile: {done.path}"]


def accepted_document(done: Accepted) -> dict[str, Any]:
    return {"accepted": [*done.changed, *done.failed], "failed": done.failed, "lockfile": str(done.path)}
