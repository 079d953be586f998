"""What changed between a request as it was launched and as it is rendered now. Pure.

A request is flattened into fields, one for each value that a person would name:
``analysisInput.parameters[enable_sv]`` → ``"true"``. The lockfile keeps the fields of what it launched: those that
all items of a batch share once in the batch, the others in each item, as a list beside the batch's list of names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

from manifest_runner.model import DIGEST_STAMP, NAME_STAMP

MAX_KEPT = 200

Fields = dict[str, Any]

_CODES = ("parameterCode", "code", "id")
_VALUES = frozenset({"value", "multiValue", "dataIds", "values", "referenceDataId"})
_ABSENT = object()


class Change(NamedTuple):
    """One field of a request, before and after; None where it is not there."""

    field: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{self.field}: {_shown(self.before)} → {_shown(self.after)}"


class KeptBatch(NamedTuple):
    """What the lockfile keeps of a batch's requests: ``shared`` fields, and the names of the items' ``own`` ones."""

    shared: Fields
    names: tuple[str, ...]
    own: Mapping[str, list[Any]]


def flatten(request: Mapping[str, Any]) -> Fields:
    """The fields of a request as it was before stamping."""
    fields: Fields = {}
    _flatten("", request, fields)
    tags = [tag for tag in fields.get("tags.technicalTags", ()) if not _is_stamp(tag)]
    if tags or "tags.technicalTags" not in fields:
        return {**fields, "tags.technicalTags": tags} if tags else fields
    return {name: value for name, value in fields.items() if name != "tags.technicalTags"}


def keep_batch(body: bytes) -> KeptBatch:
    """What to keep of a batch, from the bytes that were POSTed."""
    requests = [request for items in orjson.loads(body).values() for request in items]
    flat = {request["userReference"]: _kept(flatten(request)) for request in requests}
    first = next(iter(flat.values()))
    shared = {
        name: value
        for name, value in first.items()
        if name != "userReference" and all(fields.get(name, _ABSENT) == value for fields in flat.values())
    }
    names = sorted({name for fields in flat.values() for name in fields} - shared.keys() - {"userReference"})
    own = {reference: [fields.get(name) for name in names] for reference, fields in flat.items()}
    return KeptBatch(shared, tuple(names), own)


def launched_fields(shared: Mapping[str, Any], names: Iterable[str], own: Iterable[Any]) -> Fields:
    """The fields of one launch, as ``keep_batch`` kept them."""
    return {**shared, **{name: value for name, value in zip(names, own, strict=False) if value is not None}}


def changes(before: Mapping[str, Any], request: Mapping[str, Any]) -> list[Change]:
    """The fields that differ, sorted. ``before`` comes from ``launched_fields``."""
    after = _kept(flatten(request))
    after.pop("userReference", None)
    names = sorted(before.keys() | after.keys())
    return [Change(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]


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


def _is_stamp(tag: Any) -> bool:
    return isinstance(tag, str) and tag.startswith((DIGEST_STAMP, NAME_STAMP))


def _kept(fields: Fields) -> Fields:
    """Long texts are kept as their hash: enough to tell that they changed."""
    return {name: _bounded(value) for name, value in fields.items()}


def _bounded(value: Any) -> Any:
    if len(value if isinstance(value, str) else orjson.dumps(value)) <= MAX_KEPT:
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"{text[:40]}… ({len(text)} characters, sha256 {sha256(text.encode()).hexdigest()[:12]})"


def _shown(value: Any) -> str:
    return "(none)" if value is None else json.dumps(value, ensure_ascii=False)
