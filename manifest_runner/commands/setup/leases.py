"""All leases that a command holds: that of a manifest, and those of its former names."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from manifest_runner.commands.setup.holding import Held
from manifest_runner.launch.lease.in_flight import Coming, InFlight, name_of


class Leases(msgspec.Struct, frozen=True):
    """``own`` is the manifest's lease, None if it has none or does not want it."""

    own: Held | None = None
    former: tuple[Held, ...] = ()

    @property
    def _all(self) -> tuple[Held, ...]:
        return self.former if self.own is None else (*self.former, self.own)

    @property
    def unseen_batches(self) -> list[str]:
        """The batches whose items earlier holders had not all seen, as entries, each once."""
        return list(dict.fromkeys(each for held in self._all for each in held.unseen_batches))

    @property
    def is_all_seen(self) -> bool:
        """Whether every launch made under these leases is fully visible."""
        return self.own is not None and all(held.is_clean for held in self._all)

    @property
    def is_complete(self) -> bool:
        """Whether these leases name every launch made under them, including those that may not show yet."""
        return self.own is not None and all(held.is_complete for held in self._all)

    @property
    def last_release(self) -> float:
        """When the last of them was released, in seconds since the epoch; 0 if none was."""
        return max((held.claim.released_at or 0.0 for held in self._all), default=0.0)

    def coming(self, now: float, resolved: Collection[str]) -> tuple[Coming, ...]:
        """Launches of earlier holders that may still show, except batches that are resolved."""
        return tuple(each for held in self._all for each in held.coming(now, resolved))

    def in_flight(self, resolved: Collection[str]) -> tuple[InFlight, ...]:
        """The batches that earlier holders were sending, except those that are resolved."""
        return tuple(each for held in self._all for each in held.in_flight(resolved))

    def assure(self) -> None:
        """Raise LeaseLost if another run holds one of them now."""
        for held in self._all:
            held.keeper.assure()

    def announce(self, sending: Collection[str]) -> None:
        """The same, and write what is about to be sent into the manifest's lease."""
        for held in self.former:
            held.keeper.assure()
        if self.own is not None:
            self.own.keeper.announce(self.own.with_unseen(sending))

    def note(self, sending: Collection[str]) -> None:
        """Note what is in flight now; the next renewal writes it into the manifest's lease."""
        if self.own is not None:
            self.own.keeper.note(self.own.with_unseen(sending))

    def check(self) -> None:
        """Raise LeaseLost if one of them has ended by the clock and cannot be renewed. Asks the store only then."""
        for held in self._all:
            held.keeper.check()

    def forget(self, seen: Collection[str]) -> None:
        """Leave out these batches when the leases are released: everything about them is known."""
        for held in self._all:
            held.unseen = tuple(each for each in held.unseen if name_of(each) not in seen)

    def forget_all_but_coming(self, now: float) -> None:
        """Forget what a search has covered: everything that earlier holders left except what may not show yet."""
        for held in self._all:
            held.forget_all_but_coming(now)
