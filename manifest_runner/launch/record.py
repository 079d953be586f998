"""From an answered POST to the lockfile: the one way in which a launch becomes known."""

from __future__ import annotations

from datetime import UTC, datetime

from manifest_runner.launch.journal import Answer, JournaledItem
from manifest_runner.lockfile.model import LockedBatch, LockedItem, Lockfile, launched, new_launch
from manifest_runner.planning.diff import keep_requests


def record_answer(lockfile: Lockfile, answer: Answer) -> None:
    """A launched batch in the lockfile. To do it twice changes nothing, nor after later launches of its items.

    An interrupt can come halfway; to do it again then completes it, which is why the batch comes last.
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


def timestamp(seconds: float) -> str:
    """RFC 3339 in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
