"""Read and write RFC 3339 times. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

# These sort before and after every time.
LONG_AGO = datetime.min.replace(tzinfo=UTC)
TO_COME = datetime.max.replace(tzinfo=UTC)


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


def seconds_of(text: str | None) -> float | None:
    """Seconds since the epoch, None if the time cannot be read."""
    time = moment(text)
    return None if time is None else time.timestamp()
