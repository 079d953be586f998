"""Building blocks of wire rules: each returns a check, a function that lists the faults of a JSON value.

A check returns an empty result for a valid value and builds paths only for an invalid one, since there are hundreds of
thousands of valid ones. A path is relative to the checked value (``.tags.userTags[2]``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Mistakes = Sequence[tuple[str, str]]
Check = Callable[[Any], Mistakes]

_GOOD: Mistakes = ()
_NOT_NULL: Mistakes = (("", "must not be null"),)


def text(*, shortest: int = 0, longest: int | None = None, pattern: str | None = None, says: str = "") -> Check:
    """A string within these lengths that matches ``pattern`` as a whole; if not, the message is ``says``."""
    matches = re.compile(pattern).fullmatch if pattern else None

    def check(value: Any) -> Mistakes:
        if type(value) is not str:
            return _mistyped(value, "a string")
        if len(value) < shortest or (longest is not None and len(value) > longest):
            return [("", f"must have {shortest} to {longest} characters, not {len(value)}")]
        if matches is not None and not matches(value):
            return [("", says)]
        return _GOOD

    return check


def any_text(value: Any) -> Mistakes:
    """A string without further rules: the most common check, so it is the shortest."""
    return _GOOD if type(value) is str else _mistyped(value, "a string")


def one_of(*names: str) -> Check:
    """A string that is one of ``names``."""
    allowed = frozenset(names)

    def check(value: Any) -> Mistakes:
        if type(value) is str and value in allowed:
            return _GOOD
        return _mistyped(value, f"one of {', '.join(names)}")

    return check


def nullable(inner: Check) -> Check:
    """Null, or what ``inner`` accepts."""

    def check(value: Any) -> Mistakes:
        return _GOOD if value is None else inner(value)

    return check


def anything(_: Any) -> Mistakes:
    """Any value."""
    return _GOOD


def list_of(inner: Check, *, longest: int | None = None) -> Check:
    """A list of what ``inner`` accepts."""

    def check(value: Any) -> Mistakes:
        if type(value) is not list:
            return _mistyped(value, "a list")
        if longest is not None and len(value) > longest:
            return [("", f"must have at most {longest} entries, not {len(value)}")]
        mistakes: list[tuple[str, str]] = []
        for index, element in enumerate(value):
            if found := inner(element):
                mistakes += [(f"[{index}]{path}", message) for path, message in found]
        return mistakes

    return check


def record(fields: Mapping[str, Check], *, required: Sequence[str] = (), also: Check | None = None) -> Check:
    """An object with only these fields; ``also`` checks their combination."""
    lookup = fields.get

    def check(value: Any) -> Mistakes:
        if type(value) is not dict:
            return _mistyped(value, "an object")
        mistakes: list[tuple[str, str]] = []
        for name, member in value.items():
            inner = lookup(name, _unknown)
            if found := inner(member):
                mistakes += [(f".{name}{path}", message) for path, message in found]
        for name in required:
            if name not in value:
                mistakes.append((f".{name}", "is required"))
        if also is not None:
            mistakes += also(value)
        return mistakes

    return check


def variant(key: str, cases: Mapping[str, Check]) -> Check:
    """An object whose string ``key`` selects the one of the ``cases`` that it must meet."""
    choice = record({key: one_of(*cases)}, required=(key,))

    def check(value: Any) -> Mistakes:
        if type(value) is not dict:
            return _mistyped(value, "an object")
        name = value.get(key)
        case = cases.get(name) if type(name) is str else None
        return case(value) if case else choice({k: v for k, v in value.items() if k == key})

    return check


def _unknown(_: Any) -> Mistakes:
    return [("", "is not a field of this object")]


def _mistyped(value: Any, wanted: str) -> Mistakes:
    return _NOT_NULL if value is None else [("", f"must be {wanted}")]
