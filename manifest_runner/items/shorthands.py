"""Write the manifest's shorthands in the API's own shape. Pure.

The same functions are used twice: on an analysis as written, where a template takes the place of a value that is not
known yet, and on that value once a row has made it. A ``Deferred`` says how to finish the former.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from manifest_runner.manifest.document import NAMES_AND_IDS
from manifest_runner.model import Kind
from manifest_runner.values import jcs_sorted, spelled_json, text_of

Finish = Callable[[Any], Any]

# The manifest's keys for a name where the API has an id.
NAMES_OF_IDS: Mapping[str | int, str] = {
    **{id_: name for name, id_ in NAMES_AND_IDS.items()},
    "targetProjectId": "targetProject",
}


class TemplateSlot(msgspec.Struct, frozen=True, eq=False):
    """A template in an analysis: ``path`` is its place there.

    ``is_text`` if its value is always text, ``is_texts`` if it is always a list of texts.
    """

    template: Any
    path: tuple[str | int, ...]
    is_text: bool
    is_texts: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether its value always has the API's shape already."""
        return self.is_text or self.is_texts


class Deferred(msgspec.Struct, frozen=True, eq=False):
    """A value that ``finish`` shapes once the template, or all templates in it, are rendered."""

    value: Any
    finish: Finish


class Coded(list[Any]):
    """A list made from a mapping: an element that turns out to be null is left out."""


