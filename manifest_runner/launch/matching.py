"""Find launches that already exist: match the analyses of a manifest, by their stamps, with what is to be launched."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec
import orjson

from manifest_runner.ica.model import Analysis
from manifest_runner.launch.batches import journaled
from manifest_runner.launch.environment import LaunchEnvironment
from manifest_runner.launch.journal.journal import JournaledItem
from manifest_runner.launch.stamp_search import age_order, stamped_analyses
from manifest_runner.lockfile.model import LockedItem
from manifest_runner.lockfile.requests import requests_in
from manifest_runner.model import ABORTED_ANALYSIS
from manifest_runner.planning.identity import digest_stamp
from manifest_runner.planning.known_digests import Identities, KnownDigest
from manifest_runner.planning.launched_requests import request_hash
from manifest_runner.planning.plan import Handle, Launch

MAX_UNSEEN_ATTEMPTS = 10


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


def latest_attempts(
    env: LaunchEnvironment, launches: Iterable[Launch], known_as: KnownAs, found: FoundAnalyses
) -> Iterator[Match]:
    """The latest existing attempt at each launch that has one."""
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


def existing(items: Iterable[JournaledItem], body: bytes, found: FoundAnalyses) -> list[Match]:
    """The items of a batch with this body that exist."""
    seen = {item: analysis for item in items if (analysis := found.get(item.digest)) is not None}
    requests = requests_in(body) if seen else {}
    return [
        Match(item, analysis, request_hash(item.kind, requests[item.user_reference].decoded()))
        for item, analysis in seen.items()
    ]
