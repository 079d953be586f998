"""The manifest's strings as templates: parsed once, classified by their syntax tree, rendered row by row.

A string that is one whole ``{{ expression }}`` has the expression's own value; any other is text. Which one it is, and
whether it only looks up names, is decided by Jinja's tree, never by guessing from the text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, TypeVar

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError

from manifest_runner.templates.failure_messages import failure_words
from manifest_runner.templates.filters import FILTERS, in_text
from manifest_runner.templates.limits import TemplateRefused, refuse_large, weight
from manifest_runner.templates.model import Lookup, Query, TemplateFault, UsedNames, has_delimiters
from manifest_runner.templates.row_queries import plain_filter, query_of, step_of
from manifest_runner.templates.sandbox import MAPPING_METHODS, Sandbox
from manifest_runner.templates.syntax_messages import NO_END_OF_COMMENT, syntax_words
from manifest_runner.text import kind_of
from manifest_runner.values import SpelledFloat

MAX_TEMPLATE = 100_000
MAX_DEPTH = 400  # Python can compile about half as much
_OF_ROWS = frozenset({"row", "rows", "index", "source"})
# If a mapping has such a key, Jinja may use the attribute instead.
_OF_MAPPINGS = frozenset(dir(dict))
_MOST_STEPS = 10
_OPEN_COMMENT = re.compile(r"\{#[-+]?\Z")
_Parsed = TypeVar("_Parsed")


class Template:
    """One parsed string. Raises TemplateFault if it is not a template that manifests allow."""

    def __init__(self, text: str, sandbox: Sandbox, *, expression: bool = False) -> None:
        self.text = text
        self._sandbox = sandbox
        if expression and has_delimiters(text):
            raise TemplateFault("MR401", "this is already an expression: leave out the {{ }}")
        if expression and not text.strip():
            raise TemplateFault("MR401", "the expression is empty")
        if _OPEN_COMMENT.search(text):  # which Jinja does not report at the end of the text
            raise TemplateFault("MR401", f"not a template: {NO_END_OF_COMMENT}")
        self._source = "{{ " + text + " }}" if expression else text
        self.tree = _guard_parse(lambda: _shallow(sandbox.parse(self._source)), text)
        self.whole = self.expression is not None
        if expression and not self.whole:
            raise TemplateFault("MR401", "not one expression")

    @cached_property
    def _compiled(self) -> jinja2.Template:
        tree = _guard_parse(lambda: self._sandbox.guarded(self._source), self.text)
        if self.whole:
            value = _whole_expression(tree)
            assert value is not None
            target = nodes.Name("result", "store", lineno=1)
            tree = nodes.Template([nodes.Assign(target, value, lineno=1)], lineno=1)
            tree.set_environment(self._sandbox)
        return _guard_parse(lambda: self._sandbox.from_string(tree), self.text)

    @cached_property
    def parts(self) -> tuple[str | Lookup | Query, ...] | None:
        """The literals and look-ups of the string, or None if it has anything else."""
        found: list[str | Lookup | Query] = []
        for statement in self.tree.body:
            for node in statement.nodes if isinstance(statement, nodes.Output) else [None]:
                part = node.data if isinstance(node, nodes.TemplateData) else _part(node)
                if part is None:
                    return None
                found.append(part)
        if self.whole:
            found = [part for part in found if part != "\n"]
        return tuple(found)

    @property
    def expression(self) -> nodes.Expr | None:
        """The expression, if the string is nothing else."""
        return _whole_expression(self.tree)

    @cached_property
    def constant(self) -> bool:
        """Whether it is the same for every row."""
        return not any(node.name in _OF_ROWS for node in self.tree.find_all(nodes.Name))

    @cached_property
    def used(self) -> UsedNames:
        columns, whole_row = _steps_into("row", self.tree)
        names, whole_vars = _steps_into("vars", self.tree)
        tables, _ = _steps_into("tables", self.tree)
        roots = frozenset(node.name for node in self.tree.find_all(nodes.Name))
        if "rows" in roots:
            mentioned = frozenset(_mentioned(self.tree))
            columns, whole_row = columns | mentioned, whole_row or not mentioned
        return UsedNames(columns, names, whole_row, whole_vars, roots, tables)

    def mentions(self, name: str) -> bool:
        """Whether it may read this name or key, of anything or in the path of a filter such as ``map``."""
        tree = self.tree
        return (
            any(node.name == name for node in tree.find_all(nodes.Name))
            or any(node.attr == name for node in tree.find_all(nodes.Getattr))
            or any(isinstance(node.value, str) and name in node.value.split(".") for node in tree.find_all(nodes.Const))
        )

    def check(self) -> None:
        """Raise TemplateFault for a fault in every row. Plain look-ups are not compiled: compiling is slow."""
        lookups = [part for part in self.parts or () if isinstance(part, (Lookup, Query))]
        if self.parts is None or any(name not in FILTERS for part in lookups for name, _ in part.filters):
            _ = self._compiled

    def render(self, scope: Mapping[str, Any]) -> Any:
        """The value for one row: plain data. Raises TemplateFault.

        Each rendering has a context of its own, so that ``{% set %}`` in one string is not seen by the next.
        """
        found = self._looked_up(scope)
        if found is not None:
            return found
        template = self._compiled
        try:
            self._sandbox.budget.start()
            context = template.new_context(dict(scope))
            pieces = list(template.root_render_func(context))
            return self._finished(context.vars["result"] if self.whole else self._sandbox.concat(pieces))
        except TemplateFault as e:
            e.template = self
            raise
        except jinja2.UndefinedError as e:
            raise TemplateFault("MR402", failure_words(e), self) from e
        except (TemplateRefused, SecurityError) as e:
            raise TemplateFault("MR403", str(e), self) from e
        except OverflowError as e:
            raise TemplateFault("MR405", "the template makes a number that is too large", self) from e
        except RecursionError as e:
            raise TemplateFault("MR403", "the template nests or calls itself endlessly", self) from e
        except Exception as e:
            raise TemplateFault("MR404", failure_words(e), self) from e

    def _looked_up(self, scope: Mapping[str, Any]) -> Any:
        """The value, if it consists of look-ups of existing values; None if it takes Jinja."""
        values = [part if isinstance(part, str) else _value(part, scope) for part in self.parts or ()]
        if not values or not all(isinstance(value, (str, bool, int, float)) for value in values):
            return None
        return values[0] if self.whole else "".join(map(in_text, values))

    def _finished(self, value: Any) -> Any:
        if isinstance(value, jinja2.Undefined):
            str(value)  # raises, with a message about what is missing
        refuse_large(weight(value))
        return _plain_data(value)


def _part(node: nodes.Node | None) -> Lookup | Query | None:
    return lookup_of(node) or query_of(node, lookup_of) or _deep_lookup_of(node)


def _value(lookup: Lookup | Query, scope: Mapping[str, Any]) -> Any:
    if isinstance(lookup, Query):
        return None
    value = scope.get(lookup.root)
    if lookup.filters or lookup.path or lookup.key is None:
        return None if lookup.filters or lookup.path else value
    return value.get(lookup.key) if isinstance(value, dict) else None


def _plain_data(value: Any) -> Any:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float) and not isinstance(value, SpelledFloat) and not math.isfinite(value):
        raise OverflowError
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (list, tuple, range)):
        return [_plain_data(each) for each in value]
    if isinstance(value, dict):
        return {_key(key): _plain_data(each) for key, each in value.items()}
    if isinstance(value, jinja2.Undefined):
        str(value)
    raise TemplateRefused(f"{kind_of(value)} is not data that a manifest can hold")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TemplateRefused(f"{key!r} cannot be a key; keys are text")
    return str(key)


def _guard_parse(act: Callable[[], _Parsed], text: str) -> _Parsed:
    """Turn everything that parsing and compiling can raise into a TemplateFault."""
    try:
        if len(text) > MAX_TEMPLATE:
            raise TemplateRefused(f"a template of more than {MAX_TEMPLATE:,} characters")
        return act()
    except jinja2.TemplateSyntaxError as e:
        raise TemplateFault("MR401", f"not a template: {syntax_words(e.message or '', text)}") from e
    except TemplateRefused as e:
        raise TemplateFault("MR403", str(e)) from e
    except ValueError as e:
        raise TemplateFault("MR401", "not a template: a number that is too large") from e
    except SyntaxError as e:
        outside = re.search(r"'(break|continue)' (?:outside|not properly in) loop", str(e))
        words = f"{{% {outside[1]} %}} is outside of a loop" if outside else "it is nested too deeply"
        raise TemplateFault("MR401", f"not a template: {words}") from e
    except (RecursionError, MemoryError) as e:
        raise TemplateFault("MR401", "not a template: it is nested too deeply") from e


def _shallow(tree: nodes.Template) -> nodes.Template:
    """The same tree; raises RecursionError if it is too deep to be walked recursively, as Jinja does."""
    level: list[nodes.Node] = [tree]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in node.iter_child_nodes()]
        if not level:
            return tree
    raise RecursionError


def _whole_expression(tree: nodes.Template) -> nodes.Expr | None:
    """The expression, if the template is nothing else.

    A newline after it comes from YAML's block scalar, not from the author; Jinja ignores it, too.
    """
    if len(tree.body) != 1 or not isinstance(tree.body[0], nodes.Output):
        return None
    parts = list(tree.body[0].nodes)
    if len(parts) == 2 and isinstance(parts[1], nodes.TemplateData) and parts[1].data == "\n":
        parts.pop()
    return parts[0] if len(parts) == 1 and not isinstance(parts[0], nodes.TemplateData) else None


def lookup_of(node: nodes.Node | None) -> Lookup | None:
    """The look-up, if an expression is nothing else."""
    if isinstance(node, nodes.Filter) and node.node is not None:
        inner = lookup_of(node.node)
        step = plain_filter(node)
        return None if inner is None or step is None else Lookup(inner.root, inner.key, (*inner.filters, step))
    if isinstance(node, nodes.Name):
        return Lookup(node.name, None)
    if isinstance(node, (nodes.Getattr, nodes.Getitem)) and isinstance(node.node, nodes.Name):
        key = step_of(node)
        return None if key is None else Lookup(node.node.name, key)
    return None


def _deep_lookup_of(node: nodes.Node | None) -> Lookup | None:
    """A look-up of several steps, if an expression is nothing else, and each means the same in Jinja and Python."""
    path: list[str | int] = []
    while isinstance(node, (nodes.Getattr, nodes.Getitem)) and len(path) < _MOST_STEPS:
        if (inner := lookup_of(node)) is not None:
            return Lookup(inner.root, inner.key, (), tuple(reversed(path)))
        step = node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", None)
        if not isinstance(step, (str, int)) or isinstance(step, bool) or step in _OF_MAPPINGS:
            return None
        path.append(step)
        node = node.node
    return None


def _steps_into(name: str, tree: nodes.Template) -> tuple[frozenset[str], bool]:
    """The keys of ``name`` that are used by name, and whether it is also used in a way that may read any key."""
    keys: set[str] = set()
    stepped = 0
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        step = lookup_of(node)
        if step is not None and step.root == name and step.key is not None:
            keys.add(step.key)
            stepped += 1
    uses = sum(1 for node in tree.find_all(nodes.Name) if node.name == name)
    return frozenset(keys), uses > stepped or not keys.isdisjoint(MAPPING_METHODS)


def _mentioned(tree: nodes.Template) -> Iterator[str]:
    """The texts and keys in a template, which include the columns that it uses."""
    for node in tree.find_all((nodes.Getattr, nodes.Const)):
        if isinstance(node, nodes.Getattr):
            yield node.attr
        elif isinstance(node, nodes.Const) and isinstance(node.value, str):
            yield node.value
