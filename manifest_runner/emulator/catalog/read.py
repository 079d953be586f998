"""Read a catalog file: YAML 1.2 scalars, every part checked, mistakes with their line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from manifest_runner.emulator.catalog import format as catalog_format
from manifest_runner.emulator.catalog.format import Catalog
from manifest_runner.emulator.catalog.mistakes import find_mistakes
from manifest_runner.emulator.options import CatalogError

_KEYS = tuple(
    key
    for part in vars(catalog_format).values()
    if isinstance(part, type) and issubclass(part, msgspec.Struct)
    for key in part.__struct_encode_fields__
)
_TYPES = {
    "str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "array": "a list",
    "object": "a mapping", "null": "null",
}  # fmt: skip
_AT = re.compile(r"(?P<what>.*?)(?: - at `(?P<path>.*)`)?", re.DOTALL)
_SCALARS = (
    ("tag:yaml.org,2002:null", r"null|Null|NULL|~|", "nN~"),
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("tag:yaml.org,2002:int", r"-?(?:0|[1-9]\d*)", "-0123456789"),
    ("tag:yaml.org,2002:float", r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?", "-0123456789"),
)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads a scalar as a number, a boolean or null only if YAML 1.2 does: ``NO`` and ``012`` are text."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012


for _tag, _pattern, _starts in _SCALARS:
    _Loader.add_implicit_resolver(_tag, re.compile(rf"^(?:{_pattern})$"), [*_starts])
_Loader.add_implicit_resolver(_SCALARS[0][0], re.compile("^$"), [""])


def read_catalog(path: Path) -> Catalog:
    """The catalog in a file. Raises CatalogError with a message for the user, one line per mistake."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogError(f"{path}: the catalog cannot be read: {error}") from error
    try:
        raw = yaml.load(text, _Loader)  # noqa: S506
    except yaml.YAMLError as error:
        raise CatalogError(f"{path}{_mark(error)}: not YAML: {_problem(error)}") from error
    try:
        catalog = msgspec.convert(_in_one_case(raw), Catalog)
    except msgspec.ValidationError as error:
        raise CatalogError(_message(path, text, str(error))) from error
    if mistakes := list(find_mistakes(catalog)):
        raise CatalogError("\n".join(f"{path}:{_line(text, place)}: {what}" for place, what in mistakes))
    return catalog


def _in_one_case(raw: Any) -> Any:
    """The languages and statuses of pipelines in the spelling of the format; the API may write them in capitals."""
    pipelines = raw.get("pipelines") if isinstance(raw, dict) else None
    for each in pipelines if isinstance(pipelines, list) else ():
        for key, cased in (("language", str.lower), ("status", str.capitalize)) if isinstance(each, dict) else ():
            if isinstance(each.get(key), str):
                each[key] = cased(each[key])
    return raw


def _message(path: Path, text: str, error: str) -> str:
    match = _AT.fullmatch(error)
    assert match is not None
    place = (match["path"] or "$").removeprefix("$").removeprefix(".")
    where = f"{place}: " if place else ""
    return f"{path}:{_line(text, place)}: {where}{_plain(match['what'])}"


def _plain(what: str) -> str:
    """msgspec's message in terms that a catalog's author knows."""
    if match := re.fullmatch("Object contains unknown field `(.*)`", what):
        near = difflib.get_close_matches(match[1], _KEYS, 1)
        return f'unknown key "{match[1]}"' + (f'; did you mean "{near[0]}"?' if near else "")
    if match := re.fullmatch("Object missing required field `(.*)`", what):
        return f'the key "{match[1]}" is missing'
    if match := re.fullmatch("Expected `(.*)`, got `(.*)`", what):
        wanted, found = (" or ".join(_TYPES.get(each, each) for each in kinds.split(" | ")) for kinds in match.groups())
        return f"expected {wanted}, found {found}"
    return what[:1].lower() + what[1:]


def _line(text: str, place: str) -> int:
    """The line of a place such as ``pipelines[0].inputs[2].code``, or of the value that encloses it."""
    node = yaml.compose(text, _Loader)
    for key in _keys(place):
        inner = _inner(node, key)
        if inner is None:
            break
        node = inner
    return node.start_mark.line + 1 if node is not None else 1


def _keys(place: str) -> Iterator[str | int]:
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+|\.\.\.)\]", place):
        yield name or (int(index) if index.isdigit() else index)


def _inner(node: yaml.Node | None, key: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int):
        return node.value[key] if key < len(node.value) else None
    if isinstance(node, yaml.MappingNode):
        return next((value for name, value in node.value if name.value == key), None)
    return None


def _mark(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f":{mark.line + 1}" if mark else ""


def _problem(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or error)
