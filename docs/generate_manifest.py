"""The keys of a manifest, as tables made from ``schemas/manifest.schema.json``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).parent.parent / "schemas" / "manifest.schema.json"

KINDS = {"nextflow": "nextflowAnalysis", "nextflowJson": "nextflowJsonAnalysis", "cwl": "cwlAnalysis"}
# Definitions in the order of the page. Others with keys follow under their own titles.
SECTIONS = {
    "forEach": "`forEach`",
    "tags": "`tags`",
    "logs": "`logs`",
    "outputMapping": "An element of `analysisOutput`",
    "nextflowInput": "`analysisInput` of kind `nextflow`",
    "cwlInput": "`analysisInput` of kind `cwl`",
    "codedDataInput": "An element of `analysisInput.inputs`",
    "inputFormValues": "`inputFormValues`",
    "formField": "An element of `inputFormValues.fields`",
}
_NOT_FOR_READERS = {"analysis", "analysisOfUnknownKind", *KINDS.values()}
_OF_ANOTHER_KIND = "#/definitions/notOfThisKind"
_TYPES = {"object": "mapping", "array": "list", "string": "text", "integer": "whole number"}

Schema = dict[str, Any]


def reference() -> str:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    lines = ["### The manifest", "", *table(schema, schema), "", *analysis_sections(schema)]
    for name, title in sections(schema):
        node = schema["definitions"][name]
        lines += ["", f"### {title}", "", node.get("description", ""), "", *table(schema, node)]
    return "\n".join(lines) + "\n"


def sections(schema: Schema) -> Iterator[tuple[str, str]]:
    """The definitions with keys, each with its heading."""
    yield from SECTIONS.items()
    for name, node in schema["definitions"].items():
        if "properties" in node and name not in SECTIONS and name not in _NOT_FOR_READERS:
            yield name, node.get("title", name)


def analysis_sections(schema: Schema) -> Iterator[str]:
    """The keys that all kinds share, once; then the further keys of each kind."""
    by_kind = {kind: schema["definitions"][name]["properties"] for kind, name in KINDS.items()}
    first = next(iter(by_kind.values()))
    shared = [key for key in first if all(keys.get(key) == first[key] for keys in by_kind.values())]
    yield from ("### An analysis", "", "Keys of every kind:", "")
    yield from table(schema, {"properties": {key: first[key] for key in shared}})
    for kind, name in KINDS.items():
        yield from ("", f"Further keys of kind `{kind}`: {schema['definitions'][name]['description']}", "")
        yield from table(schema, {"properties": {k: rule for k, rule in by_kind[kind].items() if k not in shared}})


def table(schema: Schema, node: Schema) -> Iterator[str]:
    """One row for each key of an object."""
    required = set(node.get("required", ()))
    yield "| key | meaning | type | default | example |"
    yield "| --- | --- | --- | --- | --- |"
    for key, rule in node["properties"].items():
        if rule.get("$ref") == _OF_ANOTHER_KIND:
            continue
        rule = resolved(schema, rule)
        cells = (
            f"`{key}`" + (" (required)" if key in required else ""),
            rule.get("description", rule.get("title", "")),
            types_of(schema, rule),
            code(rule["default"]) if "default" in rule else "",
            code(rule["examples"][0]) if rule.get("examples") else "",
        )
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def resolved(schema: Schema, rule: Schema) -> Schema:
    """A rule merged with the one that it refers to; keys beside the reference win."""
    if "$ref" not in rule:
        return rule
    target = schema["definitions"][rule["$ref"].rpartition("/")[2]]
    return {**resolved(schema, target), **{key: value for key, value in rule.items() if key != "$ref"}}


def types_of(schema: Schema, rule: Schema) -> str:
    """The types of the values that a rule accepts, in words."""
    if "const" in rule:
        return code(rule["const"])
    if "enum" in rule:
        return ", ".join(code(value) for value in rule["enum"] if value is not None)
    for several in ("anyOf", "oneOf"):
        if several in rule:
            found = [types_of(schema, resolved(schema, each)) for each in rule[several]]
            return " or ".join(dict.fromkeys(each for each in found if each))
    types = rule.get("type", ())
    given = [types] if isinstance(types, str) else types
    return ", ".join(_TYPES.get(each, each) for each in given if each != "null")


def code(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"`{text}`"
