"""``lock merge``: merge the lockfiles of two branches."""

from __future__ import annotations

from pathlib import Path

from manifest_runner.errors import BadState
from manifest_runner.lockfile.file import load_lockfile, write_lockfile
from manifest_runner.lockfile.merge import merge_lockfiles
from manifest_runner.lockfile.model import Lockfile


def merge(base: Path, ours: Path, theirs: Path) -> Lockfile:
    """Merge three lockfiles into ``ours``. If ``base`` is empty or missing, both sides started a lockfile of their own.

    Raises BadState.
    """
    mine, other = load_lockfile(ours), load_lockfile(theirs)
    if mine is None or other is None:
        raise BadState(f"{theirs if mine else ours}: lockfile not found")
    is_empty = not base.exists() or not base.read_bytes().strip()
    merged = merge_lockfiles(None if is_empty else load_lockfile(base), mine, other)
    write_lockfile(ours, merged)
    return merged
