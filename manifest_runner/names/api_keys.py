"""Move names in place of ids, such as ``pipeline``, to the API's keys, so that a request can be checked. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from manifest_runner.model import Name
from manifest_runner.names.data_slots import Request
from manifest_runner.names.model import Names
from manifest_runner.names.review import NAME_KEYS, TARGET_PROJECT
from manifest_runner.values import is_uuid

# Takes the place of a UUID that is not known yet, so that everything else can be checked.
NO_UUID = "00000000-0000-0000-0000-000000000000"

_NAMES = frozenset(NAME_KEYS)


def may_have_names(fields: Mapping[str, Any]) -> bool:
    """Whether a request that is rendered from these fields may have a name in place of an id."""
    outputs = fields.get("analysisOutput") or []
    if not _NAMES.isdisjoint(fields) or not isinstance(outputs, list):
        return True
    return any(not isinstance(each, dict) or TARGET_PROJECT in each for each in outputs)


def with_api_keys(request: Request, names: Names) -> Request:
    """The request with the ids that ``names`` has, its keys in the same order.

    Other names stay as they are, except where the API demands a UUID.
    """
    outputs = request.get("analysisOutput")
    if isinstance(outputs, list) and any(TARGET_PROJECT in each for each in outputs if isinstance(each, dict)):
        request = {**request, "analysisOutput": [_output(each, names) for each in outputs]}
    if _NAMES.isdisjoint(request):
        return request
    return dict(_field(request, key, value, names) for key, value in request.items())


def _field(request: Request, key: str, value: Any, names: Names) -> tuple[str, Any]:
    if key not in NAME_KEYS or NAME_KEYS[key][0] in request:
        return key, value
    id_key, kind = NAME_KEYS[key]
    if kind == "data" or not isinstance(value, str):
        return id_key, value
    found = names.id_of(Name(kind, value))
    return id_key, found or (NO_UUID if kind == "storages" and not is_uuid(value) else value)


def _output(output: Any, names: Names) -> Any:
    if not isinstance(output, dict) or TARGET_PROJECT not in output or "targetProjectId" in output:
        return output
    name = output[TARGET_PROJECT]
    found = names.projects.get(name, name) if isinstance(name, str) else name
    return {("targetProjectId" if key == TARGET_PROJECT else key): value for key, value in output.items()} | {
        "targetProjectId": found
    }
