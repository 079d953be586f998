"""Errors of a JSON Schema in plain words: what is wrong, what is allowed, what was probably meant. Pure.

A value is shown on one short line with control characters escaped; of a list or a mapping only the type is shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from manifest_runner.model import DataPath
from manifest_runner.near_miss import near_miss
from manifest_runner.text import clean, described, listed, shown

# The number of unknown keys of one mapping with a message each: finding the nearest known one takes a while.
MAX_KEYS = 50


class Fault(msgspec.Struct, frozen=True):
    """A fault of data: ``path`` leads to it. With ``at_key``, the last step is a key that is at fault.

    ``lacks`` is the missing key, of which one place can have several.
    """

    path: DataPath
    message: str
    at_key: bool = False
    lacks: str = ""


def by_path(fault: Fault) -> tuple[list[tuple[bool, str | int]], str]:
    """Sort key: by path, then message."""
    return [(isinstance(step, str), step) for step in fault.path], fault.message


class Error(msgspec.Struct, frozen=True):
    """An error of the compiled validator, with the data that it concerns.

    ``keyword`` and ``rule`` are those of ``schema``, at ``steps`` in the whole one; ``kind`` has further details.
    """

    keyword: str
    rule: Any
    schema: Mapping[str, Any]
    steps: tuple[str | int, ...]
    kind: Any
    path: DataPath
    instance: Any


class Words:
    """Makes messages for the errors of one schema."""

    def __init__(self, schema: dict[str, Any] | bool) -> None:
        self._schema = schema

    def faults(self, error: Any, data: Any) -> Iterator[Fault]:
        """The faults behind one error of jsonschema_rs in ``data``."""
        yield from self._faults(self._error(error, data), data)

    def _error(self, error: Any, data: Any) -> Error:
        path = tuple(error.instance_path)
        return self._with_rule(error, path, _at(data, path))

    def _with_rule(self, error: Any, path: DataPath, instance: Any) -> Error:
        steps, name = tuple(error.schema_path), error.kind.name
        schema = _at(self._schema, steps[:-1])
        keyword = name if name == "falseSchema" or not steps else str(steps[-1])
        # If the schema refers to a part by a name of its own, its place is unknown, but most of the rule is known.
        known = schema if isinstance(schema, dict) else {}
        rule = known[keyword] if keyword in known else next(iter(error.kind.as_dict().values()), None)
        return Error(keyword, rule, known, steps, error.kind, path, instance)

    def _faults(self, error: Error, data: Any) -> Iterator[Fault]:
        name = error.kind.name
        if name in ("anyOf", "oneOf"):
            yield from self._alternatives(error, data)
        elif name == "propertyNames":
            inner, key = error.kind.error, error.kind.error.instance
            yield Fault((*error.path, key), _message(self._with_rule(inner, error.path, key)), at_key=True)
        elif name == "required":
            yield Fault(error.path, f"{shown(error.kind.property)} is missing", lacks=error.kind.property)
        elif name in ("additionalProperties", "unevaluatedProperties"):
            yield from _unknown_keys(error, error.kind.unexpected)
        elif name == "falseSchema" and error.steps[-1:] == ("additionalProperties",):  # where no key is known
            yield from _unknown_keys(error, list(error.instance))
        elif name == "uniqueItems":
            yield from _repeated(error)
        else:
            yield Fault(error.path, _message(error))

    def _alternatives(self, error: Error, data: Any) -> Iterator[Fault]:
        """For ``anyOf`` and ``oneOf`` the branch that was probably meant, or else the expected types or keys."""
        if all(isinstance(branch, dict) and branch.keys() == {"required"} for branch in error.rule or ()):
            yield Fault(error.path, _choice_of_keys(error))
            return
        branches = [[self._error(each, data) for each in branch] for branch in error.kind.context]
        if not all(branches):
            words = (
                "expected a value that matches exactly one of the schema's alternatives, got one that matches several"
            )
            yield Fault(error.path, words)
        elif wanted := _types_of_all(branches, error.path):
            yield Fault(error.path, f"expected {_type_words(wanted)}, got {described(error.instance)}")
        else:
            for each in min(branches, key=lambda branch: _distance(branch, error.path)):
                yield from self._faults(each, data)


def _at(data: Any, path: Iterable[str | int]) -> Any:
    """The value at a path; None if there is none."""
    for step in path:
        try:
            data = data[step]
        except (LookupError, TypeError):
            return None
    return data


# -- errors that are several faults, or that contain another error


def _unknown_keys(error: Error, unknown: Sequence[str]) -> Iterator[Fault]:
    known = error.schema.get("properties", {})
    for key in unknown[:MAX_KEYS]:
        yield Fault((*error.path, key), _unknown_key(key, known), at_key=True)
    if len(unknown) > MAX_KEYS:
        key, more = unknown[MAX_KEYS], len(unknown) - MAX_KEYS - 1
        yield Fault((*error.path, key), f"unknown key {shown(key)}, and {more:,} more below", at_key=True)


def _unknown_key(key: str, known: Mapping[str, Any]) -> str:
    for name, rule in known.items():
        if isinstance(rule, dict) and isinstance(rule.get("const"), str):  # which keys there are depends on it
            return f"{shown(key)} does not go with {shown(name)} {shown(rule['const'])}"
    return f"unknown key {shown(key)}{near_miss(key, list(known))}"


def _repeated(error: Error) -> Iterator[Fault]:
    seen = set()
    for i, each in enumerate(error.instance):
        canonical = json.dumps(each, sort_keys=True)
        if canonical in seen:
            yield Fault((*error.path, i), f"{shown(each)} is listed twice")
        seen.add(canonical)


def _choice_of_keys(error: Error) -> str:
    names = list(dict.fromkeys(key for branch in error.rule for key in branch["required"]))
    given = [shown(name) for name in names if name in error.instance]
    if given:
        return f"{listed(given, 'and')} exclude each other; keep one of them"
    needed = listed([shown(name) for name in names], "or")
    if error.steps[-3:-2] == ("dependencies",):
        return f"{shown(error.steps[-2])} needs {needed}"
    return f"one of {needed} is missing"


def _types_of_all(branches: Iterable[list[Error]], path: DataPath) -> list[str]:
    """The types that the branches expect, if only the type is wrong in all of them; otherwise nothing."""
    wanted: list[str] = []
    for branch in branches:
        types = [each.rule for each in branch if each.keyword == "type" and each.path == path]
        if not types:
            return []
        wanted += _as_list(types[0])
    return wanted


def _distance(branch: list[Error], path: DataPath) -> tuple[bool, bool, int]:
    """How far off a branch is: one for another type or another ``const`` was hardly meant."""
    other_type = any(each.keyword in ("type", "pattern") and each.path == path for each in branch)
    other_const = any(each.keyword in ("const", "enum") and len(each.path) == len(path) + 1 for each in branch)
    return other_type, other_const, len(branch)


# -- errors that are one fault


def _message(error: Error) -> str:
    word = _WORDS.get(error.keyword, _other)
    return word(error)


def _other(error: Error) -> str:
    if error.keyword == "falseSchema":
        return "is not allowed here"
    rule = json.dumps({error.keyword: error.rule}, ensure_ascii=False)
    return _expected(f"what meets {clean(rule[1:-1])}", error)


def _expected(wanted: str, error: Error) -> str:
    return f"expected {wanted}, got {described(error.instance)}"


def _type(error: Error) -> str:
    types = error.rule
    several = isinstance(types, list) and len({*types} - {"null"}) > 1
    # Text that is one of several types must often match a pattern (a template's), whose words name them all.
    words = (several and _hint(error)) or _expected(_type_words(_as_list(types)), error)
    is_element = isinstance(error.instance, dict) and "array" in (wanted := _as_list(types)) and "number" not in wanted
    return f'{words}; an element of a list starts with "- "' if is_element else words


def _pattern(error: Error) -> str:
    return _hint(error) or _expected(f"text that matches {clean(error.rule)}", error)


def _hint(error: Error) -> str:
    """The schema's own words, if any, in a keyword that editors know too."""
    words = error.schema.get("patternErrorMessage")
    return f"{words}, got {described(error.instance)}" if words else ""


