"""``init --from-payload``: a manifest that launches the same as an existing request to the API."""

from __future__ import annotations

import json
import os
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from manifest_runner.commands.starters.starter import MODELINE, PLACEHOLDER_UUID, Written, fill_in, name_for, write_new
from manifest_runner.diagnostics.collector import Findings
from manifest_runner.diagnostics.finding import Finding, InvalidManifest, Place
from manifest_runner.errors import UsageProblem
from manifest_runner.items.load import load
from manifest_runner.items.shorthands import shape_item
from manifest_runner.manifest.input_file import decode_utf8, read_bytes
from manifest_runner.manifest.yaml_dump import dump_yaml
from manifest_runner.model import Kind
from manifest_runner.planning.identity import is_stamp
from manifest_runner.planning.launched_requests import unstamped
from manifest_runner.templates.model import has_delimiters
from manifest_runner.text import dotted
from manifest_runner.validation.shipped_schemas import item_checker
from manifest_runner.values import MAX_DEPTH, SpelledFloat, SpelledInt, depth_of, is_unicode, json_decoder, spelled_json

MAX_PAYLOAD_BYTES = 64 * 2**20

_TOO_DEEP = f"JSON that is nested more than {MAX_DEPTH} levels deep"

_ITEMS: dict[str, Kind] = {"nextflowItems": "nextflow", "nextflowJsonItems": "nextflowJson", "cwlItems": "cwl"}
_LISTS = ", ".join(_ITEMS)
_FIELDS = {"userReference", "pipelineId", "tags", "analysisInput", "inputFormValues"}


def write_from_payload(path: Path, payload: Path, project: str | None) -> Written:
    """Write a manifest that launches the same as a request to the API, for a batch or a single analysis.

    Raises UsageProblem if the file does not exist, InvalidManifest if no valid manifest can be made of it.
    """
    text = _read_payload(payload)
    analyses = [_analysis(kind, item) for kind, item in _checked_items(_decode(text, payload), payload)]
    head, rest = dump_yaml({"manifest": 1, "name": name_for(path)}), dump_yaml({"analyses": analyses})
    _refuse_unless_it_loads(head + rest, payload)
    given = (
        dump_yaml({"project": project}) if project else f"project: {PLACEHOLDER_UUID}   # FILL IN: id of the project\n"
    )
    return Written(write_new({path: MODELINE + head + given + rest}), () if project else (fill_in(path),))


def _read_payload(payload: Path) -> str:
    if not os.path.lexists(payload):
        raise UsageProblem(f"{payload}: there is no such file")
    return decode_utf8(read_bytes(payload, str(payload), MAX_PAYLOAD_BYTES), str(payload))


def _decode(text: str, payload: Path) -> dict[str, Any]:
    try:
        data = json_decoder().decode(text)
    except json.JSONDecodeError as e:
        raise _refused(payload, f"not JSON: {e.msg}", line=e.lineno, column=e.colno) from e
    except ValueError as e:  # a key twice, NaN, a vast number
        raise _refused(payload, str(e)) from e
    except RecursionError as e:
        raise _refused(payload, _TOO_DEEP) from e
    if not isinstance(data, dict):
        raise _refused(payload, "expected a launch request, which is a JSON object")
    if depth_of(data) > MAX_DEPTH:
        raise _refused(payload, _TOO_DEEP)
    if not is_unicode(data):
        raise _refused(payload, "half of a surrogate pair (\\ud800 to \\udfff) is not text", "MR503")
    return data


def _refused(payload: Path, message: str, code: str = "MR306", *, line: int = 1, column: int = 1) -> InvalidManifest:
    return InvalidManifest.at(Place(str(payload), line, column), code, message)


def _checked_items(data: dict[str, Any], payload: Path) -> list[tuple[Kind, dict[str, Any]]]:
    """The items of a body by kind. Raises InvalidManifest with what the API would refuse of them."""
    findings, found = Findings(), []
    for kind, label, item in _items(data, payload):
        for message in _faults(kind, label, item):
            findings.add(Finding(Place(str(payload), 1), "MR501", message))
        found.append((kind, item))
    if findings.count("error"):
        raise InvalidManifest(findings.all())
    return found


