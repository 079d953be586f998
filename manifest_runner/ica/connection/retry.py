"""Retry a request until there is an answer, a refusal or no more time.

The arithmetic of the pauses is pure; only `RetryPolicy` waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple, TypeVar

import msgspec

from manifest_runner.errors import Refused, Unreachable

T = TypeVar("T")

SAFE = "The state is saved and the same command is safe to repeat."

# The pauses after the first, second … failure, in seconds; after the last of them the next failure is final.
DELAYS = (0.5, 2.0, 10.0, 30.0)
# Jitter only ever adds: a pause is never shorter than promised to the server.
SPREAD = 0.25
# A conflict means that the server is alive and busy with our own request, so asking stays frequent.
LONGEST_CONFLICT_PAUSE = 5.0


# -- time


class Deadline(msgspec.Struct, frozen=True):
    """A moment on a monotonic clock after which nothing is tried again."""

    end: float
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> Deadline:
        return cls(clock() + seconds, clock)

    def left(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(0.0, self.end - self.clock())


def pause_after_failure(failures: int, jitter: float, asked: float | None = None) -> float | None:
    """Seconds to wait after the given number of failures (from 1); None when that was the last try.

    ``jitter`` is in [0, 1). ``asked`` is the server's Retry-After in seconds and replaces the schedule, but a
    server that asks for 0 still gets the shortest pause of it.
    """
    if failures > len(DELAYS):
        return None
    return _pause(DELAYS[failures - 1], jitter, asked)


def pause_after_conflict(conflicts: int, jitter: float, asked: float | None = None) -> float:
    """Seconds to wait after the given number of 409 answers (from 1); only the deadline ends these."""
    doubled = DELAYS[0] * 2 ** min(conflicts - 1, 10)
    return _pause(min(doubled, LONGEST_CONFLICT_PAUSE), jitter, asked)


def _pause(planned: float, jitter: float, asked: float | None) -> float:
    if asked is None:
        return planned * (1 + SPREAD * jitter)
    return max(asked, DELAYS[0]) + SPREAD * jitter


def read_retry_after(header: str | None, now: float) -> float | None:
    """Seconds of a Retry-After header, which holds seconds or an HTTP date (RFC 9110, 10.2.3).

    ``now`` is in seconds since the epoch. A date in the past gives 0, an unreadable header None.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    date = read_http_date(text)
    return None if date is None else max(0.0, date - now)


def read_http_date(header: str | None) -> float | None:
    """Seconds since the epoch of an HTTP date (RFC 9110, 5.6.7), None for anything else."""
    try:
        return _in_utc(parsedate_to_datetime(header or "")).timestamp()
    except (ValueError, OverflowError):
        return None


def _in_utc(date: datetime) -> datetime:
    """HTTP dates are always in UTC, even when they write ``-0000``, which Python reads as having no zone."""
    return date if date.tzinfo else date.replace(tzinfo=UTC)


# -- tries


class HttpAnswer(NamedTuple):
    """An HTTP answer that has been read to its end. Header values are as sent, None when absent."""

    status: int
    body: bytes
    retry_after: str | None = None
    location: str | None = None


class RetryableError(Exception):
    """One try gave no result. ``reason`` starts a sentence: "ICA answered 503".

    ``final``: another try would end the same way. ``executed``: the server may have done what was asked.
    ``conflict``: the server is still busy with the first try. ``asked``: its Retry-After, in seconds.
    """

    def __init__(
        self,
        reason: str,
        *,
        final: bool = False,
        executed: bool = True,
        conflict: bool = False,
        asked: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final
        self.executed = executed
        self.conflict = conflict
        self.asked = asked

    def not_executed(self) -> RetryableError:
        """The same, for a failure before the request itself was sent."""
        return RetryableError(self.reason, final=self.final, executed=False, conflict=self.conflict, asked=self.asked)


class RetryPolicy(msgspec.Struct, frozen=True):
    """How to retry. ``notify`` gets one line before each pause; ``jitter`` gives numbers in [0, 1)."""

    deadline: Deadline
    notify: Callable[[str], None]
    sleep: Callable[[float], None]
    jitter: Callable[[], float]

    def insist(self, try_once: Callable[[], T]) -> T:
        """The result of the first try that has one.

        A try raises RetryableError, after which there is another, or Refused, which passes through with
        ``maybe_executed`` set. Raises Unreachable when the schedule or the deadline is over.
        """
        failures = conflicts = 0
        executed = False
        while True:
            self._check_time(executed=executed)
            try:
                return try_once()
            except Refused as refused:
                if executed:
                    raise refused.after_unanswered_try() from refused
                raise
            except RetryableError as error:
                executed = executed or error.executed
                failures += not error.conflict
                conflicts += error.conflict
                self._wait(error, conflicts if error.conflict else failures, executed=executed)

    def _check_time(self, *, executed: bool) -> None:
        if self.deadline.left() <= 0:
            raise _unreachable("The time of --timeout is over", executed)

    def _wait(self, error: RetryableError, count: int, *, executed: bool) -> None:
        pause = self._pause(error, count)
        if pause is None:
            raise _unreachable(f"{error.reason}{_tries(count)}", executed) from error
        if pause >= self.deadline.left():
            words = f"{error.reason}; the next try would come after the end of --timeout"
            raise _unreachable(words, executed) from error
        self.notify(f"{error.reason}; trying again in {pause:.3g} s")
        self.sleep(pause)

    def _pause(self, error: RetryableError, count: int) -> float | None:
        if error.final:
            return None
        if error.conflict:
            return pause_after_conflict(count, self.jitter(), error.asked)
        return pause_after_failure(count, self.jitter(), error.asked)


def _unreachable(words: str, executed: bool) -> Unreachable:
    return Unreachable(f"{words}. {SAFE}", maybe_executed=executed)


def _tries(count: int) -> str:
    return f" ({count} tries)" if count > 1 else ""
