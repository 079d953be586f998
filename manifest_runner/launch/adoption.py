"""Adopt launches that already exist: wait until all of them show, and record them instead of sending them again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Literal

from msgspec import structs

from manifest_runner.errors import ApprovalNeeded, Unreachable
from manifest_runner.launch.environment import LaunchEnvironment
from manifest_runner.launch.following.polling import pauses
from manifest_runner.launch.journal.journal import JournaledItem
from manifest_runner.launch.matching import FoundAnalyses, KnownAs, Match, existing, find_stamped, latest_attempts
from manifest_runner.launch.record import adopted_launch, launched
from manifest_runner.planning.plan import Launch
from manifest_runner.text import counted
from manifest_runner.timestamps import seconds_of

AdoptMode = Literal["wait", "now", "never"]

# A launch that is younger may still be creating its analyses.
SETTLING_SECONDS = 3600


def adopt(env: LaunchEnvironment, launches: list[Launch], mode: AdoptMode, known_as: KnownAs) -> list[Launch]:
    """Take launches that already exist into the lockfile; returns the ones that are still to be sent.

    ``known_as`` gives every digest of a launch at another attempt. Raises ApprovalNeeded if
    another run's launch is still only partly visible at the deadline.
    """
    if mode == "never" or not launches:
        return launches
    hits = partial(latest_attempts, env, launches, known_as)
    awaits = partial(_awaits, env, _ends(env, launches, known_as))
    seen = wait_for_all(env, len(launches), hits, mode, awaits)
    if seen:
        analyses = counted(len(seen), "analysis that was", "analyses that were")
        env.notify(f"adopted {analyses} launched elsewhere")
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


def adopt_reused(env: LaunchEnvironment, key: str, items: Sequence[JournaledItem], body: bytes) -> bool:
    """Adopt what exists of a batch whose key was used with another body; returns whether that is all of it.

    The bytes of one launch differ where a URL in it was signed again, or where `stamp` was flipped.
    """
    seen = existing(items, body, find_stamped(env))
    if seen:
        env.notify(f"its idempotency key was used before: adopted {len(seen)} of its analyses by their stamps")
        adopt_all(env, seen)
    is_all = len(seen) == len(items)
    if is_all and key in env.journal.pending:
        env.journal.release(key)
    return is_all


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
