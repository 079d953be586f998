"""Write ``docs/manifest.md`` from ``schemas/manifest.schema.json``: ``python docs/generate.py``.

A test compares the file with what this makes, so that the reference cannot go stale.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
SCHEMA = DOCS.parent / "schemas" / "manifest.schema.json"
REFERENCE = DOCS / "manifest.md"

SECTIONS = (
    ("Analyses of kind `nextflow`", "nextflowAnalysis"),
    ("Analyses of kind `nextflowJson`", "nextflowJsonAnalysis"),
    ("Analyses of kind `cwl`", "cwlAnalysis"),
    ("`forEach`", "forEach"),
    ("`tags`", "tags"),
    ("`logs`", "logs"),
    ("An element of `analysisOutput`", "outputMapping"),
    ("`analysisInput` of kind `nextflow`", "nextflowInput"),
    ("`analysisInput` of kind `cwl`", "cwlInput"),
    ("An element of `analysisInput.inputs`", "codedDataInput"),
    ("`inputFormValues`", "inputFormValues"),
    ("An element of `inputFormValues.fields`", "formField"),
)
_OF_ANOTHER_KIND = "#/definitions/notOfThisKind"


def reference() -> str:
    """The whole page."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    lines = [
        "<!-- Made by docs/generate.py from schemas/manifest.schema.json; change it there. -->",
        "# Manifest reference",
        "",
        f"{schema['description']}",
        "",
        "Wherever text is taken, a Jinja2 template is taken too; `null` leaves a key out and removes its default.",
        "",
        "## The manifest",
        "",
        *table(schema, schema),
    ]
    for title, name in SECTIONS:
        node = schema["definitions"][name]
        lines += ["", f"## {title}", "", node.get("description", ""), "", *table(schema, node)]
    return "\n".join(lines) + "\n"


def table(schema: dict[str, Any], node: dict[str, Any]) -> Iterator[str]:
    """One row for each key of an object."""
    required = set(node.get("required", ()))
    yield "| key | what it is | takes | default | example |"
    yield "| --- | --- | --- | --- | --- |"
    for key, rule in node["properties"].items():
        if rule.get("$ref") == _OF_ANOTHER_KIND:
            continue
        rule = resolved(schema, rule)
        cells = (
            f"`{key}`" + (" (required)" if key in required else ""),
            rule.get("description", rule.get("title", "")),
            kinds_of(schema, rule),
            code(rule["default"]) if "default" in rule else "",
            code(rule["examples"][0]) if rule.get("examples") else "",
        )
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def resolved(schema: dict[str, Any], rule: dict[str, Any]) -> dict[str, Any]:
    """A rule with what it refers to; what stands beside the reference wins."""
    if "$ref" not in rule:
        return rule
    target = schema["definitions"][rule["$ref"].rpartition("/")[2]]
    return {**resolved(schema, target), **{key: value for key, value in rule.items() if key != "$ref"}}


def kinds_of(schema: dict[str, Any], rule: dict[str, Any]) -> str:
    """Which values a rule takes, in words."""
    if "const" in rule:
        return code(rule["const"])
    if "enum" in rule:
        return ", ".join(code(value) for value in rule["enum"] if value is not None)
    for several in ("anyOf", "oneOf"):
        if several in rule:
            found = [kinds_of(schema, resolved(schema, each)) for each in rule[several]]
            return " or ".join(dict.fromkeys(each for each in found if each))
    types = rule.get("type", ())
    names = {"object": "mapping", "array": "list", "string": "text", "integer": "whole number"}
    given = [types] if isinstance(types, str) else types
    return ", ".join(names.get(each, each) for each in given if each != "null")


def code(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"`{text}`"


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")
