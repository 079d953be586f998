"""Count the analyses of a manifest that run, and how many more may (``maxRunning``). Pure."""

from __future__ import annotations

import sys
from collections.abc import Container

from manifest_runner.lockfile.model import LockedItem, Lockfile


def unfinished(lockfile: Lockfile, gone: Container[LockedItem]) -> int:
    """The number of launches that are not known to have ended, including replaced ones, except those ``gone``."""
    launches = (launch for item in lockfile.items.values() for launch in item.launches)
    return sum(not launch.analysis_is_final and launch not in gone for launch in launches)


def room_for(lockfile: Lockfile, most: int | None, gone: Container[LockedItem] = ()) -> int:
    """The number of further analyses that may run if at most ``most`` may run at once (None: any number)."""
    return sys.maxsize if most is None else max(0, most - unfinished(lockfile, gone))
