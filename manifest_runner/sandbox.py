"""The Jinja environment of manifests: sandboxed, deterministic and bounded. With templating, who imports jinja2.

A pull request can carry a template, so none may read a file, an attribute of Python's, the clock or an address,
nor run for long or fill the memory. Jinja's sandbox stops the escapes; this module adds

- an allow-list of filters, tests, attributes and statements instead of Jinja's deny-list,
- a budget per rendered string, charged by every loop step and every value that an expression makes,
- a check before each operation whose result can be far larger than its operands.

Expressions are wrapped while they are nodes (``_Guard``), so that nothing depends on Jinja's generated code.
"""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from types import BuiltinMethodType, GeneratorType
from typing import Any

import jinja2
from jinja2 import filters as builtin
from jinja2 import nodes
from jinja2.runtime import LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from manifest_runner.spelling import spelled_json, text_of

MAX_TEXT = 1_000_000
MAX_CHARGE = 10_000_000
MAX_STEPS = 100_000
MAX_SMALL = 1_000
MAX_BITS = 4096

_STRING_METHODS = frozenset(
    "capitalize casefold center count endswith find index isalnum isalpha isascii isdecimal isdigit islower "
    "isnumeric isspace istitle isupper join ljust lower lstrip partition removeprefix removesuffix replace rfind "
    "rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title upper zfill".split()
)
_METHODS: Mapping[type, frozenset[str]] = {
    str: _STRING_METHODS,
    dict: frozenset({"get", "items", "keys", "values"}),
    list: frozenset({"count", "index"}),
    tuple: frozenset({"count", "index"}),
}
_LOOP = frozenset(
    "index index0 first last length revindex revindex0 previtem nextitem depth depth0 cycle changed".split()
)
_FILTERS = (
    "abs batch capitalize center count d default dictsort first float groupby int items last length list lower map "
    "max min reject rejectattr reverse round select selectattr slice sort string sum title tojson trim truncate "
    "unique upper urlencode wordcount"
).split()
_TESTS = (
    "boolean defined divisibleby eq equalto even false float ge gt greaterthan in integer iterable le lessthan lower "
    "lt mapping ne none number odd sequence string true undefined upper == != < <= > >="
).split()
_SIZED = frozenset({"center", "ljust", "rjust", "zfill", "batch", "slice", "round", "tojson", "truncate"})
_STATEMENTS = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends, nodes.Block, nodes.CallBlock)


class TemplateRefused(Exception):
    """A template does what manifests may not do; the message says what."""


class Scope(dict[str, Any]):
    """One of the mappings that templates see, with the words for what it lacks."""

    def __init__(self, values: Any, lacks: str) -> None:
        super().__init__(values)
        self.lacks = lacks


class Missing(jinja2.StrictUndefined):
    """An undefined value whose message names the nearest thing that exists."""

    @property
    def _undefined_message(self) -> str:
        obj, name = self._undefined_obj, self._undefined_name
        if isinstance(obj, Scope):
            return obj.lacks.format(name) + near_miss(str(name), obj)
        if isinstance(obj, (str, int, float, list, tuple, dict)) or obj is None:
            kind = {"dict": "mapping", "str": "text", "NoneType": "null"}.get(type(obj).__name__, type(obj).__name__)
            return f"{name!r} is not there (this is a {kind})" + (
                near_miss(str(name), obj) if isinstance(obj, dict) else ""
            )
        if self._undefined_hint:
            return str(self._undefined_hint)
        names = ("row", "index", "vars", "env", "project", "name")
        return f'"{name}" is not defined; templates know {", ".join(names)}' + near_miss(str(name), names)


def near_miss(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, [str(each) for each in known], n=1)
    return f'; did you mean "{close[0]}"?' if close else ""


