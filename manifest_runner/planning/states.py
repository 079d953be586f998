"""The state of an item compared with its launch: new, unchanged, changed or failed. Pure."""

from __future__ import annotations

from typing import NamedTuple

from manifest_runner.lockfile.model import LockedItem
from manifest_runner.model import Item
from manifest_runner.planning.known_digests import Identities
from manifest_runner.planning.plan import State


class States(NamedTuple):
    """Compares items with their launches by the digests that ``identities`` make."""

    identities: Identities

    def of(self, item: Item, before: LockedItem | None) -> State:
        if before is None:
            return "new"
        if item.unresolved:  # until its names are looked up, what it would be launched as is not known
            return "changed"
        if self.is_launched(item, before):
            return "failed" if before.failed and not before.failure_accepted else "unchanged"
        if _order(item.revision) > _order(before.revision):
            return "new"
        if before.analysis_failed:
            return "failed"
        now = self.digest_now(item, before)
        is_back = any(each.digest == now and not each.creation_failed for each in before.previous)
        return "new" if before.creation_failed and not is_back else "changed"

    def is_launched(self, item: Item, before: LockedItem) -> bool:
        """Whether an item is launched as it is now, perhaps under a former name or with signatures unmasked."""
        known = (before.digest, before.accepted)
        if self.digest_now(item, before) in known:
            return True
        names = {item.user_reference, before.renamed_from or item.user_reference}
        return any(
            digest in known
            for name in names
            for digest in self.identities.under(item, item.request, before.attempt, name)
        )

    def digest_now(self, item: Item, before: LockedItem) -> str:
        """The item's digest as it is now, at the attempt of its launch."""
        return self.identities.now(item.request, item.kind, item.revision, before.attempt)


def _order(revision: str) -> tuple[int, ...]:
    return tuple(int(part) for part in revision.split("."))
