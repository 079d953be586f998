"""Settle what a crash left: batches in the journal without an answer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from manifest_runner.errors import ApprovalNeeded, KeyReused, Refused
from manifest_runner.launch.adoption import (
    SETTLING_SECONDS,
    AdoptMode,
    adopt_all,
    adopt_reused,
    is_recent,
    wait_for_all,
)
from manifest_runner.launch.environment import LaunchEnvironment
from manifest_runner.launch.journal.journal import Post
from manifest_runner.launch.matching import Match, existing, find_stamped
from manifest_runner.launch.submit import send
from manifest_runner.lockfile.model import Lockfile
from manifest_runner.text import counted
from manifest_runner.timestamps import seconds_of, timestamp

# Refusals of the caller, not of the request: with the right credential the same batch may be accepted.
_OF_THE_CALLER = frozenset({401, 403, 404, 407})
# The first analysis of a batch exists sooner after its POST, another user's launch of the same items hardly ever does.
# Where that is wrong, a run adopts the analyses of its own batch, or another user's launch is found as a double.
ALONE_SECONDS = 60.0


def settle(env: LaunchEnvironment, mode: AdoptMode = "wait") -> None:
    """POST every unanswered batch again, with its own bytes and key, while the key is sure to be honoured.

    A key is honoured for a week, and for the user who sent it. Raises ApprovalNeeded for a batch whose key no longer
    helps and that has no stamps to find it by, or is only partly visible.
    What another user launched in the meantime is adopted: keys are honoured per user.
    """
    env.journal.sync()
    for post in list(env.journal.pending.values()):
        env.notify(f"settling a batch of {counted(len(post.items), 'item')} that was sent without an answer")
        if known := _known_digests(env.lockfile, post):
            _settle_known(env, post, known, mode)
            continue
        age = _age(env, post)
        is_known = -SETTLING_SECONDS < age < env.key_window and _is_ours(env, post)
        if is_known and not _was_launched_since(env, post, age, mode):
            _settle_by_key(env, post, age, mode)
        else:
            _settle_by_stamps(env, post, age, mode)


def _is_ours(env: LaunchEnvironment, post: Post) -> bool:
    """Whether its key is known to the API if the batch is, and nobody can have launched it under another key."""
    return post.by == env.client.user and not env.was_anothers


def _was_launched_since(env: LaunchEnvironment, post: Post, age: float, mode: AdoptMode) -> bool:
    """Whether another user seems to have launched some of a batch while it waited here: it may never have been sent.

    Then what exists was created too late to be of this POST. A batch that was sent just now is not searched for, since
    nobody else's launch would show yet.
    """
    if age < ALONE_SECONDS or not post.stamped or mode == "never":
        return False
    try:
        seen = list(existing(post.items, post.body, find_stamped(env)))
    except Refused:  # a credential that may not search can still send the batch again
        return False
    times = [seconds_of(match.analysis.time_created) for match in seen]
    first = min(filter(None, times), default=0.0)
    return first - (post.again_at or post.server_at or post.at) > ALONE_SECONDS


def _known_digests(lockfile: Lockfile, post: Post) -> set[str]:
    """Those of its items that were launched in another way: by a run that lost its lease, or in a merged lockfile.

    They may have other names there.
    """
    launched = {launch.digest for item in lockfile.items.values() for launch in item.launches}
    return launched.intersection(item.digest for item in post.items)


def _settle_known(env: LaunchEnvironment, post: Post, known: Collection[str], mode: AdoptMode) -> None:
    """Never send it again, whether or not it was executed. What the lockfile lacks is adopted, or planned again."""
    missing = [item for item in post.items if item.digest not in known]
    if missing and not post.stamped:
        raise _unknowable(env, post)
    if missing:
        adopt_all(env, wait_for_all(env, len(missing), partial(existing, missing, post.body), mode))
    env.journal.release(post.key)


def _age(env: LaunchEnvironment, post: Post) -> float:
    """The batch's age in seconds, by the clock that makes it oldest: a key that may have expired is not relied on.

    Our clock may have jumped in the meantime, so the server is asked, unless the batch seems to be of this hour.
    """
    if not 0 <= env.clock() - post.at < SETTLING_SECONDS and env.client.server_now() is None:
        env.client.ask_time()
    now = env.client.server_now()
    by_server = [now - at for at in (post.at, post.server_at) if at is not None] if now is not None else []
    return max([env.clock() - post.at, *by_server])


def _settle_by_key(env: LaunchEnvironment, post: Post, age: float, mode: AdoptMode) -> None:
    """POST a batch again. If that is refused, whatever an earlier try launched shows within an hour, or never."""
    try:
        send(env, post, again=True)
    except Refused as e:
        if isinstance(e, KeyReused) and post.stamped and adopt_reused(env, post.key, post.items, post.body):
            return
        is_early = age < SETTLING_SECONDS and mode != "now"
        if e.status in _OF_THE_CALLER or not post.stamped or is_early:
            raise
        seen = wait_for_all(env, len(post.items), partial(existing, post.items, post.body), "now")
        adopt_all(env, seen)
        env.journal.release(post.key)
        if not seen:
            raise


def _settle_by_stamps(env: LaunchEnvironment, post: Post, age: float, mode: AdoptMode) -> None:
    """Adopt what exists of a batch. If nothing does, send it again: if ICA still knows the key, that does no harm.

    Items that are missing beside recent ones may still be created: a repeated POST may have been the first to arrive,
    or a clock may be wrong. All of them may still be created if another user has just sent the batch.
    """
    if not post.stamped:
        raise _unknowable(env, post)
    if foreign := not _is_ours(env, post):
        env.notify(
            "it was sent with another credential, or another run may have launched it since: searching for its stamps"
        )
    is_coming = foreign and abs(age) < SETTLING_SECONDS
    end = env.clock() + (SETTLING_SECONDS - max(0.0, age) if is_coming else 0.0)

    def awaits(seen: Sequence[Match]) -> bool:
        return env.clock() < end or is_recent(env, seen)

    seen = wait_for_all(env, len(post.items), partial(existing, post.items, post.body), mode, awaits)
    if not seen:
        send(env, post, again=True)
        return
    adopt_all(env, seen)
    env.journal.release(post.key)


def _unknowable(env: LaunchEnvironment, post: Post) -> ApprovalNeeded:
    first = post.items[0].user_reference
    return ApprovalNeeded(
        f"{env.journal.where}: a batch of {counted(len(post.items), 'item')}, starting with {first!r}, was sent at "
        f"{timestamp(post.at)} and never answered. Its idempotency key has expired or belongs to another user, or "
        "another run launched a part of it, and the items have no stamp (`stamp: false`). Look for them in ICA; if "
        "they exist, rebuild the lockfile with `manifest-runner import --batch-id`; then move the journal away. "
        "Nothing new was sent."
    )
