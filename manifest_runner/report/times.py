"""RFC 3339 times of a lockfile: read leniently, shown in UTC, subtracted."""

from __future__ import annotations

from manifest_runner.timestamps import moment

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def seconds_between(start: str | None, end: str | None) -> float | None:
    """None if a time is missing or the end is before the start."""
    began, ended = moment(start), moment(end)
    if began is None or ended is None or ended < began:
        return None
    return (ended - began).total_seconds()


def shown_time(text: str | None) -> str:
    """``2026-11-23 10:00`` in UTC; text that is not a time stays as it is."""
    time = moment(text)
    return (text or "") if time is None else f"{time:%Y-%m-%d %H:%M}"


def sortable_time(text: str | None) -> str:
    """The same time in one form, so that text sorts as time; empty for text that is not a time."""
    time = moment(text)
    return "" if time is None else f"{time:%Y-%m-%dT%H:%M:%S.%fZ}"


def shown_duration(seconds: float | None) -> str:
    """``42 s``, ``3 min 05 s``, ``2 h 05 min`` or ``3 d 04 h``; nothing for None."""
    if seconds is None:
        return ""
    whole = round(seconds)
    for size, name, small, small_name in (
        (_DAY, "d", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "min"),
        (_MINUTE, "min", 1, "s"),
    ):
        if whole >= size:
            return f"{whole // size} {name} {whole % size // small:02d} {small_name}"
    return f"{whole} s"
