"""The Jinja environment of manifests: sandboxed, deterministic and bounded.

A pull request can contain a template, so no template may read a file, a Python attribute, the clock or an address,
run for long or fill the memory. Jinja's sandbox has a list of what is denied, which has grown with each published
escape; here everything that is allowed is listed: filters, tests, attributes, functions, statements. Also,

- every loop step and every value that an expression makes is charged to a budget (see limits.py),
- each operation whose result can be far larger than its operands is checked first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import BuiltinMethodType
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace, missing

from manifest_runner.near_miss import near_miss
from manifest_runner.templates.filters import FILTERS, formatted, in_text, joined, replace
from manifest_runner.templates.guard import GUARDS, Guard
from manifest_runner.templates.limits import (
    MAX_STEPS,
    Budget,
    TemplateRefused,
    refuse_large,
    refuse_long_number,
    refuse_wide,
    weight,
)
from manifest_runner.templates.scope import LookupTable, Scope, root_missing
from manifest_runner.text import kind_of, shown

STRING_METHODS = frozenset(
    "capitalize casefold center count endswith find index isalnum isalpha isascii isdecimal isdigit islower "
    "isnumeric isspace istitle isupper join ljust lower lstrip partition removeprefix removesuffix replace rfind "
    "rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title upper zfill".split()
)
MAPPING_METHODS = frozenset({"get", "items", "keys", "values"})
_METHODS: Mapping[type, frozenset[str]] = {
    str: STRING_METHODS,
    dict: MAPPING_METHODS,
    list: frozenset({"count", "index"}),
    tuple: frozenset({"count", "index"}),
}
_PADDING = frozenset({"center", "ljust", "rjust", "zfill"})
_LOOP = frozenset(
    "index index0 first last length revindex revindex0 previtem nextitem depth depth0 cycle changed".split()
)
TESTS = (
    "boolean defined divisibleby eq equalto even false float ge gt greaterthan in integer iterable le lessthan lower "
    "lt mapping ne none number odd sequence string true undefined upper == != < <= > >="
).split()
_STATEMENTS: Mapping[type[nodes.Node], str] = {
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "from",
    nodes.Extends: "extends",
    nodes.Block: "block",
    nodes.CallBlock: "call",
    nodes.ScopedEvalContextModifier: "autoescape",
}
# The number of keys of a mapping that fit into a message.
KEYS_SHOWN = 6


class MissingName(jinja2.StrictUndefined):
    """An undefined value whose message names the nearest existing one."""

    @property
    def _undefined_message(self) -> str:
        obj, name = self._undefined_obj, str(self._undefined_name)
        if isinstance(obj, Scope):
            return obj.missing(name)
        if isinstance(obj, LookupTable):
            return obj.missing(self._undefined_name)
        if self._undefined_hint:
            return str(self._undefined_hint)
        if obj is missing:
            return root_missing(name)
        if isinstance(obj, MissingName):  # an element of what is missing itself
            return obj._undefined_message
        if isinstance(obj, dict):
            return _no_key(obj, name)
        return _no_element(obj, name) if isinstance(self._undefined_name, int) else _no_attribute(obj, name)


def _no_key(mapping: Mapping[Any, Any], name: str) -> str:
    if name in mapping:
        return f'this mapping has "{name}" as text, not as a number; use `| string`'
    keys = f"; it has {', '.join(map(shown, map(str, mapping)))}" if 0 < len(mapping) <= KEYS_SHOWN else ""
    return f'this mapping has no "{name}"{near_miss(name, mapping) or keys}'


def _no_element(obj: Any, index: str) -> str:
    if not isinstance(obj, (list, tuple)):
        return f"{kind_of(obj)} has no element [{index}]"
    if not obj:
        return f"an empty list has no element [{index}]"
    return f"{kind_of(obj)} of {len(obj):,} has no element [{index}]; the first is [0]"


def _no_attribute(obj: Any, name: str) -> str:
    are_rows = isinstance(obj, (list, tuple)) and any(isinstance(each, dict) and name in each for each in obj)
    hint = f", but its elements have; write `| map(attribute='{name}') | list`" if are_rows else ""
    return f"{kind_of(obj)} has no {name}{hint}"


def bounded_range(*limits: int) -> range:
    numbers = range(*limits)
    if max(numbers.stop - numbers.start, numbers.start - numbers.stop) > MAX_STEPS * abs(numbers.step):
        raise TemplateRefused(f"a range of more than {MAX_STEPS:,} numbers")
    return numbers


class Sandbox(ImmutableSandboxedEnvironment):
    """Renders one string at a time, each with a fresh budget."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self, budget: Budget | None = None) -> None:
        super().__init__(
            undefined=MissingName,
            finalize=in_text,
            keep_trailing_newline=True,
            autoescape=False,
            optimized=False,
            cache_size=0,
            extensions=("jinja2.ext.loopcontrols",),
        )
        self.filters = {**FILTERS, **GUARDS}
        self.tests = {name: self.tests[name] for name in TESTS}
        self.tests |= {name: _of_numbers(name, self.tests[name]) for name in ("divisibleby", "even", "odd")}
        self.globals = {"range": bounded_range, "dict": dict, "namespace": Namespace}
        self.budget = budget or Budget()

    def concat(self, pieces: Iterable[str]) -> str:
        """Replaces Jinja's ``"".join``, which is called for the whole and for every block; a loop can repeat pieces."""
        texts = list(pieces)
        self.budget.charge(sum(map(len, texts)))
        return "".join(texts)

    # -- parsing

    def guarded(self, source: str) -> nodes.Template:
        """Parse, and wrap every expression that can grow. Raises jinja2.TemplateSyntaxError or TemplateRefused."""
        tree = self.parse(source)
        for statement in tree.find_all(tuple(_STATEMENTS)):
            raise TemplateRefused(f"{{% {_STATEMENTS[type(statement)]} %}} cannot be used in a manifest")
        guarded = Guard().visit(tree)
        guarded.set_environment(self)
        assert isinstance(guarded, nodes.Template)
        return guarded

    # -- attributes and calls

    def getattr(self, obj: Any, attribute: str) -> Any:
        """``row.items`` is the column of that name if there is one, and a method only otherwise."""
        if isinstance(obj, LookupTable):
            return self.getitem(obj, attribute)
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, Scope):
            obj.refuse(attribute)
        if _is_allowed(obj, attribute):
            return getattr(obj, attribute, self.undefined(obj=obj, name=attribute))
        if isinstance(obj, Undefined):
            str(obj)  # raises, with a message about what is missing
        is_row = isinstance(obj, Scope) and not attribute.startswith("_")
        if hasattr(type(obj), attribute) and not is_row:
            message = f'"{attribute}" of {kind_of(obj)} cannot be used in a manifest'
            return self.undefined(message, name=attribute, obj=obj, exc=SecurityError)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, (str, list, dict, tuple, range, LookupTable)):
            try:
                return obj[argument]
            except (TypeError, LookupError):
                pass
        if isinstance(obj, LookupTable):
            return self.undefined(obj=obj, name=argument)
        return self.getattr(obj, argument) if isinstance(argument, str) else self.undefined(obj=obj, name=argument)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002 - Jinja's signature
        return _is_allowed(obj, attr)

    def is_safe_callable(self, obj: Any) -> bool:
        if isinstance(obj, BuiltinMethodType):
            return _is_allowed(obj.__self__, obj.__name__)
        if isinstance(obj, Macro) or obj is dict or obj is Namespace or obj is bounded_range:
            return True
        return getattr(obj, "__func__", None) in (LoopContext.cycle, LoopContext.changed)

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - Jinja's signature
        __self.budget.step()
        owner, name = getattr(__obj, "__self__", None), getattr(__obj, "__name__", "")
        if isinstance(owner, Scope):
            for key in args[:1] if name == "get" else tuple(owner.refused):
                owner.refuse(key)
        if isinstance(owner, str):
            if name == "replace":
                return replace(owner, *args)
            if name == "join":
                refuse_large(weight(args))
                return joined(args[0], owner) if len(args) == 1 else owner.join(*args)
            if name in _PADDING:
                refuse_wide(*args)
        if isinstance(__obj, Undefined):
            str(__obj)  # raises, with a message about what is missing
        if not __self.is_safe_callable(__obj):
            raise TemplateRefused(f"{kind_of(__obj)} cannot be called")
        return super().call(__context, __obj, *args, **kwargs)

    # -- operators

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "*":
            _refuse_product(left, right)
        elif operator == "**":
            _refuse_power(left, right)
        elif isinstance(left, str):
            return formatted(left, *(right if isinstance(right, tuple) else (right,)))
        return super().call_binop(context, operator, left, right)


def _of_numbers(name: str, test: Any) -> Callable[..., bool]:
    """The test, which would use a text as a format for its number."""

    def strict(value: Any, *args: Any) -> bool:
        if isinstance(value, str):
            raise TemplateRefused(f"{name} is for numbers, not for text; use `| int`")
        return bool(test(value, *args))

    return strict


def _is_allowed(obj: Any, attribute: str) -> bool:
    if isinstance(obj, LoopContext):
        return attribute in _LOOP
    if isinstance(obj, Namespace):
        return not attribute.startswith("_")
    return any(isinstance(obj, kind) and attribute in names for kind, names in _METHODS.items())


def _refuse_product(left: Any, right: Any) -> None:
    for many, times in ((left, right), (right, left)):
        if isinstance(many, (str, list, tuple)) and isinstance(times, int):
            refuse_large((len(many) if isinstance(many, str) else weight(many)) * times)


def _refuse_power(base: Any, exponent: Any) -> None:
    if isinstance(base, int) and isinstance(exponent, int):
        refuse_long_number(base.bit_length() * abs(exponent))