def _items(data: dict[str, Any], payload: Path) -> Iterator[tuple[Kind, str, Any]]:
    """Each item with its kind and what to call it; that of a single analysis has no name."""
    if not _ITEMS.keys() & data.keys():
        if not data.keys() & _FIELDS:
            raise _refused(payload, f"not a launch request: it has neither {_LISTS} nor the fields of an analysis")
        yield _kind(data), "", data
        return
    if unknown := sorted(data.keys() - _ITEMS.keys()):
        raise _refused(payload, f"unknown key {json.dumps(unknown[0][:60])} beside lists of items; remove it")
    lists = {member: [] if data.get(member) is None else data[member] for member in _ITEMS}
    for member, items in lists.items():
        if not isinstance(items, list):
            raise _refused(payload, f"{member}: expected a list of items")
    if not any(lists.values()):
        raise _refused(payload, "it has no items; it needs at least one")
    for member, kind in _ITEMS.items():
        yield from ((kind, f"{member}[{i}]", item) for i, item in enumerate(lists[member]))


def _faults(kind: Kind, label: str, item: Any) -> Iterator[str]:
    if not isinstance(item, dict):
        yield f"{label}: expected an object"
        return
    for fault in item_checker(kind).faults(shape_item(kind, item)):
        where = dotted((label, *fault.path))
        yield f"{where}: {fault.message}" if where else fault.message


def _refuse_unless_it_loads(manifest: str, payload: Path) -> None:
    """Check what no schema can: a duplicate userReference, braces in a key, a manifest that is too large."""
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / "manifest.yaml"
        trial.write_text(manifest, encoding="utf-8", newline="")
        try:
            loaded = load(trial, env={}, project="trial")
            deque(loaded.stream.items(), maxlen=0)
            loaded.raise_errors()
        except InvalidManifest as e:
            place = Place(str(payload), 1)
            errors = [each for each in e.findings if each.severity == "error"]
            raise InvalidManifest(
                [Finding(place, each.code, f"it does not give a valid manifest: {each.message}") for each in errors]
            ) from e


def _analysis(kind: Kind, item: dict[str, Any]) -> dict[str, Any]:
    """An item as it is written in a manifest, without the stamps of another launch: they would make both look alike."""
    if any(map(is_stamp, (item.get("tags") or {}).get("technicalTags") or ())):
        item = unstamped(item)
    given = item.get("analysisInput")
    if isinstance(given, dict) and isinstance(given.get("inputJson"), dict):
        item = {**item, "analysisInput": {**given, "inputJson": spelled_json(given["inputJson"])}}
    return {"kind": kind, **_literal(item)}


def _kind(item: Mapping[str, Any]) -> Kind:
    """The kind of a single analysis, known by the fields that only one kind has."""
    if "inputFormValues" in item:
        return "nextflowJson"
    given = item.get("analysisInput")
    return "cwl" if isinstance(given, dict) and {"objectType", "inputJson"} & given.keys() else "nextflow"


def _literal(value: Any) -> Any:
    """The same value, with strings as templates; a number that YAML might respell becomes text."""
    if isinstance(value, dict):
        return {key: _literal(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_literal(each) for each in value]
    if isinstance(value, (SpelledInt, SpelledFloat)):
        return str(value)
    if isinstance(value, str) and has_delimiters(value):
        # A raw block reads best, but ends where the text says so; a literal in an expression holds anything.
        return f"{{{{ {_jinja_text(value)} }}}}" if "endraw" in value else f"{{% raw %}}{value}{{% endraw %}}"
    return value


def _jinja_text(value: str) -> str:
    """A Jinja literal, in whose quotes no delimiter is left."""
    escaped = {"{": "\\x7b", "}": "\\x7d", "'": "\\x27", "\\": "\\x5c", "%": "\\x25", "#": "\\x23"}
    return "'" + "".join(escaped.get(character, character) for character in value) + "'"
