"""Which items a command is about. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase

import msgspec


class Choices(msgspec.Struct, frozen=True):
    """What the user asked for. ``targets`` are globs over userReferences; without any, all items are meant."""

    retry_failed: bool = False
    relaunch_changed: bool = False
    targets: tuple[str, ...] = ()
    limit: int | None = None

    def wants(self, user_reference: str) -> bool:
        return not self.targets or any(fnmatchcase(user_reference, target) for target in self.targets)
