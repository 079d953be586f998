"""The hot path: an analysis compiled once into one Python function from a row to the API's item.

Rendering each string on its own through Jinja costs some sixty times an f-string, and most strings of a manifest
only put a cell into some text. So the tree of an analysis becomes the source of a function: what no row changes
is a constant shared by all items, ``row.x`` is a local variable, text around it an f-string, and only a template
that does more is called through Jinja. Keys are written in sorted order, so that the item needs no sorting.

The function says nothing of what went wrong; ``Renderer.faults`` renders a failed row again, leaf by leaf.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from manifest_runner import sandbox as own
from manifest_runner.model import Kind
from manifest_runner.shape import Coded, Deferred, Leaf, shape_item
from manifest_runner.spelling import text_of
from manifest_runner.templating import Lookup, Template, TemplateFault

Leaves = list[tuple[Leaf, Callable[[Any], Any]]]

# Filters that the compiled function calls by themselves; what they give is text, but for split.
_DIRECT: Mapping[str, Callable[..., Any]] = {
    "split": own.split,
    "slug": own.slug,
    "basename": own.basename,
    "replace": own.replace,
    "lower": lambda value: own.as_text(value, "lower").lower(),
    "upper": lambda value: own.as_text(value, "upper").upper(),
    "trim": lambda value, chars=None: own.as_text(value, "trim").strip(chars),
}


def gives_text(template: Template, *, cells_are_text: bool) -> bool:
    """Whether a template can give nothing but text, whatever the row."""
    if not template.whole:
        return True
    parts = template.parts
    if parts is None or not isinstance(parts[0], Lookup):
        return False
    lookup = parts[0]
    if lookup.filters:
        return lookup.filters[-1][0] in _DIRECT and lookup.filters[-1][0] != "split"
    return cells_are_text and lookup.root == "row" and lookup.key is not None


class Renderer:
    """Renders the rows of one analysis. ``columns`` are those of a table, None where rows are mappings."""

    def __init__(
        self,
        kind: Kind,
        fields: Mapping[str, Any],
        columns: tuple[str, ...] | None,
        scope: Mapping[str, Any],
    ) -> None:
        self._columns = columns
        self._scope = dict(scope)
        self._tree = shape_item(kind, fields)
        writer = _Writer(columns, self._scope, self._call_template)
        self.render: Callable[[Any, int], dict[str, Any]] = writer.function(self._tree)

    def faults(self, row: Any, index: int) -> Iterator[tuple[Leaf, TemplateFault]]:
        """What is wrong with a row that ``render`` failed on, for each template that failed."""
        scope = self._row_scope(row, index)
        for leaf, finish in _leaves(self._tree, lambda value: value):
            try:
                finish(leaf.template.render(scope))
            except TemplateFault as e:
                yield leaf, e
            except (TypeError, ValueError) as e:
                yield leaf, TemplateFault("MR405", str(e))

    def _call_template(self, template: Template) -> Callable[[Any, int], Any]:
        return lambda row, index: template.render(self._row_scope(row, index))

    def _row_scope(self, row: Any, index: int) -> dict[str, Any]:
        return {**self._scope, "row": row_scope(row, self._columns), "index": index}


def row_scope(row: Any, columns: tuple[str, ...] | None) -> own.Scope:
    values = row if columns is None else zip(columns, row, strict=True)
    return own.Scope(values, 'the row has no column "{}"')


def _leaves(node: Any, finish: Callable[[Any], Any]) -> Iterator[tuple[Leaf, Callable[[Any], Any]]]:
    if isinstance(node, Leaf):
        yield node, finish
    elif isinstance(node, Deferred):
        yield from _leaves(node.value, node.finish if isinstance(node.value, Leaf) else finish)
    elif isinstance(node, dict):
        for value in node.values():
            yield from _leaves(value, finish)
    elif isinstance(node, list):
        for value in node:
            yield from _leaves(value, finish)


class _Writer:
    """Writes the function's source. Values reach it as names in its globals, never as text of the manifest."""

    def __init__(
        self,
        columns: tuple[str, ...] | None,
        scope: Mapping[str, Any],
        call_template: Callable[[Template], Any],
    ) -> None:
        self._columns = columns
        self._scope = scope
        self._call_template = call_template
        self._names: dict[str, Any] = {
            "text": _cell_text,
            "sift": _without_null,
            "compact": _without_null_items,
        }
        self._locals: dict[str, str] = {}

    def function(self, tree: Any) -> Callable[[Any, int], Any]:
        result = self._write(tree)
        lines = [f"    {name} = {source}" for source, name in self._locals.items()]
        source = "\n".join(["def render(row, index):", *lines, f"    return {result}", ""])
        exec(compile(source, "<compiled analysis>", "exec"), self._names)  # noqa: S102 - see the class's docstring
        rendered: Callable[[Any, int], Any] = self._names["render"]
        return rendered

    def _write(self, node: Any) -> str:
        if not _changes(node):
            return self._constant(node)
        if isinstance(node, Leaf):
            return self._leaf(node)
        if isinstance(node, Deferred):
            return f"{self._constant(node.finish)}({self._write(node.value)})"
        if isinstance(node, dict):
            body = "{" + ", ".join(f"{key!r}: {self._write(value)}" for key, value in node.items()) + "}"
            return f"sift({body})" if any(isinstance(value, Deferred) for value in node.values()) else body
        body = "[" + ", ".join(map(self._write, node)) + "]"
        deferred = isinstance(node, Coded) and any(isinstance(value, Deferred) for value in node)
        return f"compact({body})" if deferred else body

    def _constant(self, value: Any) -> str:
        name = f"k{len(self._names)}"
        self._names[name] = list(value) if isinstance(value, Coded) else value
        return name

    def _leaf(self, leaf: Leaf) -> str:
        parts = leaf.template.parts
        sources = [self._part(part, as_text=not leaf.template.whole) for part in parts] if parts is not None else [None]
        if None in sources:
            return f"{self._constant(self._call_template(leaf.template))}(row, index)"
        if leaf.template.whole:
            return str(sources[0])
        return "f" + repr("".join(map(str, sources)))

    def _part(self, part: str | Lookup, *, as_text: bool) -> str | None:
        fixed = part if isinstance(part, str) else self._fixed_text(part) if as_text else None
        if fixed is not None:
            return fixed.replace("{", "{{").replace("}", "}}")
        assert isinstance(part, Lookup)
        source = self._lookup(part, as_text=as_text)
        return None if source is None else "{" + source + "}" if as_text else source

    def _fixed_text(self, lookup: Lookup) -> str | None:
        """What a name that is the same for every row adds to a text; None where only Jinja can tell."""
        value = self._scope.get(lookup.root)
        if lookup.key is not None:
            value = value.get(lookup.key) if isinstance(value, dict) else None
        if lookup.filters or not isinstance(value, (str, bool, int, float)):
            return None
        return _cell_text(value)

    def _lookup(self, lookup: Lookup, *, as_text: bool) -> str | None:
        if lookup == Lookup("index", None):
            return "index"
        if lookup.root != "row" or lookup.key is None or any(name not in _DIRECT for name, _ in lookup.filters):
            return None
        if as_text and lookup.filters and lookup.filters[-1][0] == "split":
            return None
        if self._columns is None:
            cell = f"row[{self._constant(lookup.key)}]"
        elif lookup.key in self._columns:
            cell = f"row[{self._columns.index(lookup.key)}]"
        else:
            return None
        if self._columns is None and as_text and not lookup.filters:
            cell = f"text({cell})"
        for name, args in lookup.filters:
            values = "".join(f", {self._constant(arg)}" for arg in args)
            cell = f"{self._constant(_DIRECT[name])}({cell}{values})"
        return self._locals.setdefault(cell, f"v{len(self._locals)}")


def _changes(node: Any) -> bool:
    if isinstance(node, (Leaf, Deferred)):
        return True
    children: Sequence[Any] = list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else ()
    return any(map(_changes, children))


def _cell_text(value: Any) -> str:
    """A cell of a row that is a mapping, in text. What is no text or number is left to the slower way's words."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float)):
        return text_of(value)
    raise TypeError


def _without_null(value: dict[str, Any]) -> dict[str, Any]:
    return {key: each for key, each in value.items() if each is not None}


def _without_null_items(values: list[Any]) -> list[Any]:
    return [each for each in values if each is not None]
