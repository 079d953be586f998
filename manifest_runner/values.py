"""Values as text for the API: booleans and numbers as the user wrote them, mappings as JSON. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

# Python refuses to turn more than 4,300 digits into a number; no parameter needs a tenth of that.
MAX_DIGITS = 1000
_UUID = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}")
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")


def text_of(value: bool | int | float) -> str:
    """A scalar as text for the API: ``true``, and a number as spelled in the file.

    A number that a template computed has no spelling and gets that of RFC 8785. Raises ValueError if it
    is not finite.
    """
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int | SpelledFloat):
        return str(value)
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be written in JSON")
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
    raise TypeError(f"a {type(value).__name__.lower()} is not JSON")


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


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID, in either case."""
    return _UUID.fullmatch(text) is not None


def is_unicode(value: Any) -> bool:
    """Whether a text, or all text in JSON data, can be written as UTF-8: it has no half of a surrogate pair.

    JSON can spell one, and Python uses them for bytes of the environment that are not UTF-8.
    """
    if isinstance(value, str) and value.isascii():
        return True
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


# Manifests, rows and launch requests may be nested this deep.
MAX_DEPTH = 100


def depth_of(value: Any) -> int:
    """How many levels of lists and mappings a value has, a plain value being one. It does not recurse."""
    level, depth = [value], 0
    while level:
        depth += 1
        level = [each for outer in level for each in _children(outer)]
    return depth


def _children(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


class SpelledInt(int):
    """An integer that was not written as ``str()`` would write it (``-0``)."""

    spelling: str

    def __new__(cls, spelling: str) -> SpelledInt:
        number = super().__new__(cls, spelling)
        number.spelling = spelling
        return number

    def __str__(self) -> str:
        return self.spelling


class SpelledFloat(float):
    """A number that was written with a fraction or an exponent; ``str()`` gives it back as written."""

    spelling: str

    def __new__(cls, spelling: str) -> SpelledFloat:
        number = super().__new__(cls, spelling)
        number.spelling = spelling
        return number

    def __str__(self) -> str:
        return self.spelling


class NotANumber(ValueError):
    """A scalar that is meant as a number and cannot be one here; the message says why."""


def spelled_number(text: str, *, whole: bool) -> int | float:
    """A JSON number as a value whose ``str()`` is its spelling in the file. Raises NotANumber if it is too long."""
    if len(text) > MAX_DIGITS:
        raise NotANumber(f"a number of {len(text):,} characters")
    if not whole:
        return SpelledFloat(text)
    value = int(text)
    return value if str(value) == text else SpelledInt(text)


def json_decoder() -> json.JSONDecoder:
    """A decoder of JSON as RFC 8259 defines it: no duplicate keys, no NaN; a number's ``str()`` is its spelling.

    It raises ValueError, of which JSONDecodeError is a kind.
    """
    return json.JSONDecoder(
        object_pairs_hook=unique_keys(lambda key: ValueError(f'duplicate key "{key[:60]}"')),
        parse_int=lambda digits: spelled_number(digits, whole=True),
        parse_float=lambda digits: spelled_number(digits, whole=False),
        parse_constant=_refuse_constant,
    )


def unique_keys(refuse: Callable[[str], Exception]) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    """An ``object_pairs_hook`` for json that raises ``refuse(key)`` for a key that occurs twice in an object."""

    def hook(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    raise refuse(key)
                seen.add(key)
        return found

    return hook


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
