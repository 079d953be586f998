"""Read and write RFC 3339 times. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_TO_COME = datetime.max.replace(tzinfo=UTC)


def timestamp(seconds: float) -> str:
    """RFC 3339 in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str | None) -> datetime | None:
    """The time in UTC, None if there is none or if it cannot be read. A time without a zone is UTC."""
    try:
        time = datetime.fromisoformat((text or "").upper())
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def moment_or_first(text: str | None) -> datetime:
    """The same as a sort key: an unknown time comes before every other."""
    return moment(text) or _LONG_AGO


def moment_or_last(text: str | None) -> datetime:
    """The same as a sort key: an unknown time comes after every other."""
    return moment(text) or _TO_COME


def seconds_of(text: str | None) -> float | None:
    """Seconds since the epoch, None if the time cannot be read."""
    time = moment(text)
    return None if time is None else time.timestamp()
