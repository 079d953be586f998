"""Values as the API's text: booleans and numbers as the user wrote them, mappings as JSON. Pure."""

from __future__ import annotations

import math
from typing import Any

from manifest_runner.model import SpelledFloat


def text_of(value: bool | int | float) -> str:
    """A scalar as the API wants it: ``true``, and a number as it is spelled in the file.

    A number that a template computed has no spelling and gets that of RFC 8785. Raises ValueError where it
    is not finite.
    """
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int | SpelledFloat):
        return str(value)
    if not math.isfinite(value):
        raise ValueError(f"{value} has no place in JSON")
    import rfc8785

    return rfc8785.dumps(value).decode()


def spelled_json(value: Any) -> str:
    """Compact JSON with keys in the order of RFC 8785 (UTF-16 code units), nulls kept, numbers as spelled.

    Raises TypeError for what is not JSON, ValueError for a number that is not finite.
    """
    if isinstance(value, str):
        return _quoted(value)
    if value is None:
        return "null"
    if isinstance(value, (bool, int, float)):
        return text_of(value)
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(spelled_json, value)) + "]"
    if isinstance(value, dict):
        members = (f"{_quoted(key)}:{spelled_json(value[key])}" for key in jcs_sorted(value))
        return "{" + ",".join(members) + "}"
    raise TypeError(f"a {type(value).__name__} is not JSON")


def jcs_sorted(keys: Any) -> list[str]:
    """Keys in the order of RFC 8785, section 3.2.3: by UTF-16 code units."""
    return sorted(keys, key=_utf16)


def _utf16(key: Any) -> bytes:
    if not isinstance(key, str):
        raise TypeError(f"a {type(key).__name__} cannot be a key in JSON")
    return key.encode("utf-16-be", "surrogatepass")


def _quoted(text: str) -> str:
    import orjson

    return orjson.dumps(text).decode()
