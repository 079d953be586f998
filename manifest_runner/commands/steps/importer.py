"""Launches that the API knows, read into a session's lockfile.

ICA has a userReference and, in the stamp, half a digest. If the manifest still renders to that digest at some attempt,
the launch is known in full. If it does not, the item has changed since: it is recorded with the half that is known, so
that a plan says "changed" and nobody pays twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import orjson
from msgspec import structs

from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.session import Session
from manifest_runner.errors import ApprovalNeeded
from manifest_runner.ica.client import Client
from manifest_runner.ica.model import Batch, BatchItem
from manifest_runner.launch.record import launched, new_launch, updated, with_analysis
from manifest_runner.launch.stamp_search import age_order, stamped_analyses
from manifest_runner.lockfile.model import LockedBatch, LockedItem, Lockfile
from manifest_runner.model import Item, Name
from manifest_runner.planning.identity import (
    DIGEST_STAMP,
    NAME_STAMP,
    STAMP_DIGITS,
    batch_key,
    digest_stamp,
)
from manifest_runner.planning.known_digests import Identities
from manifest_runner.planning.launched_requests import request_hash
from manifest_runner.timestamps import moment_or_first, timestamp

MAX_ATTEMPTS = 100
UNKNOWN_HALF = "0" * (64 - STAMP_DIGITS)
UNKNOWN_REVISION = "0.0"
_HALF = re.compile(rf"[0-9a-f]{{{STAMP_DIGITS}}}")


class Imported(msgspec.Struct, frozen=True):
    """How many launches were found: as the manifest is now, changed since, no longer in the manifest."""

    lockfile: Lockfile
    path: str
    known: int
    changed: int
    removed: int

    @property
    def total(self) -> int:
        return self.known + self.changed + self.removed


class PartlyListed(ApprovalNeeded):
    """A batch lists fewer items than it has."""


def take_batches(
    session: Session, client: Client, batches: Sequence[Batch], sizes: Mapping[str, int | None]
) -> set[Name]:
    """Take these batches into the session's lockfile, as the manifest knows their items.

    Takes none of them if names of their items must be looked up first, and returns these names. Raises PartlyListed,
    and takes none, if one lists fewer items than ``sizes`` says it has.
    """
    lockfile, before = session.lockfile, session.lockfile.copy()
    importer = Importer(session)
    is_whole = False
    try:
        importer.take_batches(client, batches, session.context)
        _check_sizes(lockfile, batches, sizes)
        is_whole = not importer.undecided
    finally:
        if not is_whole:
            lockfile.batches, lockfile.items = before.batches, before.items
    return importer.undecided


def _check_sizes(lockfile: Lockfile, batches: Iterable[Batch], sizes: Mapping[str, int | None]) -> None:
    for batch in batches:
        listed, size = lockfile.batches[batch.id].items, sizes.get(batch.id)
        if size is not None and listed < size:
            raise PartlyListed(
                f"ICA lists {listed} of the {size} items of batch {batch.id}, which another run has sent. Nothing was "
                "sent. Run again later, or launch what is missing at once with --adopt now."
            )


class Importer:
    """``undecided`` are names of launched items that must be looked up before their digests are known."""

    def __init__(self, session: Session) -> None:
        self.undecided: set[Name] = set()
        self._session = session
        self._lockfile = session.lockfile
        self._stamped = session.loaded.document.stamp
        self._identities = Identities(session.naming, session.loaded.project)
        self._items = {item.user_reference: _compact(item) for item in session.loaded.stream.items()}
        renames = self._identities.renames
        self._new_names = {old: name for name in self._items for old in renames.former(name)} if renames else {}

    def take_stamped(self, client: Client) -> None:
        """Every analysis with the manifest's name stamp, the oldest of an item first."""
        for analysis in sorted(stamped_analyses(client, self._session.naming.names), key=age_order):
            launch = self._launch(analysis.user_reference, analysis.technical_tags, None)
            adopted = structs.replace(launch, adopted=True)
            self._record(self._name(analysis.user_reference), with_analysis(adopted, analysis))

    def take_batches(self, client: Client, batches: Iterable[Batch], context: Context) -> None:
        """The oldest batch first, however they are ordered: the latest launch of an item wins."""
        for batch in sorted(batches, key=lambda each: moment_or_first(each.time_created)):
            self._take_batch(client, batch, context)

    def _take_batch(self, client: Client, batch: Batch, context: Context) -> None:
        batch_id = batch.id
        # Of two that have the same name by now, the one that always had it comes last: it is the current one.
        listed = {each.id: each for each in client.list_items(batch_id)}  # a list may repeat some
        seen = sorted(listed.values(), key=lambda each: each.user_reference in self._items)
        named = [(self._name(each.user_reference), self._of_batch(batch_id, each)) for each in seen]
        launches = dict(named)
        in_order = [reference for reference in self._items if reference in launches]
        key = batch_key(launches[reference].digest for reference in in_order)
        at = batch.time_created or timestamp(context.clock())
        for reference, launch in named:
            self._record(reference, launch)
        # Last, since ^C can come halfway: a batch that is not recorded is read again.
        self._lockfile.batches.setdefault(batch_id, LockedBatch(key, len(seen), batch.status, at))

    def _of_batch(self, batch_id: str, seen: BatchItem) -> LockedItem:
        return updated(self._launch(seen.user_reference, seen.technical_tags, batch_id), seen)

    def _launch(self, reference: str, tags: Iterable[str], batch_id: str | None) -> LockedItem:
        stamp = next((tag for tag in tags if tag.startswith(DIGEST_STAMP) and not tag.startswith(NAME_STAMP)), None)
        item = self._items.get(self._name(reference))
        if item is not None:
            self.undecided.update(item.unresolved)
        if item is not None and (known := self._known(item, stamp, batch_id)) is not None:
            return known
        half = (stamp or "").removeprefix(DIGEST_STAMP)
        digest = (half if _HALF.fullmatch(half) else "0" * STAMP_DIGITS) + UNKNOWN_HALF
        kind, revision = (item.kind, item.revision) if item else ("nextflow", UNKNOWN_REVISION)
        return new_launch(digest, kind, revision, 0, batch_id)

    def _known(self, item: Item, stamp: str | None, batch_id: str | None) -> LockedItem | None:
        """The launch of the manifest's item with this stamp, None if the item has another request now.

        Without stamps it is taken to be the first launch of the item as it is.
        """
        if stamp is None and self._stamped:
            return None
        for attempt in range(MAX_ATTEMPTS):
            now = self._identities.now(item.request, item.kind, item.revision, attempt)
            for digest, reference in self._identities.all(item, item.request, attempt):
                if stamp is None or digest_stamp(digest) == stamp:
                    launch = new_launch(digest, item.kind, item.revision, attempt, batch_id)
                    return structs.replace(
                        launch,
                        accepted=None if digest == now else now,
                        renamed_from=None if reference == item.user_reference else reference,
                        request_hash=request_hash(item.kind, orjson.loads(item.request)),
                    )
        return None

    def _name(self, reference: str) -> str:
        """The manifest's present name of an item launched under this name."""
        return reference if reference in self._items else self._new_names.get(reference, reference)

    def _record(self, reference: str, launch: LockedItem) -> None:
        before = self._lockfile.items.get(reference)
        if before is not None and _is_known(before, launch):
            return
        if before is not None and launch.digest.endswith(UNKNOWN_HALF):
            launch = structs.replace(launch, attempt=before.attempt + 1)
        recorded = launched(before, launch)
        if before is not None and _was_tried_again(launch, before):
            recorded = structs.replace(before, previous=(*before.previous, launch))
        self._lockfile.items[reference] = structs.replace(recorded, removed=reference not in self._items)

    def summary(self, before: Mapping[str, LockedItem]) -> Imported:
        new = {name: item for name, item in self._lockfile.items.items() if item != before.get(name)}
        removed = sum(item.removed for item in new.values())
        changed = sum(item.digest.endswith(UNKNOWN_HALF) and not item.removed for item in new.values())
        path = self._session.lockfile_at
        return Imported(self._lockfile, path, len(new) - removed - changed, changed, removed)


def _compact(item: Item) -> Item:
    """The same item with a copy of its request: orjson leaves 4 KB of room in each text that it makes."""
    return structs.replace(item, request=bytes(memoryview(item.request)))


def _was_tried_again(launch: LockedItem, before: LockedItem) -> bool:
    """Whether the recorded launch is a later attempt at the same item, even if both are from the same second."""
    if any(each.digest.endswith(UNKNOWN_HALF) for each in (launch, before)):
        return False
    return launch.revision == before.revision and launch.attempt < before.attempt


def _is_known(before: LockedItem, launch: LockedItem) -> bool:
    """Whether the lockfile has this launch already, as the current one or as one that was replaced.

    Of two that exist the older counts, unless it alone was aborted.
    """
    ids = {each.analysis.id for each in before.launches if each.analysis}
    if launch.analysis is not None and launch.analysis.id in ids:
        return True
    if launch.item_id is not None and launch.item_id in (each.item_id for each in before.launches):
        return True
    return before.digest == launch.digest and (not before.was_aborted or launch.was_aborted)