def _format(error: Error) -> str:
    return _expected(_FORMATS.get(error.rule, f"the format {error.rule}"), error)


def _enum(error: Error) -> str:
    allowed = [value for value in error.rule if value is not None]
    texts = [value for value in allowed if isinstance(value, str)]
    near = near_miss(error.instance, texts) if isinstance(error.instance, str) else ""
    return _expected(listed([shown(value) for value in allowed], "or"), error) + near


def _const(error: Error) -> str:
    return _expected(described(error.rule), error)


def _not(error: Error) -> str:
    refused = error.rule
    keys = refused.get("required") if isinstance(refused, dict) else None
    return (
        f"{listed([shown(key) for key in keys], 'and')} exclude each other; keep one of them" if keys else _other(error)
    )


def _limit(words: str) -> Callable[[Error], str]:
    def word(error: Error) -> str:
        instance = error.instance
        if not isinstance(instance, (str, list, dict)):
            return _expected(words.format(shown(error.kind.limit)), error)
        if not instance:
            return "must not be empty"
        expected = words.format(error.kind.limit)
        return f"expected {expected.removesuffix('s') if error.kind.limit == 1 else expected}, got {len(instance)}"

    return word


_WORDS: dict[str, Callable[[Error], str]] = {
    "type": _type,
    "pattern": _pattern,
    "format": _format,
    "enum": _enum,
    "const": _const,
    "not": _not,
    "minimum": _limit("at least {}"),
    "maximum": _limit("at most {}"),
    "exclusiveMinimum": _limit("more than {}"),
    "exclusiveMaximum": _limit("less than {}"),
    "minLength": _limit("at least {} characters"),
    "maxLength": _limit("at most {} characters"),
    "minItems": _limit("at least {} elements"),
    "maxItems": _limit("at most {} elements"),
    "minProperties": _limit("at least {} keys"),
    "maxProperties": _limit("at most {} keys"),
}
_FORMATS = {
    "uuid": "a UUID",
    "date": "a date such as 2026-11-23",
    "date-time": "a time such as 2026-11-23T10:00:00Z",
}
_TYPES = {
    "array": "a list",
    "object": "a mapping",
    "value": "a single value",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


def _type_words(types: Sequence[str]) -> str:
    wanted = set(types)
    scalars = {"string", "number", "boolean"}
    if scalars <= wanted:
        wanted = wanted - scalars - {"integer"} | {"value"}
    if len(wanted) > 1:
        wanted.discard("null")
    return listed([words for name, words in _TYPES.items() if name in wanted], "or")


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
