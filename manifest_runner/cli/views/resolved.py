"""The output of ``resolve``, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from manifest_runner.cli.console import first_few
from manifest_runner.commands.resolve import Resolved
from manifest_runner.commands.setup.options import ResolveOptions
from manifest_runner.text import counted


def resolved_document(resolved: Resolved) -> dict[str, Any]:
    return {
        "names": str(resolved.path),
        "resolved": len(resolved.used),
        "added": [each.key for each in resolved.added],
        "changed": {each.name.key: {"before": each.before, "after": each.after} for each in resolved.changed},
        "removed": [each.key for each in resolved.removed],
    }


def resolved_lines(resolved: Resolved, options: ResolveOptions, *, verbose: bool) -> list[str]:
    """The names that are new, stand for something else, or are no longer used, and a line of totals."""
    totals = (
        f"{counted(len(resolved.used), 'name')} resolved: "
        f"{len(resolved.added):,} new, {len(resolved.changed):,} changed, {len(resolved.removed):,} no longer used"
    )
    added, removed = ([name.key for name in names] for names in (resolved.added, resolved.removed))
    lines = [*first_few("+", added, verbose=verbose), *_changed(resolved)]
    lines += [*first_few("-", removed, verbose=verbose), totals]
    if options.check:
        state = "would be updated" if added or removed else "is up to date"
        return [*lines, f"{resolved.path} {state}; nothing was written"]
    lines.append(f"names: {resolved.path}")
    if resolved.changed:
        lines.append("next: items with a changed name count as changed; `manifest-runner plan` shows them")
    return lines


def _changed(resolved: Resolved) -> Iterator[str]:
    for each in resolved.changed:
        yield f"~ {each.name.key}: {each.before} → {each.after}"