class Sandbox(ImmutableSandboxedEnvironment):
    """Renders one string at a time; ``start`` gives it a fresh budget."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(
            undefined=Missing,
            finalize=_in_text,
            keep_trailing_newline=True,
            autoescape=False,
            optimized=False,
            cache_size=0,
            extensions=("jinja2.ext.do", "jinja2.ext.loopcontrols"),
        )
        own = {"split": split, "slug": slug, "basename": basename, "to_json": spelled_json}
        checked = {"join": _join, "replace": replace, "format": _format, "lower": lower, "upper": upper, "trim": trim}
        self.filters = {name: builtin.FILTERS[name] for name in _FILTERS} | checked | own
        self.filters |= {"__data": _data, "__loop": _loop, "__small": _small}
        self.tests = {name: self.tests[name] for name in _TESTS}
        self.globals = {"range": self.globals["range"], "dict": dict, "namespace": Namespace}
        self.start()

    def start(self) -> None:
        self._charge = 0
        self._steps = 0

    def charge(self, size: int) -> None:
        self._charge += size
        self.step()
        if size > MAX_TEXT or self._charge > MAX_CHARGE:
            raise TemplateRefused(f"the template makes more than {MAX_TEXT:,} characters or values")

    def step(self) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise TemplateRefused(f"the template takes more than {MAX_STEPS:,} steps")

    def guarded(self, source: str) -> nodes.Template:
        """Parse, and wrap whatever can grow. Raises jinja2.TemplateSyntaxError or TemplateRefused."""
        tree = self.parse(source)
        for statement in tree.find_all(_STATEMENTS):
            raise TemplateRefused(f"{{% {type(statement).__name__.lower()} %}} cannot be used in a manifest")
        guarded = _Guard().visit(tree)
        guarded.set_environment(self)
        assert isinstance(guarded, nodes.Template)
        return guarded

    def getattr(self, obj: Any, attribute: str) -> Any:
        """``row.items`` is the column of that name where there is one; a method only otherwise."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, Scope):
            return self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        try:
            return obj[argument]
        except (AttributeError, TypeError, LookupError):
            return self.getattr(obj, argument) if isinstance(argument, str) else self.undefined(obj=obj, name=argument)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002 - Jinja's signature
        if isinstance(obj, LoopContext):
            return attr in _LOOP
        if isinstance(obj, Namespace):
            return not attr.startswith("_")
        return any(isinstance(obj, kind) and attr in names for kind, names in _METHODS.items())

    def is_safe_callable(self, obj: Any) -> bool:
        if isinstance(obj, BuiltinMethodType):
            return any(isinstance(obj.__self__, kind) and obj.__name__ in names for kind, names in _METHODS.items())
        if isinstance(obj, Macro) or obj in (dict, Namespace, self.globals["range"]):
            return True
        return getattr(obj, "__func__", None) in (LoopContext.cycle, LoopContext.changed)

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - Jinja's signature
        __self.step()
        owner, name = getattr(__obj, "__self__", None), getattr(__obj, "__name__", "")
        if isinstance(owner, str) and name == "replace":
            return replace(owner, *args)
        if isinstance(owner, str) and name == "join":
            return _join(__context.eval_ctx, args[0], owner)
        return super().call(__context, __obj, *args, **kwargs)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "*":
            _check_product(left, right)
        elif operator == "**":
            _check_power(left, right)
        elif isinstance(left, str):
            return _format(left, *(right if isinstance(right, tuple) else (right,)))
        return super().call_binop(context, operator, left, right)


class _Guard(NodeTransformer):
    """Wraps the expressions whose values must be plain data, counted and small."""

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        node = super().generic_visit(node, *args, **kwargs)
        if isinstance(node, (nodes.Getattr, nodes.Getitem, nodes.Filter, nodes.Concat, nodes.BinExpr)):
            return node if getattr(node, "ctx", "load") != "load" else _wrapped(node, "__data")
        return node

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - Jinja's naming
        called = node.node
        if isinstance(called, (nodes.Getattr, nodes.Getitem)):
            called.node = self.visit(called.node)
        else:
            node.node = self.visit(called)
        node.args = [self.visit(arg) for arg in node.args]
        for pair in node.kwargs:
            pair.value = self.visit(pair.value)
        if isinstance(called, nodes.Getattr) and called.attr in _SIZED:
            node.args = [_wrapped(arg, "__small") for arg in node.args]
        return _wrapped(node, "__data")

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: N802 - Jinja's naming
        guarded = self.generic_visit(node)
        if node.name in _SIZED:
            node.args = [_wrapped(arg, "__small") for arg in node.args]
            for pair in node.kwargs:
                pair.value = _wrapped(pair.value, "__small")
        return guarded

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - Jinja's naming
        self.generic_visit(node)
        node.iter = _wrapped(node.iter, "__loop")
        return node


