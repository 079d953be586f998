"""Adopt launches that already exist: find them by their stamps, and record them instead of sending them again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Literal, NamedTuple

import msgspec
import orjson
from msgspec import structs

from manifest_runner.errors import ApprovalNeeded, Unreachable
from manifest_runner.ica.model import Analysis
from manifest_runner.launch.batches import journaled
from manifest_runner.launch.environment import LaunchEnvironment
from manifest_runner.launch.following.polling import pauses
from manifest_runner.launch.journal.journal import JournaledItem
from manifest_runner.launch.record import adopted_launch, launched
from manifest_runner.launch.stamp_search import age_order, stamped_analyses
from manifest_runner.lockfile.model import LockedItem
from manifest_runner.lockfile.requests import requests_in
from manifest_runner.model import ABORTED_ANALYSIS
from manifest_runner.planning.identity import digest_stamp
from manifest_runner.planning.known_digests import Identities, KnownDigest
from manifest_runner.planning.launched_requests import request_hash
from manifest_runner.planning.plan import Handle, Launch
from manifest_runner.timestamps import seconds_of

AdoptMode = Literal["wait", "now", "never"]


class KnownAs(msgspec.Struct, frozen=True):
    """The names and digests under which a launch may exist. ``fetch`` returns the bytes of a launch's request."""

    identities: Identities
    fetch: Callable[[Handle | None], bytes]

    def is_among(self, launch: Launch, references: Collection[str]) -> bool:
        names = (launch.user_reference, *self.identities.renames.former(launch.user_reference))
        return any(name in references for name in names)

    def request_hash(self, launch: Launch) -> str:
        """The hash of a launch's request, the same under all of its names and digests."""
        return request_hash(launch.kind, orjson.loads(self.fetch(launch.request)))

    def digests(self, launch: Launch, attempt: int) -> Iterator[KnownDigest]:
        return self.identities.all(launch, self.fetch(launch.request), attempt)


# A launch that is younger may still be creating its analyses.
SETTLING_SECONDS = 3600
MAX_UNSEEN_ATTEMPTS = 10


class FoundAnalyses(msgspec.Struct, frozen=True):
    """The analyses that exist, by each of their technical tags, and all their userReferences.

    Of several with one tag, the oldest that was not aborted counts, or the oldest if all were.
    """

    by_stamp: Mapping[str, Analysis]
    references: Collection[str]

    def get(self, digest: str) -> Analysis | None:
        return self.by_stamp.get(digest_stamp(digest))


class Match(NamedTuple):
    """A launch that exists, and the hash of its request. If the item's present digest differs, that is ``accepted``."""

    item: JournaledItem
    analysis: Analysis
    request_hash: str | None
    accepted: str | None = None
    renamed_from: str | None = None


def adopt(env: LaunchEnvironment, launches: list[Launch], mode: AdoptMode, known_as: KnownAs) -> list[Launch]:
    """Take launches that already exist into the lockfile; returns the ones that are still to be sent.

    ``known_as`` gives every digest of a launch at another attempt. Raises ApprovalNeeded if
    another run's launch is still only partly visible at the deadline.
    """
    if mode == "never" or not launches:
        return launches
    hits = partial(_all_latest, env, launches, known_as)
    awaits = partial(_awaits, env, _ends(env, launches, known_as))
    seen = wait_for_all(env, len(launches), hits, mode, awaits)
    if seen:
        env.notify(f"adopted {len(seen)} analyses that were launched elsewhere")
        adopt_all(env, seen)
    known = {match.item.user_reference for match in seen}
    return [launch for launch in launches if launch.user_reference not in known]


def wait_for_all(
    env: LaunchEnvironment,
    due: int,
    hits: Callable[[FoundAnalyses], Iterable[Match]],
    mode: AdoptMode,
    awaits: Callable[[Sequence[Match]], bool] | None = None,
) -> list[Match]:
    """Those of the ``due`` items that exist.

    Waits for the others as long as ``awaits`` is true for what exists; by default, while a recent launch is only partly
    visible.
    """
    awaits = awaits or partial(is_recent, env)
    seen: list[Match] = []
    for attempt, pause in enumerate(pauses(env.poll_interval)):
        try:
            seen = list(hits(find_stamped(env)))
        except Unreachable as e:
            if attempt and not env.deadline.left():  # the time ended in the middle of another search
                raise _partly_visible(len(seen), due) from e
            raise
        if len(seen) == due or mode == "now" or not awaits(seen):
            break
        _wait_for_the_rest(env, len(seen), due, attempt, pause)
    return seen


def _awaits(env: LaunchEnvironment, ends: Mapping[str, float], seen: Sequence[Match]) -> bool:
    """Whether more may show: what an earlier holder of the lease was sending, or else a recent launch by anybody.

    ``ends`` has the time until which each of those is waited for; after that, only while some of them are recent.
    """
    known = {match.item.user_reference for match in seen}
    missing = [end for name, end in ends.items() if name not in known]
    if any(env.clock() < end for end in missing):
        return True
    if env.is_complete:
        seen = [match for match in seen if missing and match.item.user_reference in ends]
    return is_recent(env, seen)


def _ends(env: LaunchEnvironment, launches: Iterable[Launch], known_as: KnownAs) -> dict[str, float]:
    """The time until which each launch that an earlier holder of the lease may have made can still show."""
    ends: dict[str, float] = {}
    for launch in launches if env.coming else ():
        digests = [known.digest for known in known_as.digests(launch, launch.attempt)]
        until = [each.until for each in env.coming if any(map(each.has, digests))]
        if until:
            ends[launch.user_reference] = max(until)
    return ends


