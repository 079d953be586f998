"""Exactly once: settle what a crash left, adopt what others launched, send the rest (see ``journal`` for the why)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from manifest_runner.errors import ApprovalNeeded, KeyReused, Refused, Unreachable
from manifest_runner.ica.model import Analysis
from manifest_runner.ica.retry import Deadline
from manifest_runner.launch.batches import PreparedBatch
from manifest_runner.launch.journal import Journal, JournaledItem, Post
from manifest_runner.launch.polling import pauses
from manifest_runner.launch.record import launched, locked_analysis, new_launch, record_answer
from manifest_runner.lockfile.model import Lockfile
from manifest_runner.planning.identity import digest_stamp, name_stamp
from manifest_runner.planning.plan import Launch
from manifest_runner.timestamps import seconds_of, timestamp

if TYPE_CHECKING:  # requests is imported when something is to be said
    from manifest_runner.ica.client import Client

AdoptMode = Literal["wait", "now", "never"]

# The API honours a key for seven days; the last hour is left to clocks that disagree.
DEFAULT_KEY_WINDOW = 7 * 24 * 3600 - 3600
HALF_SEEN_SECONDS = 3600
MAX_UNSEEN_ATTEMPTS = 10
# Refusals of who asks, not of what: with the right credential the same batch may be let in.
_OF_WHO_ASKS = frozenset({401, 403, 404, 407})


@dataclass(frozen=True, slots=True)
class Found:
    """Analyses that exist: by each of their technical tags, the oldest of several, and all their userReferences."""

    by_stamp: Mapping[str, Analysis]
    references: Collection[str]

    def has(self, digest: str) -> bool:
        return digest_stamp(digest) in self.by_stamp


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

    def settle(self, mode: AdoptMode = "wait") -> None:
        """POST every unanswered batch again, with its own bytes and key, while the key is sure to be honoured.

        It is honoured for a week, and for the user who sent it. Raises ApprovalNeeded for a
        batch whose key is of no use and that has no stamps to find it by, or is half seen.
        """
        self.journal.sync()
        for post in list(self.journal.pending.values()):
            self.notify(f"settling a batch of {len(post.items)} that was sent without an answer")
            age = self._age(post)
            if -HALF_SEEN_SECONDS < age < self.key_window and post.by == self.client.user:
                self._settle_by_key(post, age, mode)
            else:
                self._settle_by_stamps(post, mode)

    def _age(self, post: Post) -> float:
        """Seconds, as many as any clock makes it: what may be forgotten is not relied on.

        Ours may have jumped while nobody looked, so the server is asked, but for what seems to be of this hour.
        """
        if not 0 <= self.clock() - post.at < HALF_SEEN_SECONDS and self.client.server_now() is None:
            self.client.ask_time()
        now = self.client.server_now()
        by_server = [now - at for at in (post.at, post.server_at) if at is not None] if now is not None else []
        return max([self.clock() - post.at, *by_server])

    def _settle_by_key(self, post: Post, age: float, mode: AdoptMode) -> None:
        """POST a batch again. Where it is refused now, what a lost try launched shows within an hour, or never."""
        try:
            self._send(post, again=True)
        except Refused as e:
            is_kept, is_early = post.key in self.journal.pending, age < HALF_SEEN_SECONDS and mode != "now"
            if not is_kept or e.status in _OF_WHO_ASKS or not post.stamped or is_early:
                raise
            seen = self._seen(len(post.items), partial(_existing, post), "now")
            self._adopt_all(seen)
            self.journal.release(post.key)
            if not seen:
                raise

    def _settle_by_stamps(self, post: Post, mode: AdoptMode) -> None:
        """Adopt what exists of a batch. Nothing of it: send it again, and a key that is known after all does no harm.

        What is missing beside something recent may still be created: after a second first POST, or by a wrong clock.
        So may all of it, when another user has just sent it.
        """
        if not post.stamped:
            first = post.items[0].user_reference
            raise ApprovalNeeded(
                f"{self.journal.path}: a batch of {len(post.items)} items, from {first!r} on, was sent at "
                f"{timestamp(post.at)} and never answered. Its key is forgotten by now, or was another user's, and the "
                "items have no stamp (`stamp: false`). Look for them in ICA; if they exist, rebuild the lockfile with "
                "`manifest-runner import --batch-id`; then move the journal away. Nothing new was sent."
            )
        if foreign := post.by != self.client.user:
            self.notify("it was sent with another credential, for which alone its key counts: looking for its analyses")
        coming = foreign and abs(self._age(post)) < HALF_SEEN_SECONDS
        seen = self._seen(len(post.items), partial(_existing, post), mode, coming=coming)
        if not seen:
            self._send(post, again=True)
            return
        self._adopt_all(seen)
        self.journal.release(post.key)

    # -- what others launched

    def adopt(self, launches: list[Launch], mode: AdoptMode) -> list[Launch]:
        """Take launches that exist already into the lockfile; gives those that are to be sent.

        Raises ApprovalNeeded where somebody's launch is still half seen when the deadline is over.
        """
        if mode == "never" or not launches:
            return launches
        seen = self._seen(len(launches), lambda found: self._all_latest(launches, found), mode)
        if seen:
            self.notify(f"adopted {len(seen)} analyses that were launched elsewhere")
            self._adopt_all(seen)
        known = {item.user_reference for item in seen}
        return [launch for launch in launches if launch.user_reference not in known]

    def _seen(
        self, due: int, hits: Callable[[Found], Iterable[JournaledItem]], mode: AdoptMode, *, coming: bool = False
    ) -> dict[JournaledItem, Analysis]:
        """Which of the ``due`` items exist; waits for all of them while a recent launch is half seen, or ``coming``."""
        seen: dict[JournaledItem, Analysis] = {}
        for attempt, pause in enumerate(pauses(self.poll_interval)):
            found = self._search()
            seen = {item: found.by_stamp[digest_stamp(item.digest)] for item in hits(found)}
            if len(seen) == due or mode == "now" or not (coming or self._is_recent(seen.values())):
                break
            self._wait_for_the_rest(len(seen), due, attempt, pause)
        return seen

    def _all_latest(self, launches: Iterable[Launch], found: Found) -> Iterator[JournaledItem]:
        for launch in launches:
            if (latest := self._latest(launch, found)) is not None:
                yield _journaled(latest)

    def _latest(self, launch: Launch, found: Found) -> Launch | None:
        """The launch, as the last attempt at it that exists; None where there is none.

        Somebody whose lockfile we have not seen may have tried a failed item again, and that may have ended well.
        """
        latest = launch if found.has(launch.digest) else None
        if launch.user_reference not in found.references:
            return latest
        for attempt in range(launch.attempt + 1, launch.attempt + MAX_UNSEEN_ATTEMPTS):
            later = launch._replace(attempt=attempt, digest=self.redigest(launch, attempt))
            if found.has(later.digest):
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

    def _is_recent(self, seen: Iterable[Analysis]) -> bool:
        """Also what does not say when it was created: to wait costs less than to launch twice."""
        times = [seconds_of(analysis.time_created) for analysis in seen]
        return any(time is None or self.client.now() - time < HALF_SEEN_SECONDS for time in times)

    def _wait_for_the_rest(self, seen: int, due: int, attempt: int, pause: float) -> None:
        if attempt == 0:
            self.notify(
                f"a launch of this manifest is half seen: {seen} of {due} are there; waiting for the rest. What failed "
                "to be created never shows: then --adopt now goes on at once"
            )
        if self.deadline.left() <= pause:  # after that there is no time for another search
            raise ApprovalNeeded(
                f"a launch is half seen: {seen} of the {due} analyses that are due exist by now, and it is less than "
                "an hour old. Nothing was sent. Run again later, or launch the rest at once with --adopt now."
            )
        self.sleep(pause)

    def _adopt_all(self, seen: Mapping[JournaledItem, Analysis]) -> None:
        """They are on disk before anything else happens."""
        for item, analysis in seen.items():
            self._adopt(item, analysis)
        self.save()

    def _adopt(self, item: JournaledItem, analysis: Analysis) -> None:
        self.lockfile.items[item.user_reference] = launched(
            self.lockfile.items.get(item.user_reference),
            new_launch(
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
        items = tuple(map(_journaled, batch.launches))
        at, server_at = self.clock(), self.client.server_now()
        post = Post(batch.key, batch.body, at, stamped, self.client.user, items, server_at)
        self.journal.post(post)
        self._send(post, again=False)

    def _send(self, post: Post, *, again: bool) -> None:
        try:
            batch = self.client.create_batch(post.key, post.body)
        except Refused as e:
            # Had these bytes been executed under a key that was used with others, they would have been answered again.
            if isinstance(e, KeyReused) or not (e.maybe_executed or again):
                self.journal.release(post.key)
            else:
                self.notify(
                    "an earlier try of this batch was lost and may have been executed, so it stays in the journal. "
                    "Once the cause is mended run again; what ICA goes on refusing is looked for after an hour, or at "
                    "once with --adopt now"
                )
            raise
        except Unreachable as e:
            if not (e.maybe_executed or again):
                self.journal.release(post.key)
            raise
        self.journal.answer(post.key, batch.id, batch.status)
        record_answer(self.lockfile, self.journal.answers[-1])
        self.journal.forget_body()


def _existing(post: Post, found: Found) -> list[JournaledItem]:
    return [item for item in post.items if found.has(item.digest)]


def _journaled(launch: Launch) -> JournaledItem:
    return JournaledItem(launch.user_reference, launch.digest, launch.kind, launch.revision, launch.attempt)
