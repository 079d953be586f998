"""From an answered POST to the lockfile: the one way in which a launch becomes known."""

from __future__ import annotations

from msgspec import structs

from manifest_runner.ica.model import Analysis, BatchItem
from manifest_runner.launch.journal import Answer, JournaledItem
from manifest_runner.lockfile.model import LockedAnalysis, LockedBatch, LockedItem, Lockfile
from manifest_runner.lockfile.requests import keep_requests
from manifest_runner.model import Kind
from manifest_runner.timestamps import timestamp


def record_answer(lockfile: Lockfile, answer: Answer) -> None:
    """A launched batch in the lockfile. Doing it twice changes nothing, even after later launches of its items.

    An interrupt can come halfway; doing it again then completes it, which is why the batch comes last.
    """
    post, batch_id = answer.post, answer.batch_id
    missing = [item for item in post.items if not _is_recorded(lockfile.items.get(item.user_reference), item, batch_id)]
    if not missing and batch_id in lockfile.batches:
        return
    for item in missing:
        new = new_launch(item.digest, item.kind, item.revision, item.attempt, batch_id)
        lockfile.items[item.user_reference] = launched(lockfile.items.get(item.user_reference), new)
    if batch_id not in lockfile.batches:
        requests = keep_requests(post.body)
        lockfile.batches[batch_id] = LockedBatch(post.key, len(post.items), answer.status, timestamp(post.at), requests)


def _is_recorded(locked: LockedItem | None, item: JournaledItem, batch_id: str) -> bool:
    if locked is None:
        return False
    launches = [(locked.digest, locked.batch_id), *((each.digest, each.batch_id) for each in locked.previous)]
    return (item.digest, batch_id) in launches


def new_launch(
    digest: str,
    kind: Kind,
    revision: str,
    attempt: int,
    batch_id: str | None,
    item_id: str | None = None,
    status: str | None = None,
    message: str | None = None,
    analysis: LockedAnalysis | None = None,
    *,
    adopted: bool = False,
) -> LockedItem:
    """A launch as far as it has been seen. The members of a file have no defaults: a missing one is damage."""
    return LockedItem(digest, kind, revision, attempt, batch_id, item_id, status, message, analysis, adopted=adopted)


def updated(item: LockedItem, seen: BatchItem) -> LockedItem:
    """A launch with what the API says about it now."""
    analysis = item.analysis if seen.analysis is None else locked_analysis(seen.analysis)
    return structs.replace(item, item_id=seen.id, status=seen.status, message=seen.message, analysis=analysis)


def locked_analysis(seen: Analysis) -> LockedAnalysis:
    return LockedAnalysis(seen.id, seen.reference, seen.status, seen.start_date, seen.end_date)


def launched(before: LockedItem | None, item: LockedItem) -> LockedItem:
    """A new launch of an item; the one that it replaces moves, whole, to ``previous``."""
    if before is None:
        return item
    if (before.digest, before.batch_id) == (item.digest, item.batch_id):
        return structs.replace(before, removed=False)
    return structs.replace(item, previous=(*before.previous, structs.replace(before, previous=(), removed=False)))
