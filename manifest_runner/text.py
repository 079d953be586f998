"""Text of others, made fit for terminals, logs and files: no control characters, no credential of ours."""

from __future__ import annotations

import functools
import json
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

MAX_SHOWN = 60


def plain_text(text: str, limit: int = 2000) -> str:
    """``text`` on one line, with everything that a terminal could act on written as an escape.

    That is control characters, line ends, bidirectional marks and lone surrogates. Longer text than ``limit``
    characters ends in "…".
    """
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


def described(value: object) -> str:
    """A value with its type, as one who reads YAML would call it."""
    if isinstance(value, str):
        return f"text {shown(value)}"
    return f"the number {shown(value)}" if _is_number(value) else shown(value)


def shown(value: object) -> str:
    """A scalar much as JSON writes it; a list or a mapping by that name only."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, str):
        return f'"{clean(value)}"'
    return clean(str(value)) if _is_number(value) else json.dumps(value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def clean(text: str, most: int = MAX_SHOWN) -> str:
    """Text that is safe on a terminal: what does not print is escaped; at most ``most`` characters."""
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: most + 1])
    return escaped if len(escaped) <= most else escaped[: most - 1] + "…"


def near_miss(name: str, known: Iterable[str]) -> str:
    """``; did you mean "sample"?`` where one of the known names is close, else nothing. Case is ignored."""
    return _near_miss(name, tuple(map(str, known)))


@functools.lru_cache(maxsize=64)  # rows that lack the same column are many
def _near_miss(name: str, known: tuple[str, ...]) -> str:
    from difflib import get_close_matches  # needed only once something is wrong

    by_lower = {each.lower(): each for each in known}
    close = get_close_matches(name[:100].lower(), by_lower, n=1)
    return f"; did you mean {shown(by_lower[close[0]])}?" if close else ""


def is_unicode(text: str) -> bool:
    """False for lone surrogates: Python keeps what is not UTF-8 in the environment or on the command line as those."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def kind_of(value: Any) -> str:
    """A value's type, as one who writes YAML would call it."""
    if value is None:
        return "null"
    kinds = {bool: "true or false", str: "text", dict: "a mapping"}
    kinds |= dict.fromkeys((int, float), "a number") | dict.fromkeys((list, tuple, range), "a list")
    return next((words for kind, words in kinds.items() if isinstance(value, kind)), f"a {type(value).__name__}")
