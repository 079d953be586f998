"""The hot path: compile an analysis once into one Python function from a row to the API's item.

Rendering each string through Jinja takes about sixty times as long as an f-string, and most strings of a manifest
only put a cell into some text. So the tree of an analysis becomes the source of a function: what no row changes
is a constant shared by all items, ``row.x`` is a local variable, text around it an f-string, and only a template
that does more is called through Jinja. Keys are written in sorted order, so the item needs no sorting.

The function may give up on a row with any exception. ``Renderer.render_slowly`` then decides: it renders each
template on its own, and either builds the item or says what is wrong with which template.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from manifest_runner.items.shorthands import Coded, Deferred, TemplateSlot
from manifest_runner.rows.base import FileName, IsText, Rows
from manifest_runner.templates.model import Lookup, Query
from manifest_runner.values import text_of

if TYPE_CHECKING:  # jinja2 is imported once there is a template
    from manifest_runner.templates.template import Template


class Beside(msgspec.Struct, frozen=True, eq=False):
    """What belongs to a row: the rows of its group (None without ``groupBy``), and the file that it is from."""

    members: Sequence[Any] | None = None
    file: FileName | None = None


NOTHING_BESIDE = Beside()
Compiled = Callable[[Any, int, Beside], Any]

# Filters that the compiled function calls directly; they give text, except for split.
_DIRECT = frozenset({"split", "slug", "basename", "replace", "lower", "upper", "trim"})
# The same for a cell of a table, which is certainly text: by filter and number of arguments.
_ON_TEXT: Mapping[tuple[str, int], str] = {
    ("split", 1): "({0}.split({1}) if {0} else [])",
    ("lower", 0): "{0}.lower()",
    ("upper", 0): "{0}.upper()",
    ("trim", 0): "{0}.strip()",
}


def what_it_gives(template: Template, rows: Rows | None) -> Literal["text", "texts", "any"]:
    """Whether a template gives only text, or a list of texts, for every row."""
    cells_are_text = rows is not None and rows.columns is not None
    if not template.whole:
        return "text"
    parts = template.parts
    if parts is not None and isinstance(parts[0], Query):
        return _what_a_query_gives(parts[0], cells_are_text=cells_are_text)
    if parts is None or not isinstance(parts[0], Lookup):
        return "any"
    lookup = parts[0]
    if lookup.filters:
        last = lookup.filters[-1][0]
        return "texts" if last == "split" else "text" if last in _DIRECT else "any"
    if lookup.root != "row" or lookup.key is None:
        return "any"
    if cells_are_text:
        return "any" if lookup.path else "text"
    return "text" if rows and rows.is_text and rows.is_text(lookup.key, lookup.path) else "any"


def _what_a_query_gives(query: Query, *, cells_are_text: bool) -> Literal["text", "texts", "any"]:
    last = query.filters[-1][0] if query.filters else ""
    if last == "join" or (not query.is_list and last in _DIRECT):
        return "texts" if last == "split" else "text"
    return "texts" if query.is_list and query.of is None and cells_are_text else "any"


class _Function:
    """A function whose source is being written. The manifest's text is in it as ``repr`` quotes it, if at all.

    Any other value is a global of the function.
    """

    def __init__(self) -> None:
        self._globals: dict[str, Any] = {"text": _cell_text, "sift": _without_null, "compact": _without_null_items}
        self._locals: dict[str, str] = {}

    def constant(self, value: Any) -> str:
        """The source of a value."""
        name = f"k{len(self._globals)}"
        self._globals[name] = list(value) if isinstance(value, Coded) else value
        return name

    def local(self, source: str) -> str:
        """The source of a local variable that holds what this source gives; the same for the same source."""
        return self._locals.setdefault(source, f"v{len(self._locals)}")

    def compiled(self, result: str) -> Compiled:
        """The function that returns what this source gives."""
        lines = [f"    {name} = {source}" for source, name in self._locals.items()]
        source = "\n".join(["def compiled(row, index, beside):", *lines, f"    return {result}", ""])
        exec(compile(source, "<compiled analysis>", "exec"), self._globals)  # noqa: S102 - see the class's docstring
        function: Compiled = self._globals["compiled"]
        return function


class Writer:
    """Writes the source of one function from a row to an item, or of one condition."""

    def __init__(
        self,
        columns: tuple[str, ...] | None,
        scope: Mapping[str, Any],
        call_template: Callable[[Template], Compiled],
        is_text: IsText,
    ) -> None:
        self._columns = columns
        self._is_text = is_text
        self._scope = scope
        self._call_template = call_template
        self._function = _Function()
        self._constant = self._function.constant
        self._local = self._function.local

    def function(self, tree: Any) -> Compiled:
        return self._function.compiled(self._write(tree))

    def condition(self, template: Template) -> Compiled | None:
        from manifest_runner.templates.conditions import ConditionWriter

        source = ConditionWriter(self._operand, self._constant).write(template.expression)
        return None if source is None else self._function.compiled(source)

    def _write(self, node: Any) -> str:
        if not depends_on_row(node):
            return self._constant(node)
        if isinstance(node, TemplateSlot):
            return self._slot(node.template)
        if isinstance(node, Deferred):
            return f"{self._constant(node.finish)}({self._write(node.value)})"
        if isinstance(node, dict):
            body = "{" + ", ".join(f"{key!r}: {self._write(value)}" for key, value in node.items()) + "}"
            return f"sift({body})" if any(isinstance(value, Deferred) for value in node.values()) else body
        body = "[" + ", ".join(map(self._write, node)) + "]"
        deferred = isinstance(node, Coded) and any(isinstance(value, Deferred) for value in node)
        return f"compact({body})" if deferred else body

    def _slot(self, template: Template) -> str:
        parts = template.parts
        sources = [self._part(part, as_text=not template.whole) for part in parts] if parts is not None else [None]
        if None in sources:
            return f"{self._constant(self._call_template(template))}(row, index, beside)"
        if template.whole:
            return str(sources[0])
        return "f" + repr("".join(map(str, sources)))

    def _part(self, part: str | Lookup | Query, *, as_text: bool) -> str | None:
        if isinstance(part, Query):
            source = self._query(part, as_text=as_text)
            return None if source is None else "{" + source + "}" if as_text else source
        fixed = part if isinstance(part, str) else self._fixed_text(part) if as_text else None
        if fixed is not None:
            return fixed.replace("{", "{{").replace("}", "}}")
        assert isinstance(part, Lookup)
        source = self._lookup(part, as_text=as_text)
        return None if source is None else "{" + source + "}" if as_text else source

    def _fixed_text(self, lookup: Lookup) -> str | None:
        """The text of a name that is the same for every row; None if that takes Jinja."""
        value = None if lookup.filters or lookup.path else self._fixed(lookup)
        return _cell_text(value) if isinstance(value, (str, bool, int, float)) else None

    def _fixed(self, lookup: Lookup) -> Any:
        value = self._scope.get(lookup.root)
        if lookup.key is None:
            return value
        return value.get(lookup.key) if isinstance(value, dict) else None

    def _operand(self, lookup: Lookup) -> str | None:
        """A look-up in a condition: of the row, or a text that is the same for every row."""
        if lookup.root in ("row", "index"):
            return self._lookup(lookup, as_text=False)
        value = self._fixed(lookup)
        return self._constant(value) if isinstance(value, str) and not lookup.filters else None

    def _lookup(self, lookup: Lookup, *, as_text: bool) -> str | None:
        if lookup == Lookup("index", None):
            return "index"
        if lookup.root == "source" and lookup.key in ("file", "stem"):
            return self._filtered_text(self._local(f"beside.file.{lookup.key}"), lookup.filters, as_text=as_text)
        if lookup.root != "row" or lookup.key is None:
            return None
        if lookup.path and self._columns is not None:
            return None
        cell = self._cell(lookup.key)
        if lookup.path:
            cell = self._local(f"{cell}" + "".join(f"[{step!r}]" for step in lookup.path))
        if cell is not None and self._columns is None and as_text and not lookup.filters:
            cell = cell if self._is_text(lookup.key, lookup.path) else self._local(f"text({cell})")
        return None if cell is None else self._filtered_text(cell, lookup.filters, as_text=as_text)

    def _query(self, query: Query, *, as_text: bool) -> str | None:
        """A column of the rows of a group or of a table, if these are cells of text."""
        columns, rows = (self._columns, "beside.members") if query.of is None else self._looked_up(query)
        if columns is None or rows is None or query.column not in columns:
            return None
        at, filters = columns.index(query.column), query.filters
        if not query.is_list:
            return self._filtered_text(self._local(f"{rows}[{at}]"), filters, as_text=as_text)
        cells = f"[each[{at}] for each in {rows}]"
        if not filters or (len(filters) == 1 and filters[0] == ("list", ())):
            return None if as_text else cells
        name, args = filters[0]
        if len(filters) > 1 or name != "join" or len(args) > 1 or not all(isinstance(arg, str) for arg in args):
            return None
        return self._local(f"{(args[0] if args else '')!r}.join({cells})")

    def _looked_up(self, query: Query) -> tuple[Sequence[str] | None, str | None]:
        """The columns of a table, and the source of its rows for a key; None if that takes Jinja."""
        assert query.of is not None
        table = self._scope["tables"].get(query.of.table)
        keys = [repr(key) if isinstance(key, str) else self._lookup(key, as_text=False) for key in query.of.keys]
        if table is None or self._columns is None or None in keys or table.many != query.is_list:
            return None, None
        key = str(keys[0]) if len(keys) == 1 else f"({', '.join(map(str, keys))})"
        find = self._constant(table.all_cells if table.many else table.cells)
        return table.columns, self._local(f"{find}({key})")

    def _filtered_text(self, cell: str, filters: Sequence[tuple[str, tuple[Any, ...]]], *, as_text: bool) -> str | None:
        """A cell of text with filters applied; None if one of them is for Jinja."""
        names = [name for name, _ in filters]
        if not _DIRECT.issuperset(names) or "split" in (names if as_text else names[:-1]):
            return None
        for name, args in filters:
            cell = self._local(self._filtered(cell, name, args))
        return cell

    def _cell(self, key: str) -> str | None:
        """The local variable that holds a cell; None if the table has no such column."""
        if self._columns is None:
            return self._local(f"row[{key!r}]")
        return self._local(f"row[{self._columns.index(key)}]") if key in self._columns else None

    def _filtered(self, cell: str, name: str, args: tuple[Any, ...]) -> str:
        values = [repr(arg) if isinstance(arg, str) else self._constant(arg) for arg in args]
        if self._columns is not None and (name, len(args)) in _ON_TEXT:
            return _ON_TEXT[name, len(args)].format(cell, *values)
        return f"{self._constant(_filter(name))}({', '.join([cell, *values])})"


def _filter(name: str) -> Callable[..., Any]:
    from manifest_runner.templates.filters import FILTERS

    return FILTERS[name]


def depends_on_row(node: Any) -> bool:
    """Whether a row changes anything in it."""
    if isinstance(node, dict):
        return any(map(depends_on_row, node.values()))
    if isinstance(node, list):
        return any(map(depends_on_row, node))
    return isinstance(node, (TemplateSlot, Deferred))


def _cell_text(value: Any) -> str:
    """A cell of a row that is a mapping, as text. Raises TypeError for what slow rendering must report."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float)):
        return text_of(value)
    raise TypeError


def _without_null(value: dict[str, Any]) -> dict[str, Any]:
    return {key: each for key, each in value.items() if each is not None}


def _without_null_items(values: list[Any]) -> list[Any]:
    return [each for each in values if each is not None]
