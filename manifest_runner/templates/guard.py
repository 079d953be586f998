"""Wrap the expressions of a template, as nodes of its tree, in checks of their values.

So nothing depends on the code that Jinja generates, and only plain data of a counted size passes from one operation to
the next: no method, no generator, no object with an address.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from types import BuiltinMethodType, GeneratorType
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.runtime import LoopContext, Macro, Undefined
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from manifest_runner.templates.filters import in_text
from manifest_runner.templates.limits import TemplateRefused, refuse_long_number, weight
from manifest_runner.templates.scope import LookupTable, Scope
from manifest_runner.text import kind_of

_LOOKUPS = (nodes.Getattr, nodes.Getitem)
_MAKERS = (nodes.Filter, nodes.BinExpr, nodes.List, nodes.Tuple, nodes.Dict)
_VIEWS = tuple(type(getattr({}, name)()) for name in ("items", "keys", "values"))
_ITERATORS: tuple[type[Iterable[Any]], ...] = (GeneratorType, map, filter, type(reversed([])), reversed, *_VIEWS)


class Guard(NodeTransformer):
    """``__seen`` checks values that are looked up, ``__made`` new ones, ``__used`` those that are walked through."""

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        node = super().generic_visit(node, *args, **kwargs)
        if getattr(node, "ctx", "load") != "load":
            return node
        return _wrapped(node, "__made") if isinstance(node, _MAKERS) else node

    def visit_Const(self, node: nodes.Const) -> nodes.Node:  # noqa: N802 - Jinja's naming, here and below
        if isinstance(node.value, float) and not math.isfinite(node.value):
            raise TemplateRefused("a number that is too large")
        return node

    def visit_Name(self, node: nodes.Name) -> nodes.Node:  # noqa: N802 - Jinja's naming, here and below
        return _wrapped(node, "__seen") if node.ctx == "load" else node

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Node:  # noqa: N802
        self._step(node)
        return _wrapped(node, "__seen") if node.ctx == "load" else node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self._step(node)
        return _wrapped(node, "__seen") if node.ctx == "load" else node

    def _step(self, node: Any) -> None:
        """A step can start at something other than data (``loop``, a namespace), whose size is not charged."""
        if isinstance(node.node, _LOOKUPS):
            self._step(node.node)
        elif not isinstance(node.node, nodes.Name):
            node.node = self.visit(node.node)
        if isinstance(node, nodes.Getitem):
            node.arg = _wrapped(self.visit(node.arg), "__used") if not isinstance(node.arg, nodes.Slice) else node.arg

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802
        called = node.node
        if isinstance(called, _LOOKUPS):
            self._step(called)
        elif not isinstance(called, nodes.Name):
            node.node = self.visit(called)
        node.args = [_wrapped(self.visit(arg), "__used") for arg in node.args]
        for pair in node.kwargs:
            pair.value = _wrapped(self.visit(pair.value), "__used")
        for name in ("dyn_args", "dyn_kwargs"):
            if getattr(node, name) is not None:
                setattr(node, name, self.visit(getattr(node, name)))
        return _wrapped(node, "__made")

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: N802
        super().generic_visit(node)
        if node.node is not None:
            node.node = _wrapped(node.node, "__used")
        return _wrapped(node, "__made")

    def visit_Test(self, node: nodes.Test) -> nodes.Node:  # noqa: N802
        super().generic_visit(node)
        node.node = _wrapped(node.node, "__used")
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        super().generic_visit(node)
        node.expr = _wrapped(node.expr, "__used")
        for operand in node.ops:
            operand.expr = _wrapped(operand.expr, "__used")
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        super().generic_visit(node)
        node.nodes = [_wrapped(each, "__text") for each in node.nodes]
        return _wrapped(node, "__made")

    def visit_CondExpr(self, node: nodes.CondExpr) -> nodes.Node:  # noqa: N802
        """In Jinja a false ``if`` without ``else`` is an empty text; here using it is an error."""
        super().generic_visit(node)
        node.expr2 = node.expr2 or _wrapped(nodes.Const(None, lineno=node.lineno), "__nothing")
        return node

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        super().generic_visit(node)
        node.iter = _wrapped(node.iter, "__loop")
        return node


def _wrapped(node: Any, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


@jinja2.pass_context
def _seen(context: Any, value: Any) -> Any:
    """Plain data; charges only its own length, not that of its content, so that one row of a long list is cheap."""
    if isinstance(value, (str, list, dict, tuple, range)):
        context.environment.budget.charge(len(value), is_walked=False)
        return value
    return _plain(context.environment, value)


@jinja2.pass_context
def _made(context: Any, value: Any) -> Any:
    """Plain data, charged with all of its content."""
    if isinstance(value, (list, dict, tuple)):
        context.environment.budget.charge(weight(value))
        return value
    if isinstance(value, (str, range)):
        context.environment.budget.charge(len(value))
        return value
    return _plain(context.environment, value)


@jinja2.pass_context
def _used(context: Any, value: Any) -> Any:
    """The values that an operation will walk through, charged beforehand."""
    if isinstance(value, (list, dict, tuple)):
        context.environment.budget.charge(weight(value))
    return value


def _plain(environment: Any, value: Any) -> Any:
    if value is None or isinstance(value, (bool, float, Undefined, Namespace, LookupTable)):
        return value
    if isinstance(value, int):
        refuse_long_number(value.bit_length())
        return value
    if isinstance(value, _ITERATORS):
        return list(_counted(environment, value))
    if isinstance(value, BuiltinMethodType):
        owner, name = value.__self__, value.__name__
        missing = f"{owner.missing(name)}; " if isinstance(owner, Scope) else ""
        raise TemplateRefused(f"{missing}{name} is a method; call it: {name}()")
    if isinstance(value, (LoopContext, Macro)):
        raise TemplateRefused(f"{kind_of(value)} is not data; use its values")
    raise TemplateRefused(f"{kind_of(value)} is not data that a template can use")


@jinja2.pass_context
def _nothing(context: Any, _: None) -> Any:
    return context.environment.undefined('the "if" is false, and there is no "else" with another value')


@jinja2.pass_context
def _loop(context: Any, value: Any) -> Any:
    return value if isinstance(value, Undefined) else list(_counted(context.environment, value))


def _counted(environment: Any, values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        environment.budget.step()
        yield value


GUARDS = {"__seen": _seen, "__made": _made, "__used": _used, "__text": in_text, "__loop": _loop, "__nothing": _nothing}
