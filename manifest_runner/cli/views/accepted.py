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
    more = [f"= … and {len(names) - FEW:,} more"] if len(names) > FEW else []
    counts = [(len(done.changed), "changed item"), (len(done.failed), "failed item")]
    words = f"accepted {' and '.join(counted(count, noun) for count, noun in counts if count)}"
    undo = ["accepted failures no longer count as failed; to undo that, restore the lockfile from git"]
    return [
        *(f"= {name}" for name in names[:FEW]),
        *more,
        words,
        *(undo if done.failed else ()),
        f"lockfile: {done.path}",
    ]


def accepted_document(done: Accepted) -> dict[str, Any]:
    return {"accepted": [*done.changed, *done.failed], "failed": done.failed, "lockfile": str(done.path)}
