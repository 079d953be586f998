"""When to try again: the arithmetic of retries. Nothing here waits; `exchange` does."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# The pauses after the first, second … failure, in seconds; after the last of them the next failure is final.
DELAYS = (0.5, 2.0, 10.0, 30.0)
# Jitter only ever adds: a pause is never shorter than promised to the server.
SPREAD = 0.25
# A conflict means that the server is alive and busy with our own request, so asking stays frequent.
LONGEST_CONFLICT_PAUSE = 5.0


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on a monotonic clock after which nothing is tried any more."""

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

    ``now`` is in seconds since the epoch. A date that is over gives 0, an unreadable header None.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    date = read_http_date(text)
    return None if date is None else max(0.0, date - now)


def read_http_date(header: str | None) -> float | None:
    """Seconds since the epoch of an HTTP date (RFC 9110, 5.6.7), None for what is none."""
    try:
        return _in_utc(parsedate_to_datetime(header or "")).timestamp()
    except (ValueError, OverflowError):
        return None


def _in_utc(date: datetime) -> datetime:
    """HTTP dates are always in UTC, even when they write ``-0000``, which Python reads as no zone at all."""
    return date if date.tzinfo else date.replace(tzinfo=UTC)
