"""What --retries launches again: the failures that count, the tries of each item, and its next attempt. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from manifest_runner.launch.journal.journal import Journal
from manifest_runner.lockfile.model import LockedItem
from manifest_runner.planning.attempts import next_attempt
from manifest_runner.planning.plan import Launch

Redigest = Callable[[Launch, int], str]


def may_fail_again(item: LockedItem) -> bool:
    """Whether another attempt at a failed launch may succeed; an aborted one was stopped on purpose."""
    return item.failed and not item.was_aborted


def retries_in(journal: Journal) -> Counter[str]:
    """How often each item was launched again by --retries, in this run and in the one that it continues."""
    return Counter(item.user_reference for answer in journal.answers if answer.post.retry for item in answer.post.items)


def launches_in(journal: Journal) -> Iterator[str]:
    """The items launched in this run and in the one that it continues, once for each launch."""
    return (item.user_reference for answer in journal.answers for item in answer.post.items)


def relaunch(launch: Launch, before: LockedItem, redigest: Redigest) -> Launch:
    """The next attempt at an item, one that no launch of it has had."""
    attempt, digest = next_attempt(before, before.attempt + 1, lambda at: redigest(launch, at))
    return launch._replace(attempt=attempt, digest=digest)
