"""Recognize in Jinja's tree the most common ways to read the rows of a group or table, so that they can be fast."""

from __future__ import annotations

from typing import Any

from jinja2 import nodes

from manifest_runner.templates.model import Lookup, Query, TableLookup

_OF_LIST = frozenset({"list", "join"})


def query_of(node: nodes.Node | None, lookup: Any) -> Query | None:
    """The query of an expression that is nothing else. ``lookup`` returns the look-up of such an expression."""
    filters: list[tuple[str, tuple[Any, ...]]] = []
    while isinstance(node, nodes.Filter) and node.name != "map":
        step = plain_filter(node)
        if step is None:
            return None
        filters.insert(0, step)
        node = node.node
    if isinstance(node, nodes.Filter):
        column = _mapped_column(node)
        is_known = column is not None and all(name in _OF_LIST for name, _ in filters)
        of = _rows(node.node, lookup)
        return Query(None if of == "rows" else of, column or "", True, tuple(filters)) if is_known and of else None
    if isinstance(node, (nodes.Getattr, nodes.Getitem)):
        column, table = step_of(node), _table_lookup(node.node, lookup)
        return Query(table, column, False, tuple(filters)) if column is not None and table is not None else None
    return None


def plain_filter(node: nodes.Filter) -> tuple[str, tuple[Any, ...]] | None:
    """A filter and its arguments, if these are literals."""
    if node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None:
        return None
    if not all(isinstance(arg, nodes.Const) for arg in node.args):
        return None
    return node.name, tuple(arg.value for arg in node.args if isinstance(arg, nodes.Const))


def step_of(node: nodes.Getattr | nodes.Getitem) -> str | None:
    """The key of one step into a mapping, if it is a literal."""
    key = node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", None)
    return key if isinstance(key, str) else None


def _mapped_column(node: nodes.Filter) -> str | None:
    """The column of ``map(attribute='column')``. To Jinja, a name with a dot is a path."""
    if node.args or len(node.kwargs) != 1 or node.kwargs[0].key != "attribute":
        return None
    value = getattr(node.kwargs[0].value, "value", None)
    return value if isinstance(value, str) and "." not in value and not value.isdigit() else None


def _rows(node: nodes.Node | None, lookup: Any) -> Any:
    if isinstance(node, nodes.Name):
        return "rows" if node.name == "rows" else None
    return _table_lookup(node, lookup)


def _table_lookup(node: nodes.Node | None, lookup: Any) -> TableLookup | None:
    if not isinstance(node, nodes.Getitem) or not isinstance(node.node, (nodes.Getattr, nodes.Getitem)):
        return None
    table = node.node
    if not isinstance(table.node, nodes.Name) or table.node.name != "tables":
        return None
    name = step_of(table)
    parts = node.arg.items if isinstance(node.arg, nodes.Tuple) else [node.arg]
    keys = tuple(key for part in parts if (key := _key(part, lookup)) is not None)
    return TableLookup(name, keys) if name is not None and len(keys) == len(parts) else None


def _key(node: nodes.Node, lookup: Any) -> Lookup | str | None:
    if isinstance(node, nodes.Const):
        return node.value if isinstance(node.value, str) else None
    found: Lookup | None = lookup(node)
    return found if found is not None and found.root == "row" and found.key is not None else None
