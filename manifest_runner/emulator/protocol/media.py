"""Media types: choose the version for the client, and check the type of its body."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from starlette.requests import Request

from manifest_runner.emulator.protocol.problems import Problem

V3 = "application/vnd.illumina.v3+json"
V4 = "application/vnd.illumina.v4+json"
JSON = "application/json"
OCTETS = "application/octet-stream"


class _Range(NamedTuple):
    pattern: str
    quality: float


def negotiate(request: Request, offered: tuple[str, ...]) -> str:
    """Choose among ``offered`` (oldest version first) by the Accept header (RFC 9110, 12.5.1).

    The oldest is the default for wildcards; among versions with the same quality the newest wins. Raises Problem 400 if
    the header is missing or nothing matches, as the platform does, which does not answer 406.
    """
    ranges = list(_ranges(",".join(request.headers.getlist("accept"))))
    best = max(offered, key=lambda media: _preference(media, ranges, offered.index(media)))
    if _preference(best, ranges, 0)[0] <= 0:
        raise Problem(400, "Invalid Accept Header", title="ICA_API_004")
    return best


def require_body_type(request: Request, readable: tuple[str, ...]) -> None:
    """Raise Problem 415 unless the body is declared as one of the ``readable`` types."""
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared not in readable:
        raise Problem(415, f"The body must be {' or '.join(readable)}, not {declared or 'of an unnamed type'}.")


def _preference(media: str, ranges: list[_Range], age: int) -> tuple[float, bool, int]:
    patterns = (media, media.partition("/")[0] + "/*", "*/*")
    found = ((p, r.quality) for p in patterns for r in ranges if r.pattern == p)
    pattern, quality = next(found, ("", 0.0))
    return quality, pattern == media, age if pattern == media else -age


def _ranges(header: str) -> Iterator[_Range]:
    for part in header.split(","):
        pattern, *parameters = (piece.strip() for piece in part.split(";"))
        yield _Range(pattern.lower(), _quality(parameters))


def _quality(parameters: Iterable[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
