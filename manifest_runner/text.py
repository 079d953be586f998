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

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from manifest_runner.signed_urls import MASK, mask_signatures

MAX_SHOWN = 60
LONGEST_MASKED = 10_000
_LONGEST_TEMPLATE = 120
_FEW = 3
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
    other = f"a {type(value).__name__.lower()}"
    return next((words for kind, words in kinds.items() if isinstance(value, kind)), other)
