"""Launches that exist more than once: two runs started together on two machines, before either could see the other.

Everybody keeps the same one, the oldest, so that two who clean up at once do not abort both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from manifest_runner.ica.model import Analysis
from manifest_runner.launch.record import adopted_launch, launched, with_abort_request
from manifest_runner.launch.stamp_search import age_order, stamped_analyses
from manifest_runner.lockfile.model import LockedItem, Lockfile
from manifest_runner.model import ABORTED_ANALYSIS
from manifest_runner.planning.identity import DIGEST_STAMP, STAMP_DIGITS, digest_stamp
from manifest_runner.planning.launched_requests import LaunchedRequests

if TYPE_CHECKING:  # requests is imported only when something is sent
    from manifest_runner.ica.client import Client


class Double(msgspec.Struct, frozen=True):
    """One launch that exists more than once. ``analyses`` are those that were not aborted, the oldest first.

    Of a digest that the lockfile does not know, only the part in the stamp is known.
    """

    user_reference: str
    digest: str
    analyses: tuple[Analysis, ...]


class StampedAnalyses(msgspec.Struct, frozen=True):
    """The analyses of a manifest that were not aborted, by digest stamp, the oldest first; and the ids of all."""

    by_stamp: dict[str, list[Analysis]]
    ids: Collection[str]


def find_analyses(client: Client, names: Sequence[str]) -> StampedAnalyses:
    """All analyses of a manifest, under its name and its former ones."""
    by_stamp: dict[str, list[Analysis]] = {}
    ids: set[str] = set()
    for analysis in sorted(stamped_analyses(client, names), key=age_order):
        ids.add(analysis.id)
        stamps = {tag for tag in analysis.technical_tags if tag.startswith(DIGEST_STAMP)}
        for stamp in stamps if analysis.status not in ABORTED_ANALYSIS else ():
            by_stamp.setdefault(stamp, []).append(analysis)
    return StampedAnalyses(by_stamp, ids)


def doubles_among(found: StampedAnalyses, lockfile: Lockfile) -> list[Double]:
    """The launches that exist more than once, in order of the userReferences that their items have now.

    An analysis that ICA was asked to abort ends soon and no longer counts.
    """
    stamps = [stamp for stamp, analyses in found.by_stamp.items() if len(analyses) > 1]
    launches = [(name, each) for name, item in lockfile.items.items() for each in item.launches] if stamps else []
    known = {digest_stamp(launch.digest): (name, launch.digest) for name, launch in launches}
    ending = {launch.analysis.id for _, launch in launches if launch.analysis and launch.abort_requested_at}
    doubles = []
    for stamp in stamps:
        analyses = tuple(each for each in found.by_stamp[stamp] if each.id not in ending)
        if len(analyses) > 1:
            name, digest = known.get(stamp, (analyses[0].user_reference, _half(stamp)))
            doubles.append(Double(name, digest, analyses))
    return sorted(doubles, key=lambda double: (double.user_reference, double.digest))


def double_words(double: Double) -> str:
    """A launch that exists more than once, with the ids of its analyses, the oldest first."""
    return f"{double.user_reference}: analyses {', '.join(each.id for each in double.analyses)}"


def keep_oldest(lockfile: Lockfile, found: StampedAnalyses, aborted: Collection[str] = ()) -> list[str]:
    """Take the oldest analysis in place of one that is aborted, or among the ids that are about to be ``aborted``.

    Returns the userReferences of the items whose launch was replaced.
    """
    replaced = []
    requests = LaunchedRequests(lockfile)
    for reference, item in lockfile.items.items():
        oldest = next(iter(found.by_stamp.get(digest_stamp(item.digest), ())), None)
        if oldest is not None and _is_given_up(item, oldest, aborted):
            replaced.append(reference)
            sent = requests.hash_of(item, item.renamed_from or reference)
            lockfile.items[reference] = _adopted(item, oldest, sent)
    return replaced


def _is_given_up(item: LockedItem, oldest: Analysis, aborted: Collection[str]) -> bool:
    analysis = item.analysis
    if analysis is None or analysis.id == oldest.id:
        return False
    return analysis.id in aborted or analysis.status in ABORTED_ANALYSIS


def _adopted(item: LockedItem, analysis: Analysis, request_hash: str | None) -> LockedItem:
    kept = structs.replace(
        adopted_launch(item.digest, item.kind, item.revision, item.attempt, analysis),
        accepted=item.accepted,
        renamed_from=item.renamed_from,
        removed=item.removed,
        plan_digest=item.plan_digest,
        request_hash=request_hash,
    )
    return launched(item, kept)


def record_aborts(lockfile: Lockfile, doubles: Iterable[Double], aborted: Collection[str], at: str) -> None:
    """Record in the items' launches that ICA was asked to abort these analyses, those of other lockfiles included."""
    newer = {double.digest: [each for each in double.analyses if each.id in aborted] for double in doubles}
    for reference, item in lockfile.items.items():
        launches = item.launches
        for digest in dict.fromkeys(each.digest for each in launches if each.analysis is not None):
            for analysis in newer.get(digest, ()):
                lockfile.items[reference] = _with_abort(lockfile.items[reference], digest, analysis, at)


def _with_abort(item: LockedItem, digest: str, analysis: Analysis, at: str) -> LockedItem:
    if not any(each.analysis and each.analysis.id == analysis.id for each in item.launches):
        attempt = next(each.attempt for each in item.launches if each.digest == digest)
        launch = adopted_launch(digest, item.kind, item.revision, attempt, analysis)
        item = structs.replace(item, previous=(*item.previous, launch))
    return with_abort_request(item, analysis.id, at)


def _half(stamp: str) -> str:
    return stamp.removeprefix(DIGEST_STAMP)[:STAMP_DIGITS]


def all_visible(found: StampedAnalyses, lockfile: Lockfile, references: Iterable[str]) -> bool:
    """Whether a search shows all analyses that these items have."""
    analyses = (lockfile.items[reference].analysis for reference in references)
    return all(analysis.id in found.ids for analysis in analyses if analysis is not None)
