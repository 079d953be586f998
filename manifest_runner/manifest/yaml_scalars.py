"""What the plain scalars of YAML mean here, and numbers that keep their spelling. Pure.

Null and booleans are those of YAML 1.2's core schema; a number is what JSON (RFC 8259) writes as one; everything
else is text: ``NO``, ``012``, ``0x1F``, ``+1``, ``.5``, ``1_000``, ``12:30``, ``2026-11-23``.
"""

from __future__ import annotations

import re
from typing import Any

from manifest_runner.values import _NUMBER, NotANumber, spelled_number

WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# Plain text that starts with none of these is text, which most scalars of a manifest are.
MAY_BE_SPECIAL = frozenset("-+.0123456789~nNtTfF")

_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


def plain_value(text: str) -> Any:
    """The value of an unquoted scalar: None, a boolean, a spelled number or the text. Raises NotANumber."""
    if text in WORDS:
        return WORDS[text]
    match = _NUMBER.fullmatch(text)
    if match is not None:
        return spelled_number(text, whole=match[1] is None and match[2] is None)
    if _NOT_FINITE.fullmatch(text):
        raise NotANumber(f"{text} cannot be written in JSON")
    return text
