"""Conditions such as ``row.status == 'ready'``, which most ``where`` expressions are, as Python source.

Jinja compiles a comparison to the same comparison in Python; this is that comparison without the context and budget
that Jinja sets up for each row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from jinja2 import nodes

from manifest_runner.templates.model import Lookup, TemplateFault
from manifest_runner.templates.template import lookup_of
from manifest_runner.text import shown

_OPERATORS = {
    "eq": "==",
    "ne": "!=",
    "gt": ">",
    "gteq": ">=",
    "lt": "<",
    "lteq": "<=",
    "in": "in",
    "notin": "not in",
}
# Texts that mean no. For Jinja every text except the empty one is true, and the cells of a table are text.
_NEGATIVE = frozenset({"false", "no", "n", "f", "0", "off"})


def holds(value: Any) -> bool:
    """Whether a condition with this value holds. Raises TemplateFault for a text that means no."""
    if isinstance(value, str) and value.strip().lower() in _NEGATIVE:
        message = f"the condition is the text {shown(value)}, which counts as true; compare it, as in `== 'TRUE'`"
        raise TemplateFault("MR408", message)
    return bool(value)


class ConditionWriter(msgspec.Struct, frozen=True):
    """``lookup`` and ``constant`` return the source of a look-up and of a value; None if that takes Jinja."""

    lookup: Callable[[Lookup], str | None]
    constant: Callable[[Any], str]

    def write(self, node: nodes.Node | None) -> str | None:
        """The source of an expression; None if it does more than compare look-ups and literals."""
        match node:
            case nodes.Const(value=value):
                return self.constant(value)
            case nodes.List(items=items):
                return self._literal(list, items)
            case nodes.Tuple(items=items):
                return self._literal(tuple, items)
            case nodes.Not(node=inner):
                return self._joined("(not ", [inner])
            case nodes.And(left=left, right=right):
                return self._joined("(", [left, right], " and ")
            case nodes.Or(left=left, right=right):
                return self._joined("(", [left, right], " or ")
            case nodes.Compare(expr=first, ops=[nodes.Operand(op=name, expr=second)]):
                return self._joined("(", [first, second], f" {_OPERATORS[name]} ")
        found = lookup_of(node)
        return None if found is None else self.lookup(found)

    def _joined(self, opening: str, parts: list[nodes.Expr], operator: str = "") -> str | None:
        sources = [source for source in map(self.write, parts) if source is not None]
        return opening + operator.join(sources) + ")" if len(sources) == len(parts) else None

    def _literal(self, kind: type, items: list[nodes.Expr]) -> str | None:
        values = [item.value for item in items if isinstance(item, nodes.Const)]
        return self.constant(kind(values)) if len(values) == len(items) else None
