"""What the plain scalars of YAML mean here, and numbers that keep their spelling. Pure.

Null and booleans are those of YAML 1.2's core schema; a number is what JSON (RFC 8259) writes as one; everything
else is text: ``NO``, ``012``, ``0x1F``, ``+1``, ``.5``, ``1_000``, ``12:30``, ``2026-11-23``.
"""

from __future__ import annotations

import re
from typing import Any

from manifest_runner.model import SpelledFloat, SpelledInt

# Python refuses to turn more than 4,300 digits into a number; no parameter needs a tenth of that.
MAX_DIGITS = 1000

WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# Plain text that starts with none of these is text, which most scalars of a manifest are.
MAY_BE_SPECIAL = frozenset("-+.0123456789~nNtTfF")

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


class NotANumber(ValueError):
    """A scalar that is meant as a number and cannot be one here; the message says why."""


def plain_value(text: str) -> Any:
    """The value of an unquoted scalar: None, a boolean, a spelled number or the text. Raises NotANumber."""
    if text in WORDS:
        return WORDS[text]
    match = _NUMBER.fullmatch(text)
    if match is not None:
        return spelled_number(text, whole=match[1] is None and match[2] is None)
    if _NOT_FINITE.fullmatch(text):
        raise NotANumber(f"{text} has no place in JSON")
    return text


def spelled_number(text: str, *, whole: bool) -> int | float:
    """A JSON number as a value whose ``str()`` is its spelling in the file. Raises NotANumber where it is too long."""
    if len(text) > MAX_DIGITS:
        raise NotANumber(f"a number of {len(text):,} characters")
    if not whole:
        return SpelledFloat(text)
    value = int(text)
    return value if str(value) == text else SpelledInt(text)
