"""Find the changes between a request as it was launched and as it renders now. Pure.

The lockfile keeps the body of each batch, compressed: the items of a batch are so similar that this is smaller and ten
times faster than storing their differences, and it is read only if something did change. For the comparison a request
is flattened into fields, one for each value that a person would name: ``analysisInput.parameters[enable_sv]`` →
``"true"``.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from manifest_runner.planning.identity import is_stamp

MAX_SHOWN = 200
_NOT_SHOWN = "(not shown)"

Fields = dict[str, Any]

_CODES = ("parameterCode", "code", "id")
_VALUES = frozenset({"value", "multiValue", "dataIds", "values", "referenceDataId"})


class Change(NamedTuple):
    """One field of a request, before and after; None if it is not there."""

    field: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{self.field}: {_shown(self.before)} → {_shown(self.after)}"


def flatten(request: Mapping[str, Any]) -> Fields:
    """The fields of a request as it was before stamping."""
    fields: Fields = {}
    _flatten("", request, fields)
    tags = [tag for tag in fields.get("tags.technicalTags", ()) if not is_stamp(tag)]
    if tags or "tags.technicalTags" not in fields:
        return {**fields, "tags.technicalTags": tags} if tags else fields
    return {name: value for name, value in fields.items() if name != "tags.technicalTags"}


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """The fields in which two requests differ, sorted."""
    one, other = flatten(before), flatten(after)
    names = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    return [Change(name, one.get(name), other.get(name)) for name in names if name != "userReference"]


def with_names(found: list[Change], names: Mapping[str, str]) -> list[Change]:
    """The same changes, with names in the place of ids."""
    return [Change(each.field, _named(each.before, names), _named(each.after, names)) for each in found]


def _named(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_named(each, names) for each in value]
    if isinstance(value, dict):
        return {key: _named(each, names) for key, each in value.items()}
    return names.get(value, value) if isinstance(value, str) else value


def without_values(found: list[Change], sensitive: Collection[str]) -> list[Change]:
    """The same changes, without the values of these fields of an input form."""
    return [
        Change(each.field, each.before and _NOT_SHOWN, each.after and _NOT_SHOWN)
        if each.field.startswith("inputFormValues.") and any(f"[{one}]" in each.field for one in sensitive)
        else each
        for each in found
    ]


def _flatten(path: str, value: Any, fields: Fields) -> None:
    if isinstance(value, dict):
        for key, each in value.items():
            name = f"{path}.{key}" if path else key
            if isinstance(each, (dict, list)):
                _flatten(name, each, fields)
            else:
                fields[name] = each
    elif isinstance(value, list) and set(map(type, value)) == {dict}:
        for index, each in enumerate(value):
            _flatten_element(path, index, each, fields)
    else:
        fields[path] = value


def _flatten_element(path: str, index: int, element: dict[str, Any], fields: Fields) -> None:
    if len(element) == 2:  # nearly all are a code and its value, in whichever order
        (one, first), (two, second) = element.items()
        if one in _CODES and two in _VALUES and isinstance(first, str):
            fields[f"{path}[{first}]"] = second
            return
        if two in _CODES and one in _VALUES and isinstance(second, str):
            fields[f"{path}[{second}]"] = first
            return
    code = next((key for key in _CODES if isinstance(element.get(key), str)), None)
    name = f"{path}[{index if code is None else element[code]}]"
    _flatten(name, {key: value for key, value in element.items() if key != code}, fields)


def _shown(value: Any) -> str:
    """A value as a plan shows it; a long text with its hash, which shows whether it changed."""
    if value is None:
        return "(none)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) <= MAX_SHOWN:
        return json.dumps(value, ensure_ascii=False)
    digest = sha256(text.encode()).hexdigest()[:12]
    return json.dumps(f"{text[:40]}… ({len(text)} characters, sha256 {digest})", ensure_ascii=False)
