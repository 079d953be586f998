"""Check the names that templates use: report a misspelled one once, before any row is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from jinja2 import nodes

from manifest_runner.templates.sandbox import MAPPING_METHODS
from manifest_runner.templates.scope import ROOTS, Scope, root_missing
from manifest_runner.templates.template import Template, lookup_of

_GLOBALS = frozenset({"range", "dict", "namespace"})
_BRANCHES = (nodes.If, nodes.CondExpr, nodes.And, nodes.Or)
_GUARDS = frozenset({"default", "d", "defined", "undefined"})


def unknown_names(
    template: Template, scopes: Mapping[str, Scope | None], roots: Sequence[str] = ROOTS
) -> Iterator[str]:
    """A message for each name that no row can supply.

    ``scopes`` has the names that can be used here, with their keys, or None if only a row shows those. Names that
    ``default`` or ``defined`` guards are accepted, and so are keys that a condition may guard.
    """
    tree = template.tree
    guarded = set(_guarded(tree))
    bound = set(_bound(tree))
    found: dict[str, None] = {}
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load" and id(name) not in guarded and name.name not in bound | _GLOBALS | scopes.keys():
            found[_words(name.name, scopes, roots)] = None
    if next(tree.find_all(_BRANCHES), None) is None:
        found |= dict.fromkeys(_unknown_keys(tree, {root: scopes[root] for root in scopes.keys() - bound}, guarded))
    yield from found


def _unknown_keys(tree: nodes.Template, scopes: Mapping[str, Scope | None], guarded: set[int]) -> Iterator[str]:
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        step = lookup_of(node)
        scope = scopes.get(step.root) if step else None
        if scope is None or step is None or step.key is None or id(node) in guarded:
            continue
        if step.key not in scope and step.key not in MAPPING_METHODS:
            yield scope.missing(step.key)


def _words(name: str, scopes: Mapping[str, Scope | None], roots: Sequence[str]) -> str:
    for root in ("row", "vars", "env"):
        if name not in ROOTS and name in (scopes.get(root) or ()):
            return f'"{name}" is not defined; did you mean "{root}.{name}"?'
    return root_missing(name, roots)


def _guarded(tree: nodes.Template) -> Iterator[int]:
    for guard in tree.find_all((nodes.Filter, nodes.Test)):
        if guard.name in _GUARDS and guard.node is not None:
            yield id(guard.node)
            yield from map(id, guard.node.find_all((nodes.Name, nodes.Getattr, nodes.Getitem)))


def _bound(tree: nodes.Template) -> Iterator[str]:
    """The names that the template itself defines."""
    yield from (name.name for name in tree.find_all(nodes.Name) if name.ctx != "load")
    for macro in tree.find_all(nodes.Macro):
        yield from (macro.name, "varargs", "kwargs", "caller")
    if next(tree.find_all(nodes.For), None) is not None:
        yield "loop"
