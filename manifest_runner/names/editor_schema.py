"""The manifest's schema with the codes of its pinned pipelines, for completion in editors. Pure."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from manifest_runner.names.checks.form_fields import choices_of, is_required
from manifest_runner.names.checks.pipeline_check import plain_type
from manifest_runner.names.model import Names, ParameterDeclaration, PipelineEntry
from manifest_runner.values import is_uuid

Schema = dict[str, Any]

_TEMPLATE = {"$ref": "#/definitions/template"}


def schema_with_codes(schema: Mapping[str, Any], names: Names) -> Schema:
    """The schema with all pinned codes, options and names; others stay allowed."""
    extended: Schema = copy.deepcopy(dict(schema))
    definitions = extended["definitions"]
    entries = names.pipelines.values()
    definitions["inputs"]["properties"] = _inputs(names.pipelines)
    definitions["parameters"]["properties"] = _parameters(names.pipelines)
    definitions["formFields"]["properties"] = _fields(entries)
    for name, keys in (("pipeline", names.pipelines), ("analysisStorage", names.storages)):
        if known := sorted(key for key in keys if not is_uuid(key)):
            definitions[name]["examples"] = known
    return extended


def _inputs(pipelines: Mapping[str, PipelineEntry]) -> Schema:
    found: Schema = {}
    for key, entry in pipelines.items():
        for each in entry.inputs or ():
            words = f"{'Required' if each.required else 'Optional'} input of {key}"
            words += ", one or more files or folders." if each.multi_value else ", one file or folder."
            found.setdefault(each.code, {"allOf": [{"$ref": "#/definitions/dataInput"}], "description": words})
    return found


def _parameters(pipelines: Mapping[str, PipelineEntry]) -> Schema:
    """The parameters by code; if several pipelines have the same one, with the options of all."""
    declared: dict[str, list[tuple[str, ParameterDeclaration]]] = {}
    for key, entry in pipelines.items():
        for each in entry.parameters or ():
            declared.setdefault(each.code, []).append((key, each))
    return {code: _parameter(each) for code, each in declared.items()}


def _parameter(declared: list[tuple[str, ParameterDeclaration]]) -> Schema:
    words = "; ".join(
        f"{'required' if each.required else 'optional'} parameter of {key}, {each.type or 'any value'}"
        + (f", default {', '.join(each.default)}" if each.default else "")
        for key, each in declared
    )
    schema: Schema = {"description": f"{words[:1].upper()}{words[1:]}."}
    only = declared[0][1]
    if len(declared) > 1 or only.multi_value:
        return {**schema, "allOf": [{"$ref": "#/definitions/values"}]}
    if only.options:
        return {**schema, "anyOf": [{"enum": [*_spellings(only.options), None]}, _TEMPLATE]}
    kind = plain_type(only.type)
    return {**schema, **({"type": [kind, "string", "null"]} if kind else {"allOf": [{"$ref": "#/definitions/values"}]})}


def _spellings(options: Iterable[str]) -> list[Any]:
    """The options as a manifest may write them: ``true`` and ``1`` without quotes, too."""
    found: list[Any] = list(options)
    found += [each == "true" for each in options if each in ("true", "false")]
    return found + [int(each) for each in options if each.isdecimal() and str(int(each)) == each]


def _fields(entries: Iterable[PipelineEntry]) -> Schema:
    found: Schema = {}
    for entry in entries:
        for field in entry.form or ():
            if isinstance(field.get("id"), str):
                words = "Required field" if is_required(field) else "Optional field"
                if choices := choices_of(field):
                    words += f", one of {', '.join(choices)}"
                label = field.get("label")
                schema: Schema = {"allOf": [{"$ref": "#/definitions/fieldValues"}], "description": f"{words}."}
                found[field["id"]] = {**schema, "title": label} if isinstance(label, str) else schema
    return found
