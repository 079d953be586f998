"""The attempts at an item: each launch has a digest of its own. Pure."""

from __future__ import annotations

from collections.abc import Callable

from manifest_runner.lockfile.model import LockedItem


def next_attempt(before: LockedItem | None, first: int, digest_at: Callable[[int], str]) -> tuple[int, str]:
    """The first attempt from ``first`` on that is not spent, and its digest.

    Digests of earlier launches are spent. None of these is reused: ICA would replay the old launch, or make a second.
    """
    spent = {launch.digest for launch in before.launches} if before is not None else ()
    attempt = first
    while (digest := digest_at(attempt)) in spent:
        attempt += 1
    return attempt, digest
