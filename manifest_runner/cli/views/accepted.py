"""The output of ``accept``."""

from __future__ import annotations

from typing import Any

from manifest_runner.cli.console import FEW
from manifest_runner.commands.accept import Accepted


def accepted_lines(done: Accepted) -> list[str]:
    names = [*done.changed, *done.failed]
    if not names:
        return ["nothing to accept: no launched item has changed or failed"]
    more = [f"= … and {len(names) - FEW:,} more"] if len(names) > FEW else []
    words = f"accepted {len(done.changed):,} changed and {len(done.failed):,} failed items as they are"
    undo = ["failed items that were accepted no longer count as failed; to undo that, restore the lockfile from git"]
    return [
        *(f"= {name}" for name in names[:FEW]),
        *more,
        words,
        *(undo if done.failed else ()),
        f"lockfile: {done.path}",
    ]


def accepted_document(done: Accepted) -> dict[str, Any]:
    return {"accepted": [*done.changed, *done.failed], "failed": done.failed, "lockfile": str(done.path)}
