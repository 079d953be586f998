"""The leases that a command holds together: that of a manifest, and those of its former names."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from manifest_runner.commands.setup.holding import Held


class Leases(msgspec.Struct, frozen=True):
    """``own`` is the manifest's, None if it has none or none is wanted."""

    own: Held | None = None
    former: tuple[Held, ...] = ()

    @property
    def _all(self) -> tuple[Held, ...]:
        return self.former if self.own is None else (*self.former, self.own)

    @property
    def unseen_batches(self) -> list[str]:
        """The ids of batches that earlier holders did not see whole, each once."""
        return list(dict.fromkeys(each for held in self._all for each in held.unseen_batches))

    @property
    def is_all_seen(self) -> bool:
        """Whether every launch made under these leases is fully visible."""
        return self.own is not None and all(held.is_clean for held in self._all)

    def coming(self, now: float, resolved: Collection[str]) -> float:
        """For how many seconds launches of earlier holders may still show, less the batches that are resolved."""
        return max((held.coming(now, resolved) for held in self._all), default=0.0)

    def assure(self) -> None:
        """Raise LeaseLost if one of them is held by another run now."""
        for held in self._all:
            held.keeper.assure()

    def forget(self, seen: Collection[str]) -> None:
        """Release them without these batches, of which everything is known."""
        for held in self._all:
            held.unseen = tuple(each for each in held.unseen if each not in seen)

    def forget_all(self) -> None:
        """A search has covered everything that earlier holders left."""
        for held in self._all:
            held.unseen = ()
