"""Exactly once: settle what a crash left, adopt what others launched, send the rest (see ``journal`` for the why)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Literal

from manifest_runner.backoff import Deadline
from manifest_runner.batches import PreparedBatch
from manifest_runner.changes import keep_batch
from manifest_runner.errors import ApprovalNeeded, Refused
from manifest_runner.journal import Answer, Journal, JournaledItem, Post
from manifest_runner.keys import digest_stamp, name_stamp
from manifest_runner.lockfile import LockedBatch, LockedItem, Lockfile, launched, locked_analysis
from manifest_runner.model import Analysis
from manifest_runner.plan import Launch
from manifest_runner.polling import pauses

if TYPE_CHECKING:  # requests is imported when something is to be said
    from manifest_runner.client import Client

AdoptMode = Literal["wait", "now", "never"]

# The API honours a key for seven days; the last hour is left to clocks that disagree.
DEFAULT_KEY_WINDOW = 7 * 24 * 3600 - 3600
HALF_SEEN_SECONDS = 3600
MAX_UNSEEN_ATTEMPTS = 10
# Refusals that are given before the server looks at the key, so they say nothing about an earlier try.
_SAYS_NOTHING = frozenset({401, 403, 404, 407, 409})


@dataclass(frozen=True, slots=True)
class Found:
    """Analyses that exist: by each of their technical tags, the oldest of several, and all their userReferences."""

    by_stamp: Mapping[str, Analysis]
    references: Collection[str]


@dataclass
class Submitter:
    """Sends batches and keeps journal and lockfile in step.

    ``save`` writes the lockfile to disk; ``redigest`` tells the digest of a launch at another attempt.
    """

    client: Client
    journal: Journal
    lockfile: Lockfile
    save: Callable[[], None]
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    notify: Callable[[str], None]
    deadline: Deadline
    key_window: float = DEFAULT_KEY_WINDOW
    poll_interval: float | None = None
    redigest: Callable[[Launch, int], str] = lambda launch, _attempt: launch.digest

    # -- what a crash left

    def take_answers(self) -> None:
        """Bring batches that were answered before the crash into the lockfile."""
        for answer in self.journal.answers:
            record_answer(self.lockfile, answer)

    def settle(self) -> None:
        """POST every unanswered batch again, with its own bytes and key, while the key is sure to be honoured.

        Raises ApprovalNeeded for one that outlived its key and has no stamps to find it by.
        """
        for post in list(self.journal.pending.values()):
            self.notify(f"settling a batch of {len(post.items)} that was sent without an answer")
            age = self.clock() - post.at
            if -HALF_SEEN_SECONDS < age < self.key_window:
                self._send(post, again=True)
            else:
                self._settle_by_stamps(post)

    def _settle_by_stamps(self, post: Post) -> None:
        if not post.stamped:
            first = post.items[0].user_reference
            raise ApprovalNeeded(
                f"{self.journal.path}: a batch of {len(post.items)} items, from {first!r} on, was sent at "
                f"{timestamp(post.at)} and never answered. Its key is forgotten by now, and the items have no stamp "
                "(`stamp: false`). Look for them in ICA; if they exist, rebuild the lockfile with `manifest-runner "
                "import --batch-id`; then move the journal away. Nothing new was sent."
            )
        found = self._search().by_stamp
        hits = [item for item in post.items if digest_stamp(item.digest) in found]
        if not hits:
            self._send(post, again=True)
            return
        for item in hits:
            self._adopt(item, found[digest_stamp(item.digest)])
        self.save()
        self.journal.release(post.key)

    # -- what others launched

    def adopt(self, launches: list[Launch], mode: AdoptMode) -> list[Launch]:
        """Take launches that exist already into the lockfile; gives those that are to be sent.

        Raises ApprovalNeeded where somebody's launch is still half seen when the deadline is over.
        """
        if mode == "never" or not launches:
            return launches
        pause = iter(pauses(self.poll_interval))
        for attempt in count():
            found = self._search()
            hits = [hit for launch in launches if (hit := self._latest(launch, found)) is not None]
            known = {hit.user_reference for hit in hits}
            missing = [launch for launch in launches if launch.user_reference not in known]
            if not hits or not missing or mode == "now" or not self._is_recent(found, hits):
                break
            self._wait_for_others(len(hits), len(launches), attempt, next(pause))
        for launch in hits:
            item = JournaledItem(launch.user_reference, launch.digest, launch.kind, launch.revision, launch.attempt)
            self._adopt(item, found.by_stamp[digest_stamp(launch.digest)])
        if hits:
            self.notify(f"adopted {len(hits)} analyses that were launched elsewhere")
            self.save()
        return missing

    def _latest(self, launch: Launch, found: Found) -> Launch | None:
        """The launch, as the last attempt at it that exists; None where there is none.

        Somebody whose lockfile we have not seen may have tried a failed item again, and that may have ended well.
        """
        latest = launch if digest_stamp(launch.digest) in found.by_stamp else None
        if launch.user_reference not in found.references:
            return latest
        for attempt in range(launch.attempt + 1, launch.attempt + MAX_UNSEEN_ATTEMPTS):
            later = launch._replace(attempt=attempt, digest=self.redigest(launch, attempt))
            if digest_stamp(later.digest) in found.by_stamp:
                latest = later
        return latest

    def _search(self) -> Found:
        """The analyses of this manifest; the API's comparison of tags is its own affair, so ours is exact."""
        tag = name_stamp(self.lockfile.name)
        by_stamp: dict[str, Analysis] = {}
        references: set[str] = set()
        for analysis in self.client.search_analyses(technical_tags=(tag,)):
            if tag not in analysis.technical_tags:
                continue
            references.add(analysis.user_reference)
            for stamp in analysis.technical_tags:
                before = by_stamp.get(stamp)
                if before is None or (analysis.time_created or "") < (before.time_created or ""):
                    by_stamp[stamp] = analysis
        return Found(by_stamp, references)

    def _is_recent(self, found: Found, hits: Iterable[Launch]) -> bool:
        times = [found.by_stamp[digest_stamp(launch.digest)].time_created for launch in hits]
        newest = max((_seconds(text) for text in times if text), default=0.0)
        return self.clock() - newest < HALF_SEEN_SECONDS

    def _wait_for_others(self, seen: int, due: int, attempt: int, pause: float) -> None:
        if attempt == 0:
            self.notify(f"somebody else is launching this manifest: {seen} of {due} are there; waiting for the rest")
        if self.deadline.left() <= 0:
            raise ApprovalNeeded(
                f"somebody else's launch is half seen: {seen} of the {due} analyses that are due exist already, less "
                "than an hour old. Nothing was sent. Run again later, or launch the rest at once with --adopt now."
            )
        self.sleep(min(pause, self.deadline.left()))

    def _adopt(self, item: JournaledItem, analysis: Analysis) -> None:
        self.lockfile.items[item.user_reference] = launched(
            self.lockfile.items.get(item.user_reference),
            LockedItem(
                digest=item.digest,
                kind=item.kind,
                revision=item.revision,
                attempt=item.attempt,
                batch_id=None,
                status="SUCCEEDED",
                analysis=locked_analysis(analysis),
                adopted=True,
            ),
        )

    # -- sending

    def submit(self, batch: PreparedBatch, *, stamped: bool) -> None:
        """Journal a batch, POST it, journal the answer. Raises Refused, Unreachable, BadState."""
        items = tuple(
            JournaledItem(each.user_reference, each.digest, each.kind, each.revision, each.attempt)
            for each in batch.launches
        )
        post = Post(batch.key, batch.body, self.clock(), stamped, items)
        self.journal.post(post)
        self._send(post, again=False)

    def _send(self, post: Post, *, again: bool) -> None:
        try:
            batch = self.client.create_batch(post.key, post.body)
        except Refused as e:
            if not (e.maybe_executed or (again and e.status in _SAYS_NOTHING)):
                self.journal.release(post.key)
            raise
        self.journal.answer(post.key, batch.id, batch.status)
        record_answer(self.lockfile, self.journal.answers[-1])


def record_answer(lockfile: Lockfile, answer: Answer) -> None:
    """A launched batch in the lockfile; to record it twice changes nothing, also after later launches."""
    post = answer.post
    is_known = answer.batch_id in lockfile.batches
    kept = keep_batch(post.body)
    more = {"fields": list(kept.names), "shared": kept.shared}
    entry = LockedBatch(post.key, len(post.items), answer.status, timestamp(post.at), more)
    lockfile.batches.setdefault(answer.batch_id, entry)
    for item in post.items:
        if is_known and item.user_reference in lockfile.items:
            continue
        own = {"own": kept.own[item.user_reference]}
        new = LockedItem(item.digest, item.kind, item.revision, item.attempt, answer.batch_id, more=own)
        lockfile.items[item.user_reference] = launched(lockfile.items.get(item.user_reference), new)


def timestamp(seconds: float) -> str:
    """RFC 3339 in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seconds(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return 0.0
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
