"""Record answered POSTs and analyses in the lockfile: the only way in which a launch becomes known."""

from __future__ import annotations

from msgspec import structs

from manifest_runner.ica.model import Analysis, BatchItem
from manifest_runner.launch.journal.journal import JournaledItem, PostAnswer
from manifest_runner.lockfile.model import LockedAnalysis, LockedBatch, LockedItem, Lockfile
from manifest_runner.lockfile.requests import keep_requests
from manifest_runner.model import FAILED_ANALYSIS, FINAL_JOB, Kind
from manifest_runner.signed_urls import mask_json
from manifest_runner.timestamps import timestamp


def record_answer(lockfile: Lockfile, answer: PostAnswer) -> None:
    """Record a launched batch. Doing it twice changes nothing, even after later launches of its items.

    An interrupt can come halfway; doing it again then completes the record, which is why the batch comes last.
    """
    post, batch_id = answer.post, answer.batch_id
    missing = [item for item in post.items if not _is_recorded(lockfile.items.get(item.user_reference), item, batch_id)]
    if batch_id in lockfile.batches:
        missing = _unknown(missing, lockfile, batch_id)
        if not missing:
            return
    for item in missing:
        new = new_launch(item.digest, item.kind, item.revision, item.attempt, batch_id)
        lockfile.items[item.user_reference] = launched(lockfile.items.get(item.user_reference), new)
    if batch_id not in lockfile.batches:
        lockfile.batches[batch_id] = LockedBatch(
            idempotency_key=post.key,
            items=len(post.items),
            status=answer.status,
            submitted_at=timestamp(post.at),
            requests=keep_requests(mask_json(post.body)),
            by=post.origin.by,
            source=post.origin.source,
            plan_digest=post.origin.plan,
        )


def _is_recorded(locked: LockedItem | None, item: JournaledItem, batch_id: str) -> bool:
    if locked is None:
        return False
    return any((each.digest, each.batch_id) == (item.digest, batch_id) for each in locked.launches)


def _unknown(items: list[JournaledItem], lockfile: Lockfile, batch_id: str) -> list[JournaledItem]:
    """The items that are not recorded under another name either: they may have been renamed since."""
    if not items:
        return items
    launches = (launch for item in lockfile.items.values() for launch in item.launches)
    digests = {launch.digest for launch in launches if launch.batch_id == batch_id}
    return [item for item in items if item.digest not in digests]


def new_launch(digest: str, kind: Kind, revision: str, attempt: int, batch_id: str | None) -> LockedItem:
    """A launch about whose item ICA has not been asked yet."""
    return LockedItem(digest, kind, revision, attempt, batch_id, None, None, None, None)


def adopted_launch(digest: str, kind: Kind, revision: str, attempt: int, analysis: Analysis) -> LockedItem:
    """A launch of which only the analysis was found: the batch that created it is not known."""
    launch = structs.replace(new_launch(digest, kind, revision, attempt, None), adopted=True)
    return with_analysis(launch, analysis)


def updated(item: LockedItem, seen: BatchItem) -> LockedItem:
    """A launch with what the API says about it now."""
    known = structs.replace(item, item_id=seen.id, status=seen.status, message=seen.message)
    return known if seen.analysis is None else with_analysis(known, seen.analysis)


def with_analysis(item: LockedItem, seen: Analysis) -> LockedItem:
    """A launch with its analysis as it is now. Of a failed analysis the API's summary is the message."""
    status = item.status if item.creation_failed else "SUCCEEDED"
    reason = seen.summary if seen.status in FAILED_ANALYSIS else None
    analysis = locked_analysis(seen, item.analysis)
    return structs.replace(item, status=status, message=reason or item.message, analysis=analysis)


def take_seen(lockfile: Lockfile, seen: Lockfile) -> None:
    """Bring the launches that have not ended up to date with what ``seen`` says of the same ones."""
    for reference, item in lockfile.items.items():
        ours = seen.items.get(reference)
        if ours is None or item.analysis_is_final or not _is_same(item, ours):
            continue
        if ours.status is not None and (ours.analysis is not None or item.analysis is None):
            known = structs.replace(item, item_id=ours.item_id, status=ours.status, message=ours.message)
            lockfile.items[reference] = structs.replace(known, analysis=ours.analysis)
    for batch_id, batch in lockfile.batches.items():
        if batch.status not in FINAL_JOB and batch_id in seen.batches:
            lockfile.batches[batch_id] = structs.replace(batch, status=seen.batches[batch_id].status)


def with_abort_request(item: LockedItem, analysis_id: str, at: str) -> LockedItem:
    """The item, noting that ICA was asked to abort this analysis of its current launch or a replaced one."""

    def noted(launch: LockedItem) -> LockedItem:
        is_it = launch.analysis is not None and launch.analysis.id == analysis_id
        return structs.replace(launch, abort_requested_at=at) if is_it else launch

    return structs.replace(noted(item), previous=tuple(map(noted, item.previous)))


def locked_analysis(seen: Analysis, before: LockedAnalysis | None) -> LockedAnalysis:
    """An analysis as the lockfile keeps it; times that were known before stay known."""
    start = seen.start_date or (before.start_date if before else None)
    end = seen.end_date or (before.end_date if before else None)
    return LockedAnalysis(seen.id, seen.reference, seen.status, start, end)


def launched(before: LockedItem | None, item: LockedItem) -> LockedItem:
    """A new launch of an item; the one that it replaces moves to ``previous`` as a whole."""
    if before is None:
        return item
    if _is_same(before, item):
        return structs.replace(before, removed=False)
    return structs.replace(item, previous=(*before.previous, before.alone))


def _is_same(one: LockedItem, other: LockedItem) -> bool:
    """A batch creates an item once; adopted launches differ only by their analyses."""
    if (one.digest, one.batch_id) != (other.digest, other.batch_id):
        return False
    ids = {each.analysis.id for each in (one, other) if each.analysis is not None}
    return one.batch_id is not None or len(ids) < 2
