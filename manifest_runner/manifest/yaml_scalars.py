"""The values of YAML scalars, with numbers that keep their spelling.

Null and booleans are those of YAML 1.2's core schema; a number is one only if it is valid JSON (RFC 8259); everything
else is text: ``NO``, ``012``, ``0x1F``, ``+1``, ``.5``, ``1_000``, ``12:30``, ``2026-11-23``.
"""

from __future__ import annotations

import re
from typing import Any

from manifest_runner.manifest.yaml_report import Report, shorten
from manifest_runner.values import NUMBER, NotANumber, spelled_number

WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# Plain text that starts with none of these is text, which most scalars of a manifest are.
MAY_BE_SPECIAL = frozenset("-+.0123456789~nNtTfF")

_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

TAG = "tag:yaml.org,2002:"
_TYPES: dict[str, type | tuple[type, ...]] = {"null": type(None), "bool": bool, "int": int, "float": (int, float)}


def plain_value(text: str) -> Any:
    """The value of an unquoted scalar: None, a boolean, a spelled number or the text. Raises NotANumber."""
    if text in WORDS:
        return WORDS[text]
    match = NUMBER.fullmatch(text)
    if match is not None:
        return spelled_number(text, whole=match[1] is None and match[2] is None)
    if _NOT_FINITE.fullmatch(text):
        raise NotANumber(f"{text} cannot be written in JSON")
    return text


class Binary:
    """The place of a ``!!binary`` value, which only the icav2 CLI's own config file may contain."""


def untagged_value(event: Any, text: str, report: Report) -> Any:
    """The value of a plain scalar; its text if JSON has no such number, which is reported."""
    try:
        return plain_value(text)
    except NotANumber as e:
        message = f"{e}; quote it if it is meant as text"
        report.add("MR107", message, event.start_mark.index, is_harmless=True)
        return text


def tagged_value(event: Any, text: str, report: Report, *, binary: bool) -> Any:
    """The value of a scalar with a tag; only tags for plain data are accepted."""
    name = event.tag.removeprefix(TAG)
    if event.tag in ("!", TAG + "str"):
        return text
    if event.tag == TAG + "binary" and binary:
        return Binary()
    if name == event.tag or name not in _TYPES:
        refuse_tag(event, report)
        return text
    value = untagged_value(event, text, report)
    if not isinstance(value, _TYPES[name]) or (isinstance(value, bool) and name != "bool"):
        report.add("MR108", f'"{shorten(text)}" is not a !!{name}', event.start_mark.index)
    return value


def refuse_tag(event: Any, report: Report) -> None:
    """Report a tag that means more than plain data."""
    tag = "!!" + event.tag.removeprefix(TAG) if event.tag.startswith(TAG) else event.tag
    message = f"the tag {shorten(tag)} is not supported: only plain data is read"
    report.add("MR108", message, event.start_mark.index)
