"""What a run has launched so far."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from manifest_runner.launch.batches import PreparedBatch


class Sent(msgspec.Struct):
    """Batches, the userReferences of their items, and how many analyses were adopted instead of being sent."""

    batches: int = 0
    launched: list[str] = msgspec.field(default_factory=list)
    adopted: int = 0

    def add(self, batch: PreparedBatch) -> None:
        """An item that is launched again counts once."""
        self.batches += 1
        known = set(self.launched)
        self.launched += [each.user_reference for each in batch.launches if each.user_reference not in known]

    def rename(self, renamed: Mapping[str, str]) -> None:
        """What a crash left may have been sent under a former name; ``renamed`` has those by the present ones."""
        new_names = {old: new for new, old in renamed.items()}
        self.launched = [new_names.get(each, each) for each in self.launched]