def shape_item(kind: Kind, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The API's item: shorthands written out, scalars as text, nulls left out, keys sorted."""
    shapes: dict[str, Finish] = {
        "analysisInput": _cwl_input if kind == "cwl" else _nextflow_input,
        "inputFormValues": _form_values,
        "tags": _tags,
    }
    return _mapping(fields, shapes)


def _shaped(shape: Finish, value: Any) -> Any:
    """The value in its shape, deferred where it depends on the row; null stays null."""
    if isinstance(value, TemplateSlot) and not value.is_plain:
        return Deferred(value, partial(_shaped, shape))
    return None if value is None else shape(value)


def _mapping(value: Mapping[str, Any], shapes: Mapping[str, Finish]) -> dict[str, Any]:
    return {key: _shaped(shapes.get(key, plain_shape), value[key]) for key in sorted(value) if value[key] is not None}


def plain_shape(value: Any) -> Any:
    """A value without a special shape: scalars become text, nulls in mappings go, nulls in lists stay."""
    if isinstance(value, (str, Deferred)) or value is None:
        return value
    if isinstance(value, TemplateSlot):
        return value if value.is_plain else Deferred(value, plain_shape)
    if isinstance(value, (bool, int, float)):
        return text_of(value)
    if isinstance(value, dict):
        return _mapping(value, {})
    return [plain_shape(each) for each in value]


def _object(shapes: Mapping[str, Finish]) -> Finish:
    return lambda value: _mapping(value, shapes) if isinstance(value, dict) else plain_shape(value)


def _coded(entry: Callable[[str, Any], Any]) -> Finish:
    """A list of coded objects, from a mapping by code or in the API's own shape."""

    def shape(value: Any) -> Any:
        if not isinstance(value, dict):
            return plain_shape(value)
        entries = (_shaped(partial(entry, code), value[code]) for code in jcs_sorted(value))
        return Coded(each for each in entries if each is not None)

    return shape


def _data_input(code: str, value: Any) -> Any:
    if isinstance(value, dict):
        return plain_shape({**value, "parameterCode": code})
    return {"dataIds": _listed(value), "parameterCode": code}


def _parameter(code: str, value: Any) -> Any:
    if _is_list(value):
        return {"code": code, "multiValue": plain_shape(value)}
    return {"code": code, "value": plain_shape(value)}


def _reference_data(code: str, value: Any) -> Any:
    return {"parameterCode": code, "referenceDataId": plain_shape(value)}


def _field(code: str, value: Any) -> Any:
    if isinstance(value, dict):
        return plain_shape({**value, "id": code})
    return {"id": code, "values": _listed(value)}


def _listed(value: Any) -> Any:
    return plain_shape(value if _is_list(value) else [value])


def _is_list(value: Any) -> bool:
    return value.is_texts if isinstance(value, TemplateSlot) else isinstance(value, list)


def _tag(key: str, value: Any) -> Any:
    if isinstance(value, TemplateSlot):
        return Deferred(value, lambda rendered: _tag(key, rendered))
    return plain_shape(value) if isinstance(value, (dict, list)) else f"{key}={plain_shape(value)}"


def _input_json(value: Any) -> Any:
    """A mapping becomes JSON text; its nulls and the spelling of its numbers are part of that text."""
    if isinstance(value, dict):
        return Deferred(value, spelled_json) if has_slot(value) else spelled_json(value)
    return plain_shape(value)


def has_slot(value: Any) -> bool:
    """Whether a template is in it."""
    if isinstance(value, dict):
        return any(map(has_slot, value.values()))
    if isinstance(value, list):
        return any(map(has_slot, value))
    return isinstance(value, TemplateSlot)


_STRUCTURED: dict[str, Finish] = {
    "inputs": _coded(_data_input),
    "parameters": _coded(_parameter),
    "referenceDataParameters": _coded(_reference_data),
}
_nextflow_input = _object(_STRUCTURED)


def _cwl_input(value: Any) -> Any:
    if not isinstance(value, dict):
        return plain_shape(value)
    given = {key for key, each in value.items() if each is not None}
    if "objectType" not in given and ("inputJson" in given) != ("inputs" in given):
        value = {**value, "objectType": "JSON" if "inputJson" in given else "STRUCTURED"}
    return _mapping(value, {**_STRUCTURED, "inputJson": _input_json})


_FIELDS: dict[str, Finish] = {"values": _coded(_field)}


def _groups(value: Any) -> Any:
    """Groups have the API's own shape; the fields of a group can be a mapping as those of the form can."""
    if not isinstance(value, list):
        return plain_shape(value)
    return [_shaped(_object({"values": _group_rows}), each) for each in value]


def _group_rows(value: Any) -> Any:
    return [_shaped(_object(_FIELDS), row) for row in value] if isinstance(value, list) else plain_shape(value)


_form_values = _object({"fields": _coded(_field), "groups": _groups})
_tags = _object(dict.fromkeys(("referenceTags", "technicalTags", "userTags"), _coded(_tag)))


def written_at(fields: Any, path: tuple[str | int, ...], item: Any) -> tuple[str | int, ...]:
    """The path in an analysis as written of the value at ``path`` in its API ``item``: undoes the shorthands."""
    found: tuple[str | int, ...] = ()
    value = fields
    for step in path:
        item = item[step] if _holds(item, step) else None
        if isinstance(value, dict) and isinstance(step, int):
            step = _written_key(value, step, item)
        elif isinstance(value, dict) and step not in value and NAMES_OF_IDS.get(step) in value:
            step = NAMES_OF_IDS[step]
        elif isinstance(value, (dict, list)) and not _holds(value, step):
            continue
        elif not isinstance(value, (dict, list)):
            break
        value = value[step]
        found = (*found, step)
    return found


def _written_key(value: Mapping[str, Any], index: int, element: Any) -> str:
    """The key of a shorthand that became this element of a list; those before it may have been left out as null."""
    keys = [key for key in jcs_sorted(value) if value[key] is not None]
    if isinstance(element, str):
        return next((key for key in keys if element.startswith(f"{key}=")), keys[index])
    codes = (element.get(name) for name in ("parameterCode", "code", "id")) if isinstance(element, dict) else ()
    return next((code for code in codes if isinstance(code, str) and code in value), keys[index])


def _holds(value: Any, step: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(step, int) and step < len(value)
    return isinstance(value, dict) and step in value
