"""Launches that exist already: found by their stamps and taken into the lockfile instead of being sent again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Literal

import msgspec

from manifest_runner.errors import ApprovalNeeded
from manifest_runner.ica.model import Analysis
from manifest_runner.launch.batches import journaled
from manifest_runner.launch.environment import LaunchEnvironment
from manifest_runner.launch.journal import JournaledItem
from manifest_runner.launch.polling import pauses
from manifest_runner.launch.record import launched, locked_analysis, new_launch
from manifest_runner.launch.search import age_order, stamped_analyses
from manifest_runner.planning.identity import digest_stamp
from manifest_runner.planning.plan import Launch
from manifest_runner.timestamps import seconds_of

AdoptMode = Literal["wait", "now", "never"]
Redigest = Callable[[Launch, int], str]

# A launch that is younger may still be creating its analyses.
SETTLING_SECONDS = 3600
MAX_UNSEEN_ATTEMPTS = 10


class Found(msgspec.Struct, frozen=True):
    """Analyses that exist: by each of their technical tags, the oldest of several, and all their userReferences."""

    by_stamp: Mapping[str, Analysis]
    references: Collection[str]

    def has(self, digest: str) -> bool:
        return digest_stamp(digest) in self.by_stamp


def adopt(env: LaunchEnvironment, launches: list[Launch], mode: AdoptMode, redigest: Redigest) -> list[Launch]:
    """Take launches that exist already into the lockfile; returns those that are to be sent.

    ``redigest`` gives the digest of a launch at another attempt. Raises ApprovalNeeded where another user's launch
    is still only partly visible when the deadline is over.
    """
    if mode == "never" or not launches:
        return launches
    seen = wait_for_all(env, len(launches), lambda found: _all_latest(launches, found, redigest), mode)
    if seen:
        env.notify(f"adopted {len(seen)} analyses that were launched elsewhere")
        adopt_all(env, seen)
    known = {item.user_reference for item in seen}
    return [launch for launch in launches if launch.user_reference not in known]


def wait_for_all(
    env: LaunchEnvironment,
    due: int,
    hits: Callable[[Found], Iterable[JournaledItem]],
    mode: AdoptMode,
    *,
    coming: bool = False,
) -> dict[JournaledItem, Analysis]:
    """Which of the ``due`` items exist.

    Waits for all of them while a recent launch is only partly visible, or where one is known to be ``coming``.
    """
    seen: dict[JournaledItem, Analysis] = {}
    for attempt, pause in enumerate(pauses(env.poll_interval)):
        found = _search(env)
        seen = {item: found.by_stamp[digest_stamp(item.digest)] for item in hits(found)}
        if len(seen) == due or mode == "now" or not (coming or _is_recent(env, seen.values())):
            break
        _wait_for_the_rest(env, len(seen), due, attempt, pause)
    return seen


def adopt_all(env: LaunchEnvironment, seen: Mapping[JournaledItem, Analysis]) -> None:
    """Take analyses into the lockfile. They are on disk before anything else happens."""
    for item, analysis in seen.items():
        _adopt(env, item, analysis)
    env.save()


def _adopt(env: LaunchEnvironment, item: JournaledItem, analysis: Analysis) -> None:
    env.lockfile.items[item.user_reference] = launched(
        env.lockfile.items.get(item.user_reference),
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


def _search(env: LaunchEnvironment) -> Found:
    by_stamp: dict[str, Analysis] = {}
    references: set[str] = set()
    for analysis in sorted(stamped_analyses(env.client, env.lockfile.name), key=age_order):
        references.add(analysis.user_reference)
        for stamp in analysis.technical_tags:
            by_stamp.setdefault(stamp, analysis)
    return Found(by_stamp, references)


def _all_latest(launches: Iterable[Launch], found: Found, redigest: Redigest) -> Iterator[JournaledItem]:
    for launch in launches:
        if (latest := _latest(launch, found, redigest)) is not None:
            yield journaled(latest)


def _latest(launch: Launch, found: Found, redigest: Redigest) -> Launch | None:
    """The launch, as the last attempt at it that exists; None where there is none.

    Somebody whose lockfile we have not seen may have tried a failed item again, and that may have ended well.
    """
    latest = launch if found.has(launch.digest) else None
    if launch.user_reference not in found.references:
        return latest
    for attempt in range(launch.attempt + 1, launch.attempt + MAX_UNSEEN_ATTEMPTS):
        later = launch._replace(attempt=attempt, digest=redigest(launch, attempt))
        if found.has(later.digest):
            latest = later
    return latest


def _is_recent(env: LaunchEnvironment, seen: Iterable[Analysis]) -> bool:
    """Also true for one that does not say when it was created: waiting costs less than launching twice."""
    times = [seconds_of(analysis.time_created) for analysis in seen]
    return any(time is None or env.client.now() - time < SETTLING_SECONDS for time in times)


def _wait_for_the_rest(env: LaunchEnvironment, seen: int, due: int, attempt: int, pause: float) -> None:
    if attempt == 0:
        env.notify(
            f"another user's launch of this manifest is only partly visible: {seen} of {due} analyses exist so far; "
            "waiting for the rest. An item that failed to be created never shows up: --adopt now goes on at once"
        )
    if env.deadline.left() <= pause:  # after that there is no time for another search
        raise ApprovalNeeded(
            f"another user's launch is only partly visible: {seen} of the {due} analyses that are due exist so far, "
            "and the launch is less than an hour old. Nothing was sent. Run again later, or launch the rest at once "
            "with --adopt now."
        )
    env.sleep(pause)
