"""What a run has launched so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from manifest_runner.launch.batches import PreparedBatch


class Sent(msgspec.Struct):
    """Batches, the userReferences of their items, and how many analyses were adopted instead of being sent.

    ``launched`` is used as a set in the order of the launches: an item that is launched again counts once.
    """

    batches: int = 0
    launched: dict[str, None] = msgspec.field(default_factory=dict)
    adopted: int = 0

    def add(self, batch: PreparedBatch) -> None:
        self.add_batches(1, (each.user_reference for each in batch.launches))

    def add_batches(self, count: int, references: Iterable[str]) -> None:
        self.batches += count
        self.launched.update(dict.fromkeys(references))

    def rename(self, renamed: Mapping[str, str]) -> None:
        """What a crash left may have been sent under a former name; ``renamed`` has those by the present ones."""
        new_names = {old: new for new, old in renamed.items()}
        self.launched = {new_names.get(each, each): None for each in self.launched}
