"""Errors of a JSON Schema in words for a person: what is wrong, what is allowed, what was meant. Pure.

A value is shown on one short line, control characters escaped; of a list or a mapping nothing is shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from manifest_runner.text import clean, described, listed, near_miss, shown
from manifest_runner.validation.large_data import MAX_WORDED, MORE

# jsonschema's ValidationError; its stubs let every attribute be unset, which no error of iter_errors is.
Error = Any
Path_ = tuple[str | int, ...]


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong with data: ``path`` leads to it. Where ``at_key``, its last step is a key at fault.

    ``lacks`` is the key that is missing, of which one place can have several.
    """

    path: Path_
    message: str
    at_key: bool = False
    lacks: str = ""


def by_path(fault: Fault) -> tuple[list[tuple[bool, str | int]], str]:
    """Sort key: by path, then message."""
    return [(isinstance(step, str), step) for step in fault.path], fault.message


def faults_of(error: Error) -> Iterator[Fault]:
    """The faults that one error of jsonschema's ``iter_errors`` stands for."""
    path = tuple(error.absolute_path)
    if error.validator in _SPREAD:
        yield from _SPREAD[error.validator](error, path)
    elif "propertyNames" in error.absolute_schema_path and isinstance(error.instance, str):
        yield Fault((*path, error.instance), _message(error), at_key=True)
    else:
        yield Fault(path, _message(error))


# -- errors that are several faults, or one of another error inside


def _unknown_keys(error: Error, path: Path_) -> Iterator[Fault]:
    known = error.schema.get("properties", {})
    patterns = error.schema.get("patternProperties", ())
    unknown = [
        key for key in error.instance if key not in known and not any(re.search(pattern, key) for pattern in patterns)
    ]
    for key in unknown[:MAX_WORDED]:
        yield Fault((*path, key), _unknown_key(key, known), at_key=True)
    if len(unknown) > MAX_WORDED:
        key, more = unknown[MAX_WORDED], len(unknown) - MAX_WORDED - 1
        yield Fault((*path, key), f"unknown key {shown(key)}, and {more:,} more below", at_key=True)


def _unknown_key(key: str, known: Mapping[str, Any]) -> str:
    for name, rule in known.items():
        if isinstance(rule, dict) and isinstance(rule.get("const"), str):  # which keys there are depends on it
            return f"{shown(key)} does not go with {shown(name)} {shown(rule['const'])}"
    return f"unknown key {shown(key)}{near_miss(key, list(known))}"


def _missing_keys(error: Error, path: Path_) -> Iterator[Fault]:
    for key in error.validator_value:
        if key not in error.instance:
            yield Fault(path, f"{shown(key)} is missing", lacks=key)


def _repeated(error: Error, path: Path_) -> Iterator[Fault]:
    seen = set()
    for i, each in enumerate(error.instance):
        canonical = json.dumps(each, sort_keys=True)
        if canonical in seen:
            yield Fault((*path, i), f"{shown(each)} is listed twice")
        seen.add(canonical)


def _alternatives(error: Error, path: Path_) -> Iterator[Fault]:
    """Of ``anyOf`` and ``oneOf`` the branch that was meant, or else the types or the keys that they want."""
    if all(isinstance(branch, dict) and branch.keys() == {"required"} for branch in error.validator_value):
        yield Fault(path, _choice_of_keys(error))
        return
    branches: dict[int, list[Error]] = {}
    for each in error.context:
        branches.setdefault(each.relative_schema_path[0], []).append(each)
    if not branches:
        yield Fault(
            path, "expected a value that matches exactly one of the schema's alternatives, got one that matches several"
        )
    elif wanted := _types_of_all(branches.values()):
        yield Fault(path, f"expected {_type_words(wanted)}, got {described(error.instance)}")
    else:
        for each in min(branches.values(), key=_distance):
            yield from faults_of(each)


_SPREAD: dict[str | None, Callable[[Error, Path_], Iterator[Fault]]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing_keys,
    "uniqueItems": _repeated,
    "anyOf": _alternatives,
    "oneOf": _alternatives,
}


