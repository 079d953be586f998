"""The items that the user has chosen. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase

import msgspec


class Choices(msgspec.Struct, frozen=True):
    """The user's choice of items. ``targets`` are globs over userReferences; without any, all items are chosen.

    ``where`` is an expression about the failed items that --retry-failed launches again.
    """

    retry_failed: bool = False
    relaunch_changed: bool = False
    targets: tuple[str, ...] = ()
    limit: int | None = None
    where: str | None = None

    def __post_init__(self) -> None:
        if self.where is not None and not self.retry_failed:
            raise ValueError("--where needs --retry-failed")

    @property
    def is_narrow(self) -> bool:
        """Whether some due items may be left out."""
        return bool(self.targets) or self.limit is not None or self.retry_failed

    def wants(self, user_reference: str) -> bool:
        return not self.targets or any(fnmatchcase(user_reference, target) for target in self.targets)
