"""Words for messages, and foreign text made safe for terminals, logs and files. Pure.

========================  ==================================================================================
``plain_text(text)``      a line for a terminal or a log: escaped, signatures masked, at most 2,000 characters
``clean(text)``           the same, short enough to be part of a message; passwords in URLs are masked, too
``shown(value)``          a value in a message, as JSON: text is cleaned and quoted, a list or a mapping only named
``described(value)``      `shown` with its type: ``text "x"``, ``the number 3``
``quoted_template(text)`` a template on one line, in backticks
========================  ==================================================================================

Two more are beside their users: ``shorten`` in manifest/yaml_report.py only cuts text, ``harmless`` in cli/console.py
is ``plain_text`` for whole output: it keeps line ends and tabs.
"""

from __future__ import annotations

import functools
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from manifest_runner.signed_urls import MASK, mask_signatures

MAX_SHOWN = 60
LONGEST_MASKED = 10_000
_LONGEST_NAME = 100
_LONGEST_TEMPLATE = 120
_FEW = 3
_MAX_COMPARED = 10_000_000
_MOST_WORK = 50_000_000
_PASSWORD = re.compile(r"(?<=://)[^/?#@\s]*:[^/?#@\s]*@")


def plain_text(text: str, limit: int = 2000) -> str:
    """``text`` on one line, with everything that a terminal could act on written as an escape.

    That is control characters, line ends, bidirectional marks and lone surrogates. Longer text than ``limit``
    characters ends in "…". Signatures in URLs are masked.
    """
    text = mask_signatures(text)
    shortened = text if len(text) <= limit else text[:limit] + "…"
    # Nearly all text is harmless, and a large batch brings a million strings.
    return shortened if shortened.isprintable() else "".join(map(_plain, shortened))


def _plain(character: str) -> str:
    if character.isprintable():
        return character
    if unicodedata.category(character) == "Zs":
        return " "
    return character.encode("unicode_escape").decode("ascii")


def listed(words: Sequence[str], joint: str) -> str:
    """``a, b or c``."""
    return f"{', '.join(words[:-1])} {joint} {words[-1]}" if len(words) > 1 else "".join(words)


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """``1 item``, ``1,200 items``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def few_of(names: Sequence[str]) -> str:
    """``a, b, c and 9 more``."""
    more = f" and {len(names) - _FEW:,} more" if len(names) > _FEW else ""
    return ", ".join(names[:_FEW]) + more


_MAX_BITS = 12_000  # of the largest number that Python always prints


def described(value: object) -> str:
    """A value with its type, in the terms of a YAML user."""
    if isinstance(value, str):
        return f"text {shown(value)}"
    return f"the number {shown(value)}" if _is_number(value) else shown(value)


def shown(value: object) -> str:
    """A scalar much as in JSON; a list or a mapping as just that word."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, str):
        return f'"{clean(value)}"'
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return "of thousands of digits"
    return clean(str(value)) if _is_number(value) else json.dumps(value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def clean(text: str, most: int = MAX_SHOWN) -> str:
    """Text that is safe to show: no control characters, no signature or password in a URL, not too long."""
    masked = _PASSWORD.sub(f"{MASK}@", mask_signatures(text[:LONGEST_MASKED]))
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in masked[: most + 1])
    return escaped if len(escaped) <= most else escaped[: most - 1] + "…"


def near_miss(name: str, known: Iterable[str]) -> str:
    """``; did you mean "x"?`` with the nearest of the known names, or nothing."""
    near = nearest(name, known)
    return "" if near is None else f"; did you mean {shown(near)}?"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most similar to ``name``, ignoring case; None if none is near."""
    return _nearest(name[:_LONGEST_NAME].lower(), tuple(map(str, known)))


@functools.lru_cache(maxsize=64)  # many rows lack the same column
def _nearest(name: str, known: tuple[str, ...]) -> str | None:
    return _known_names(known).nearest(name)


@functools.lru_cache(maxsize=64)
def _known_names(known: tuple[str, ...]) -> _KnownNames:
    return _KnownNames(known)


class _KnownNames:
    """Names to compare others with.

    Thousands of rows may each lack another name, but few messages are shown, so only the first names are compared:
    as many as takes about a second, but at least three. The work of a comparison grows as the square of the length.
    """

    def __init__(self, known: tuple[str, ...]) -> None:
        self._by_lower = {each[:_LONGEST_NAME].lower(): each for each in known}
        work = sum(len(each) ** 2 for each in self._by_lower)
        self._left = max(3, _MAX_COMPARED // max(1, work)) if work < _MOST_WORK else 0

    def nearest(self, name: str) -> str | None:
        from difflib import get_close_matches  # only a message needs it

        self._left -= 1
        close = get_close_matches(name, self._by_lower, n=1) if self._left >= 0 else ()
        return self._by_lower[close[0]] if close else None


def dotted(path: Iterable[str | int]) -> str:
    """A path into data as shown in a message: ``tags.userTags[0]``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def quoted_template(text: str) -> str:
    """A template as quoted in a message: on one line, not too long."""
    line = mask_signatures(" ".join(text.split()))
    return f"`{line if len(line) <= _LONGEST_TEMPLATE else line[: _LONGEST_TEMPLATE - 1] + '…'}`"


def uncapitalized(sentence: str) -> str:
    """A sentence of a library's as a part of one of ours."""
    return sentence[:1].lower() + sentence[1:]


def kind_of(value: Any) -> str:
    """A value's type, in the terms of a YAML user."""
    if value is None:
        return "null"
    kinds = {bool: "true or false", str: "text", dict: "a mapping"}
    kinds |= dict.fromkeys((int, float), "a number") | dict.fromkeys((list, tuple, range), "a list")
    return next((words for kind, words in kinds.items() if isinstance(value, kind)), f"a {type(value).__name__}")