def _choice_of_keys(error: Error) -> str:
    names = list(dict.fromkeys(key for branch in error.validator_value for key in branch["required"]))
    given = [shown(name) for name in names if name in error.instance]
    if given:
        return f"{listed(given, 'and')} exclude each other"
    needed = listed([shown(name) for name in names], "or")
    steps = list(error.absolute_schema_path)
    if steps[-3:-2] == ["dependencies"]:
        return f"{shown(steps[-2])} needs {needed}"
    return f"one of {needed} is missing"


def _types_of_all(branches: Iterable[list[Error]]) -> list[str]:
    """The types that the branches want, where the type alone is wrong for all of them; else nothing."""
    wanted: list[str] = []
    for branch in branches:
        types = [e.validator_value for e in branch if e.validator == "type" and not e.relative_path]
        if not types:
            return []
        wanted += _as_list(types[0])
    return wanted


def _distance(branch: list[Error]) -> tuple[bool, bool, int]:
    """How far off a branch is: one for another type, or for another ``const``, was hardly meant."""
    other_type = any(e.validator in ("type", "pattern") and not e.relative_path for e in branch)
    other_const = any(e.validator in ("const", "enum") and len(e.relative_path) == 1 for e in branch)
    return other_type, other_const, len(branch)


# -- errors that are one fault


def _message(error: Error) -> str:
    word = _WORDS.get(error.validator, _other)
    return word(error)


def _other(error: Error) -> str:
    if error.validator is None:
        return "is not allowed here"
    rule = json.dumps({error.validator: error.validator_value}, ensure_ascii=False)
    return _expected(f"what meets {clean(rule[1:-1])}", error)


def _expected(wanted: str, error: Error) -> str:
    return f"expected {wanted}, got {described(error.instance)}"


def _type(error: Error) -> str:
    types = error.validator_value
    several = isinstance(types, list) and len({*types} - {"null"}) > 1
    # Text that is one of several types must often match a pattern (a template's), whose words name them all.
    words = (several and _hint(error)) or _expected(_type_words(_as_list(types)), error)
    is_element = isinstance(error.instance, dict) and "array" in (wanted := _as_list(types)) and "number" not in wanted
    return f'{words}; an element of a list starts with "- "' if is_element else words


def _pattern(error: Error) -> str:
    return _hint(error) or _expected(f"text that matches {clean(error.validator_value)}", error)


def _hint(error: Error) -> str:
    """The schema's own words, if any, in a keyword that editors know too."""
    words = error.schema.get("patternErrorMessage")
    return f"{words}, got {described(error.instance)}" if words else ""


def _format(error: Error) -> str:
    return _expected(_FORMATS.get(error.validator_value, f"the format {error.validator_value}"), error)


def _enum(error: Error) -> str:
    allowed = [value for value in error.validator_value if value is not None]
    texts = [value for value in allowed if isinstance(value, str)]
    near = near_miss(error.instance, texts) if isinstance(error.instance, str) else ""
    return _expected(listed([shown(value) for value in allowed], "or"), error) + near


def _const(error: Error) -> str:
    return _expected(described(error.validator_value), error)


def _not(error: Error) -> str:
    refused = error.validator_value
    keys = refused.get("required") if isinstance(refused, dict) else None
    return f"{listed([shown(key) for key in keys], 'and')} exclude each other" if keys else _other(error)


def _limit(words: str) -> Callable[[Error], str]:
    def word(error: Error) -> str:
        instance = error.instance
        if not isinstance(instance, (str, list, dict)):
            return _expected(words.format(shown(error.validator_value)), error)
        if not instance:
            return "must not be empty"
        return f"expected {words.format(error.validator_value)}, got {len(instance)}"

    return word


_WORDS: dict[str | None, Callable[[Error], str]] = {
    MORE: lambda error: str(error.message),
    "type": _type,
    "pattern": _pattern,
    "format": _format,
    "enum": _enum,
    "const": _const,
    "not": _not,
    "minimum": _limit("at least {}"),
    "maximum": _limit("at most {}"),
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