def _wrapped(node: Any, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


@jinja2.pass_context
def _data(context: Any, value: Any) -> Any:
    """Only plain data passes from one operation to the next: no method, no generator, no object with an address."""
    kind = value.__class__
    if kind is str:
        context.environment.charge(len(value))
    elif isinstance(value, (GeneratorType, map, filter, reversed)) or kind in _VIEWS:
        return list(_counted(context.environment, value))
    elif isinstance(value, (str, list, dict, tuple, range)):
        context.environment.charge(len(value))
        return str(value) if isinstance(value, str) else value
    elif kind is int and value.bit_length() > MAX_BITS:
        raise TemplateRefused("a number of more than a thousand digits")
    elif isinstance(value, BuiltinMethodType):
        raise TemplateRefused(f"{value.__name__} is a method; call it: {value.__name__}()")
    elif not (value is None or isinstance(value, (int, float, Undefined, Namespace))):
        raise TemplateRefused(f"a {kind.__name__} is not data that a template can use")
    return value


_VIEWS: tuple[type, ...] = tuple(type(getattr({}, name)()) for name in ("items", "keys", "values"))


@jinja2.pass_context
def _loop(context: Any, value: Any) -> Any:
    if isinstance(value, Undefined):
        return value
    return list(_counted(context.environment, value))


def _counted(environment: Sandbox, values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        environment.step()
        yield value


@jinja2.pass_context
def _small(_context: Any, value: Any) -> Any:
    size = len(value) if isinstance(value, str) else abs(value) if isinstance(value, (int, float)) else 0
    if size > MAX_SMALL:
        raise TemplateRefused(f"a width or count of more than {MAX_SMALL:,}")
    return value


def _check_product(left: Any, right: Any) -> None:
    for many, times in ((left, right), (right, left)):
        if isinstance(many, (str, list, tuple)) and isinstance(times, int) and len(many) * times > MAX_TEXT:
            raise TemplateRefused(f"the template makes more than {MAX_TEXT:,} characters or values")


def _check_power(base: Any, exponent: Any) -> None:
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * abs(exponent) > MAX_BITS:
        raise TemplateRefused("a number of more than a thousand digits")


def _in_text(value: Any) -> Any:
    """What an expression adds to the text around it. Jinja would print Python's ``True`` and ``['a']``."""
    if isinstance(value, (str, Undefined)):
        return value
    if value is None:
        raise TemplateRefused(
            "null cannot be put into text; use `default('…', true)` or leave the field to one expression"
        )
    if not isinstance(value, (bool, int, float)):
        raise TemplateRefused(f"a {type(value).__name__} cannot be put into text; use `join` or `to_json`")
    return text_of(value)


def as_text(value: Any, filter_name: str) -> str:
    if isinstance(value, Undefined):
        return str(value)  # raises, with the words for what is missing
    if isinstance(value, (bool, int, float)):
        return text_of(value)
    if not isinstance(value, str):
        raise TemplateRefused(f"{filter_name} works on text, not on {type(value).__name__}")
    return value


def split(value: Any, separator: str | None = None) -> list[str]:
    """The pieces of a text; of an empty one there are none."""
    text = as_text(value, "split")
    return text.split(separator) if text else []


def slug(value: Any) -> str:
    """A valid userReference: every run of characters that one cannot hold becomes one hyphen."""
    text = re.sub(r"[^A-Za-z0-9_-]+", "-", as_text(value, "slug")).strip("-")[:255]
    if not text:
        raise TemplateRefused(f"slug leaves nothing of {value!r}")
    return text


def basename(value: Any) -> str:
    """What follows the last slash of a path, as basename(1) has it."""
    text = as_text(value, "basename")
    return posixpath.basename(text.rstrip("/")) or text[:1]


def lower(value: Any) -> str:
    """Jinja's own, and its two neighbours', would take Python's spelling of what is no text: ``True``, ``['a']``."""
    return as_text(value, "lower").lower()


def upper(value: Any) -> str:
    return as_text(value, "upper").upper()


def trim(value: Any, chars: str | None = None) -> str:
    return as_text(value, "trim").strip(chars)


@jinja2.pass_eval_context
def _join(eval_ctx: Any, value: Any, d: str = "", attribute: Any = None) -> Any:
    values = value if isinstance(value, Undefined) else list(value)
    if isinstance(values, list):
        if len(values) * len(str(d)) > MAX_TEXT:
            raise TemplateRefused(f"the template makes more than {MAX_TEXT:,} characters or values")
        values = values if attribute is not None else [_in_text(each) for each in values]
    return builtin.do_join(eval_ctx, values, d, attribute)


def replace(value: Any, old: Any, new: Any, count: int = -1) -> str:
    text, old, new = as_text(value, "replace"), as_text(old, "replace"), as_text(new, "replace")
    if len(text) + text.count(old) * max(0, len(new) - len(old)) > MAX_TEXT:
        raise TemplateRefused(f"the template makes more than {MAX_TEXT:,} characters or values")
    return text.replace(old, new, -1 if count is None else count)


def _format(value: Any, *args: Any, **kwargs: Any) -> str:
    """printf-style formatting, without widths that fill the memory."""
    text = as_text(value, "format")
    if re.search(r"%(?:\([^)]*\))?[-+ #0]*(?:\*|\d{4,}|\d*\.(?:\*|\d{4,}))", text):
        raise TemplateRefused(f"a width or count of more than {MAX_SMALL:,}")
    for each in (*args, *kwargs.values()):
        if not isinstance(each, (str, int, float, Undefined)) or (isinstance(each, float) and not math.isfinite(each)):
            raise TemplateRefused(f"format works on text and numbers, not on {type(each).__name__}")
    return text % (kwargs or args)
