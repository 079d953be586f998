"""The attempts at an item; each has a digest of its own. Pure."""

from __future__ import annotations

from collections.abc import Callable

from manifest_runner.lockfile.model import LockedItem


def next_attempt(before: LockedItem | None, first: int, digest_at: Callable[[int], str]) -> tuple[int, str]:
    """The first unused attempt from ``first`` on, and its digest.

    A digest of an earlier launch is never reused: ICA would replay the old launch, or make a second one.
    """
    spent = {launch.digest for launch in before.launches} if before is not None else ()
    attempt = first
    while (digest := digest_at(attempt)) in spent:
        attempt += 1
    return attempt, digest
