"""Count the rules of a JSON Schema once its references are followed: a few lines can expand to endless checks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_ANCHORS = ("$anchor", "$dynamicAnchor")


def schema_size(schema: object) -> int:
    """The number of subschemas for one value, each as often as it is referred to; a loop counts once."""
    return _Size(schema).of(schema)


class _Size:
    def __init__(self, root: object) -> None:
        self._root = root
        self._anchors = {name: node for node in _mappings(root) for name in map(node.get, _ANCHORS) if name}
        self._known: dict[int, int] = {}

    def of(self, node: object) -> int:
        if isinstance(node, list):
            return sum(map(self.of, node))
        if not isinstance(node, dict):
            return 0
        if id(node) not in self._known:
            self._known[id(node)] = 1  # what leads back here while it is counted is a loop
            targets = [self._target(node[name]) for name in _REFERENCES if isinstance(node.get(name), str)]
            self._known[id(node)] = 1 + sum(map(self.of, [*node.values(), *targets]))
        return self._known[id(node)]

    def _target(self, reference: str) -> object:
        """The target of a reference within the schema (RFC 6901); None for any other."""
        fragment = unquote(reference.partition("#")[2])
        if fragment and not fragment.startswith("/"):
            return self._anchors.get(fragment)
        node: Any = self._root
        for step in fragment.split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            if isinstance(node, list):
                node = node[int(step)] if step.isdecimal() and int(step) < len(node) else None
            else:
                node = node.get(step) if isinstance(node, dict) else None
        return node


def _mappings(node: object) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _mappings(each)