def existing(items: Iterable[JournaledItem], body: bytes, found: FoundAnalyses) -> list[Match]:
    """The items of a batch with this body that exist."""
    seen = {item: analysis for item in items if (analysis := found.get(item.digest)) is not None}
    requests = requests_in(body) if seen else {}
    return [
        Match(item, analysis, request_hash(item.kind, requests[item.user_reference])) for item, analysis in seen.items()
    ]


def adopt_reused(env: LaunchEnvironment, items: Sequence[JournaledItem], body: bytes) -> bool:
    """Adopt what exists of a batch whose key was used with another body; returns whether that is all of it.

    The bytes of one launch differ where a URL in it was signed again, or where `stamp` was flipped.
    """
    seen = existing(items, body, find_stamped(env))
    if seen:
        env.notify(f"its idempotency key was used before: adopted {len(seen)} of its analyses by their stamps")
        adopt_all(env, seen)
    return len(seen) == len(items)


def adopt_all(env: LaunchEnvironment, seen: Iterable[Match]) -> None:
    """Record analyses in the lockfile, and write it to disk before anything else happens."""
    for match in seen:
        _adopt(env, match)
    env.save()


def _adopt(env: LaunchEnvironment, match: Match) -> None:
    item = match.item
    launch = structs.replace(
        adopted_launch(item.digest, item.kind, item.revision, item.attempt, match.analysis),
        accepted=match.accepted,
        renamed_from=match.renamed_from,
        plan_digest=env.origin.plan,
        request_hash=match.request_hash,
    )
    env.lockfile.items[item.user_reference] = launched(env.lockfile.items.get(item.user_reference), launch)


def find_stamped(env: LaunchEnvironment) -> FoundAnalyses:
    """All analyses of this manifest, also under its former names."""
    by_stamp: dict[str, Analysis] = {}
    references: set[str] = set()
    for analysis in sorted(stamped_analyses(env.client, env.names), key=_aborted_last):
        references.add(analysis.user_reference)
        for stamp in analysis.technical_tags:
            by_stamp.setdefault(stamp, analysis)
    return FoundAnalyses(by_stamp, references)


def _aborted_last(analysis: Analysis) -> tuple[bool, tuple[datetime, str]]:
    return analysis.status in ABORTED_ANALYSIS, age_order(analysis)


def _all_latest(
    env: LaunchEnvironment, launches: Iterable[Launch], known_as: KnownAs, found: FoundAnalyses
) -> Iterator[Match]:
    for launch in launches:
        before = env.lockfile.items.get(launch.user_reference)
        match = _latest(launch, found, known_as)
        if match is None and before is not None:
            match = _twin(launch, before, found, known_as)
        if match is not None:
            yield match


def _twin(launch: Launch, before: LockedItem, found: FoundAnalyses, known_as: KnownAs) -> Match | None:
    """Another launch with the digest of an aborted one, in case somebody cleaned up doubles."""
    twin = found.get(before.digest)
    if not before.was_aborted or twin is None or twin.status in ABORTED_ANALYSIS:
        return None
    if before.digest not in (known.digest for known in known_as.digests(launch, before.attempt)):
        return None
    item = journaled(launch._replace(attempt=before.attempt, digest=before.digest))
    return Match(item, twin, known_as.request_hash(launch), before.accepted)


def _latest(launch: Launch, found: FoundAnalyses, known_as: KnownAs) -> Match | None:
    """The last existing attempt at a launch; None if there is none.

    Somebody whose lockfile we have not seen may have retried a failed item with success.
    """
    analysis = found.get(launch.digest)
    latest = None if analysis is None else Match(journaled(launch), analysis, known_as.request_hash(launch))
    if not known_as.is_among(launch, found.references):
        return latest
    for attempt in range(launch.attempt, launch.attempt + MAX_UNSEEN_ATTEMPTS):
        latest = _at_attempt(launch, attempt, found, known_as) or latest
    return latest


def _at_attempt(launch: Launch, attempt: int, found: FoundAnalyses, known_as: KnownAs) -> Match | None:
    now = ""
    for digest, reference in known_as.digests(launch, attempt):
        now = now or digest
        if (analysis := found.get(digest)) is not None:
            item = journaled(launch._replace(attempt=attempt, digest=digest))
            renamed_from = None if reference == launch.user_reference else reference
            return Match(item, analysis, known_as.request_hash(launch), None if digest == now else now, renamed_from)
    return None


def is_recent(env: LaunchEnvironment, seen: Iterable[Match]) -> bool:
    """Also true if the creation time is unknown: waiting costs less than launching twice."""
    times = [seconds_of(match.analysis.time_created) for match in seen]
    return any(time is None or env.client.now() - time < SETTLING_SECONDS for time in times)


def _wait_for_the_rest(env: LaunchEnvironment, seen: int, due: int, attempt: int, pause: float) -> None:
    if attempt == 0:
        env.notify(
            f"another run's launch of this manifest is only partly visible: {seen} of {due} analyses exist so far; "
            "waiting for the rest. An item whose creation failed never shows up: --adopt now continues at once"
        )
    if env.deadline.left() <= pause:  # after that there is no time for another search
        raise _partly_visible(seen, due)
    env.sleep(pause)


def _partly_visible(seen: int, due: int) -> ApprovalNeeded:
    return ApprovalNeeded(
        f"another run's launch is only partly visible: {seen} of the {due} analyses that are due exist so far, "
        "and the launch is less than an hour old. Nothing was sent. Run again later, or launch the rest at once "
        "with --adopt now."
    )
