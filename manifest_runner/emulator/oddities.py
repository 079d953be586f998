"""Ways in which a server can be odd: older, stricter or broken, to test how a client copes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

import msgspec

DownloadOddity = Literal["redirected", "short", "missing", "cut", "whole"]

_FLAGS = {
    "ignore-filters": "ignore_filters",
    "exact-slashes": "exact_slashes",
    "no-v4": "no_v4",
    "forbid-pipelines": "forbid_pipelines",
    "no-pipeline-search": "no_pipeline_search",
    "no-tokens": "no_tokens",
}
_NUMBERS = {"short-pages": "longest_page", "max-url": "longest_url"}
_ODDITIES = (*_FLAGS, *(f"{name}=N" for name in _NUMBERS), f"downloads={'|'.join(get_args(DownloadOddity))}")


class Oddities(msgspec.Struct, frozen=True, kw_only=True):
    """What is odd about a server; by default nothing.

    ``ignore_filters``: lists of data, projects and pipelines give everything. ``exact_slashes``: the full path
    of a folder is found only with the ``/`` at its end. ``no_v4``: version 4 does not exist. ``longest_page``:
    pages never hold more rows. ``longest_url``: one with more bytes is answered 414.
    ``forbid_pipelines``: nobody may look at pipelines (403). ``no_pipeline_search``: ``pipelines:search`` does
    not exist (404). ``no_tokens``: keys are not exchanged (403).

    ``downloads``: of every file; ``redirected`` to another place, ``short`` by half of it, ``missing`` (404),
    ``cut`` in the middle of each answer, or always ``whole``, since ranges are ignored.
    """

    ignore_filters: bool = False
    exact_slashes: bool = False
    no_v4: bool = False
    longest_page: int | None = None
    longest_url: int | None = None
    forbid_pipelines: bool = False
    no_pipeline_search: bool = False
    no_tokens: bool = False
    downloads: DownloadOddity | None = None


def parse_oddities(texts: Iterable[str]) -> Oddities:
    """Parse oddities such as ``no-v4`` and ``max-url=2000``. Raises ValueError with a message for the user."""
    chosen: dict[str, Any] = {}
    for text in texts:
        chosen |= _parse(text.strip())
    return Oddities(**chosen)


def _parse(text: str) -> Mapping[str, Any]:
    name, equals, value = text.partition("=")
    if name in _FLAGS and not equals:
        return {_FLAGS[name]: True}
    if name in _NUMBERS and re.fullmatch(r"[1-9]\d{0,8}", value):
        return {_NUMBERS[name]: int(value)}
    if name == "downloads" and value in get_args(DownloadOddity):
        return {"downloads": value}
    raise ValueError(f"{text!r} is not an oddity; write one of {', '.join(_ODDITIES)}")
