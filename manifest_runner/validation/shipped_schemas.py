"""Check data against the shipped schemas: of the manifest, the lockfile, and the API's rules for items."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from msgspec.structs import replace

from manifest_runner.model import KINDS, DataPath, Kind
from manifest_runner.text import listed, shown
from manifest_runner.validation.messages import Fault
from manifest_runner.validation.validator import Checker

SchemaName = Literal["manifest", "lockfile", "payload", "names"]

_FILES: dict[SchemaName, str] = {
    "manifest": "manifest.schema.json",
    "lockfile": "lockfile.schema.json",
    "payload": "create-analysis-creation-batch.schema.json",
    "names": "names.schema.json",
}
_ITEM_TYPES: dict[Kind, str] = {
    "nextflow": "CreateNextflowAnalysis",
    "nextflowJson": "CreateNextflowJsonAnalysis",
    "cwl": "CreateCwlAnalysis",
}
_BLOCKS = ("forEach", "analysisInput", "inputFormValues", "tags")
_NOT_OF_THIS_KIND = {"$ref": "#/definitions/notOfThisKind"}


def schema_text(name: SchemaName) -> str:
    """The text of a shipped schema."""
    return (_folder() / _FILES[name]).read_text("utf-8")


@functools.cache
def _folder() -> Path:
    """The folder of the schemas; importlib.resources would find it, too, but takes longer than reading all of them."""
    spec = find_spec("manifest_runner.schemas")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


def manifest_faults(data: object) -> list[Fault]:
    """The faults of a manifest except those of its analyses, by path."""
    return [_with_hint(fault) for fault in _manifest_checker().faults(data)]


def analysis_faults(data: object) -> list[Fault]:
    """The faults of one analysis of a manifest, by path in it."""
    return [_aware_of_kind(fault, data) for fault in _analysis_checker().faults(data)]


def is_valid_analysis(data: object) -> bool:
    """Whether one analysis of a manifest has no faults."""
    return _analysis_checker().is_valid(data)


def lockfile_faults(data: object) -> list[Fault]:
    """The faults of a lockfile, by path; none if it meets its schema."""
    return _lockfile_checker().faults(data)


class ItemChecker(Checker):
    """The API's rules for the items of one kind."""

    def __init__(self, kind: Kind, schema: dict[str, Any]) -> None:
        super().__init__(schema, formats=True)
        self._kind = kind

    def faults(self, data: object) -> list[Fault]:
        return [self._for_author(fault, data) for fault in super().faults(data)]

    def _for_author(self, fault: Fault, data: Any) -> Fault:
        """A fault in terms of the manifest, since authors do not see the item."""
        if fault.at_key and (words := _of_other_kinds(fault.path, self._kind)):
            return replace(fault, message=f"{words}; null in the analysis removes the default")
        if self._kind == "cwl" and fault.path == ("analysisInput",) and isinstance(data["analysisInput"], dict):
            return _about_shape(fault, data["analysisInput"])
        return fault


def _about_shape(fault: Fault, given: dict[str, Any]) -> Fault:
    """The ``objectType`` of a CWL input follows from its other keys, unless these imply both shapes or neither."""
    if "objectType" in given or ("inputs" in given) != ("inputJson" in given):
        return fault
    if "inputs" in given:
        return Fault(
            (*fault.path, "inputJson"), '"inputs" and "inputJson" exclude each other; keep one of them', at_key=True
        )
    return replace(fault, message='one of "inputs" or "inputJson" is missing')


@functools.cache
def item_checker(kind: Kind) -> ItemChecker:
    payload = _schema("payload")
    own = {"$ref": f"#/$defs/{_ITEM_TYPES[kind]}"}
    return ItemChecker(kind, {"$schema": payload["$schema"], **own, "$defs": payload["$defs"]})


@functools.cache
def _manifest_checker() -> Checker:
    schema = _schema("manifest")
    analyses = {**schema["properties"]["analyses"], "items": True}
    return Checker({**schema, "properties": {**schema["properties"], "analyses": analyses}})


@functools.cache
def _analysis_checker() -> Checker:
    schema = _schema("manifest")
    own = {"allOf": [{"$ref": "#/definitions/analysis"}]}
    return Checker({"$schema": schema["$schema"], "definitions": schema["definitions"], **own})


@functools.cache
def _lockfile_checker() -> Checker:
    return Checker(_schema("lockfile"))


@functools.cache
def _schema(name: SchemaName) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(schema_text(name))
    return schema


def _with_hint(fault: Fault) -> Fault:
    """Say of some common mistakes what to write instead."""
    match fault.path:
        case () if fault.lacks == "manifest":
            return replace(fault, message=f"{fault.message}; add `manifest: 1`, the version of the format")
        case ("defaults", "kind" | "forEach" as key) if fault.at_key:
            return replace(fault, message=f"{shown(key)} belongs in an analysis, not in the defaults")
    return fault


def _aware_of_kind(fault: Fault, analysis: Any) -> Fault:
    """Say where an unknown key of an analysis belongs, if anywhere."""
    match fault.path:
        case ("forEach", "join") if fault.at_key:
            return replace(fault, message='unknown key "join"; to look up rows in another sheet, use `tables`')
        case (*steps, str(key)):
            mine = analysis.get("kind") if isinstance(analysis, dict) else None
            if mine in KINDS and (words := _of_other_kinds((*steps, key), mine)):
                return replace(fault, message=words, at_key=True)
            if fault.at_key and (words := _better_place(steps, key, mine)):
                return replace(fault, message=f"{shown(key)} {words}")
    return fault


def _better_place(steps: Sequence[str | int], key: str, mine: Any) -> str:
    """Words that say where a key belongs that is unknown at this place of an analysis."""
    if len(steps) == 3 and steps[0] == "analysisInput" and isinstance(steps[2], int):
        return 'is not a key of the API\'s list; write CODE: VALUE without the "- "'
    inner = [] if steps else [name for name in _BLOCKS if key in _keys_at(mine if mine in KINDS else KINDS[0], [name])]
    return f"belongs in {shown(inner[0])}" if inner else ""


def _of_other_kinds(path: DataPath, mine: Kind) -> str:
    """Words for a key of an analysis that only other kinds have; empty if there are no such kinds."""
    *steps, key = path
    kinds = [kind for kind in KINDS if key in _keys_at(kind, steps)]
    if not kinds or mine in kinds:
        return ""
    return f"{shown(key)} is for kind {listed(kinds, 'and')}, but this analysis is {mine}"


def _keys_at(kind: Kind, steps: Iterable[str | int]) -> dict[str, Any]:
    """The keys in the manifest's schema at a place of an analysis of this kind."""
    definitions = _schema("manifest")["definitions"]
    node = definitions[f"{kind}Analysis"]
    for step in steps:
        target = node.get("properties", {}).get(step, {})
        node = definitions[target["$ref"].rpartition("/")[2]] if "$ref" in target else target
    keys: dict[str, Any] = node.get("properties", {})
    return {key: rule for key, rule in keys.items() if rule != _NOT_OF_THIS_KIND}
