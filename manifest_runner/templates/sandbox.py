"""The Jinja environment of manifests: sandboxed, deterministic and bounded. With its neighbours, who imports jinja2.

A pull request can carry a template, so none may read a file, an attribute of Python's, the clock or an address,
nor run for long or fill the memory. Jinja's sandbox keeps a list of what is denied, which has had to grow with each
published escape; here everything is allowed by name: filters, tests, attributes, functions, statements. Besides,

- a budget for each rendered string is charged by every loop step and every value that an expression makes,
- another for all of them together keeps a million rows from each spending the first one,
- each operation whose result can be far larger than its operands is checked before it is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from types import BuiltinMethodType, MappingProxyType
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace, missing

from manifest_runner.templates.filters import (
    FILTERS,
    as_text,
    basename,
    formatted,
    in_text,
    joined,
    lower,
    replace,
    slug,
    split,
    trim,
    upper,
)
from manifest_runner.templates.guard import GUARDS, Guard
from manifest_runner.templates.limits import (
    MAX_CHARGE,
    MAX_STEPS,
    MAX_STEPS_OF_ALL,
    MAX_STEPS_OF_EACH,
    MAX_TEXT,
    WALKED_PER_STEP,
    TemplateRefused,
    refuse_large,
    refuse_long_number,
    refuse_wide,
    weight,
)
from manifest_runner.text import kind_of, near_miss

__all__ = [
    "MAPPING_METHODS",
    "ROOTS",
    "TESTS",
    "Sandbox",
    "Scope",
    "TemplateRefused",
    "as_text",
    "basename",
    "kind_of",
    "lower",
    "replace",
    "root_missing",
    "slug",
    "split",
    "trim",
    "upper",
]

ROOTS = ("row", "index", "vars", "env", "project", "name")

_MAX_NAMES = 6
_MAX_NAME = 40
_STRING_METHODS = frozenset(
    "capitalize casefold center count endswith find index isalnum isalpha isascii isdecimal isdigit islower "
    "isnumeric isspace istitle isupper join ljust lower lstrip partition removeprefix removesuffix replace rfind "
    "rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title upper zfill".split()
)
MAPPING_METHODS = frozenset({"get", "items", "keys", "values"})
_METHODS: Mapping[type, frozenset[str]] = {
    str: _STRING_METHODS,
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


class Scope(dict[str, Any]):
    """One of the mappings that templates see, with the words for what it lacks; ``others`` has them by name."""

    def __init__(self, values: Any, lacks: str, others: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(values)
        self.lacks = lacks
        self.others = others

    def missing(self, name: str) -> str:
        return self.others.get(name) or self.lacks.format(name) + (_near_key(name, self) or _there_are(self))


class Missing(jinja2.StrictUndefined):
    """An undefined value whose message names the nearest thing that exists."""

    @property
    def _undefined_message(self) -> str:
        obj, name = self._undefined_obj, str(self._undefined_name)
        if isinstance(obj, Scope):
            return obj.missing(name)
        if self._undefined_hint:
            return str(self._undefined_hint)
        if isinstance(obj, dict):
            return f'this mapping has no "{name}"{near_miss(name, obj)}'
        index: Any = self._undefined_name
        if isinstance(index, int) and isinstance(obj, (list, tuple)):
            return f"{kind_of(obj)} of {len(obj):,} has no element [{name}], as they are counted from [0]"
        return root_missing(name) if obj is missing else f"{kind_of(obj)} has no {name}"


def root_missing(name: str) -> str:
    """The words for a name that no template knows."""
    return f'"{name}" is not defined' + (near_miss(name, ROOTS) or f"; templates know {', '.join(ROOTS)}")


def _near_key(name: str, known: Iterable[str]) -> str:
    """The nearest of the keys, and how a template reads one that is no name."""
    words = near_miss(name, known)
    near = words.partition('"')[2].removesuffix('"?')
    return words if not near or near.isidentifier() else f"{words} It is read with [{near!r}]"


def _there_are(known: Iterable[str]) -> str:
    names = [f'"{name[:_MAX_NAME]}"' for name in islice(known, _MAX_NAMES + 1)]
    if len(names) > _MAX_NAMES:
        names[-1] = "…"
    return f"; there is {', '.join(names)}" if names else ""


def bounded_range(*limits: int) -> range:
    numbers = range(*limits)
    if max(numbers.stop - numbers.start, numbers.start - numbers.stop) > MAX_STEPS * abs(numbers.step):
        raise TemplateRefused(f"a range of more than {MAX_STEPS:,} numbers")
    return numbers


class Sandbox(ImmutableSandboxedEnvironment):
    """Renders one string at a time; ``start`` gives it a fresh budget."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(
            undefined=Missing,
            finalize=in_text,
            keep_trailing_newline=True,
            autoescape=False,
            optimized=False,
            cache_size=0,
            extensions=("jinja2.ext.loopcontrols",),
        )
        self.filters = {**FILTERS, **GUARDS}
        self.tests = {name: self.tests[name] for name in TESTS}
        self.globals = {"range": bounded_range, "dict": dict, "namespace": Namespace}
        self.restart()

    # -- the budget

    def restart(self) -> None:
        """Before the rows are expanded, also once more: what was spent before does not count."""
        self._left = MAX_STEPS_OF_ALL
        self._charge = self._steps = self._walked = 0

    def start(self) -> None:
        """Before each rendering. Raises TemplateRefused where those before it took all that there is."""
        if not self.is_spent:
            self._left += MAX_STEPS_OF_EACH - self._steps - self._walked // WALKED_PER_STEP
        self._charge = self._steps = self._walked = 0
        if self.is_spent:
            raise TemplateRefused(
                f"the templates of all rows take more than {MAX_STEPS_OF_ALL:,} steps and {MAX_STEPS_OF_EACH:,} for "
                "each rendering; this row and those after it were not looked at"
            )

    @property
    def is_spent(self) -> bool:
        """Whether the renderings since ``restart`` cost more than all may together; then each is refused."""
        return self._left <= 0

    def charge(self, size: int, *, is_walked: bool = True) -> None:
        self._charge += size
        self._walked += size if is_walked else 0
        self.step()
        if size > MAX_TEXT or self._charge > MAX_CHARGE:
            raise TemplateRefused(f"the template makes more than {MAX_TEXT:,} characters or values")

    def step(self) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise TemplateRefused(f"the template takes more than {MAX_STEPS:,} steps")

    def concat(self, pieces: Iterable[str]) -> str:
        """Jinja's is ``"".join``: called for the whole and for every block, whose pieces a loop can repeat."""
        texts = list(pieces)
        self.charge(sum(map(len, texts)))
        return "".join(texts)

    # -- parsing

    def guarded(self, source: str) -> nodes.Template:
        """Parse, and wrap whatever can grow. Raises jinja2.TemplateSyntaxError or TemplateRefused."""
        tree = self.parse(source)
        for statement in tree.find_all(tuple(_STATEMENTS)):
            raise TemplateRefused(f"{{% {_STATEMENTS[type(statement)]} %}} cannot be used in a manifest")
        guarded = Guard().visit(tree)
        guarded.set_environment(self)
        assert isinstance(guarded, nodes.Template)
        return guarded

    # -- attributes and calls

    def getattr(self, obj: Any, attribute: str) -> Any:
        """``row.items`` is the column of that name where there is one; a method only otherwise."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        if _is_allowed(obj, attribute):
            return getattr(obj, attribute, self.undefined(obj=obj, name=attribute))
        if isinstance(obj, Undefined):
            str(obj)  # raises, with the words for what is missing
        if hasattr(type(obj), attribute):
            message = f'"{attribute}" of {kind_of(obj)} cannot be used in a manifest'
            return self.undefined(message, name=attribute, obj=obj, exc=SecurityError)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, (str, list, dict, tuple, range)):
            try:
                return obj[argument]
            except (TypeError, LookupError):
                pass
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
        __self.step()
        owner, name = getattr(__obj, "__self__", None), getattr(__obj, "__name__", "")
        if isinstance(owner, str):
            if name == "replace":
                return replace(owner, *args)
            if name == "join":
                refuse_large(weight(args))
                return joined(args[0], owner) if len(args) == 1 else owner.join(*args)
            if name in _PADDING:
                refuse_wide(*args)
        if isinstance(__obj, Undefined):
            str(__obj)  # raises, with the words for what is missing
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
