"""Renders the rows of one analysis: fast, with a compiled function, or slowly if that gives up on a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from manifest_runner.items.compiler import NOTHING_BESIDE, Beside, Compiled, Writer, depends_on_row
from manifest_runner.items.shorthands import TemplateSlot, shape_item
from manifest_runner.model import Kind
from manifest_runner.rows.base import IsText
from manifest_runner.rows.groups import DIFFERS
from manifest_runner.templates.model import TemplateFault
from manifest_runner.templates.scope import RowScope, Scope
from manifest_runner.text import shown

if TYPE_CHECKING:  # jinja2 is imported once there is a template
    from manifest_runner.templates.template import Template


_LACKS = 'the row has no column "{}"'
_VALUES_SHOWN = 3


class Unrendered(Exception):
    """A row cannot be rendered: ``faults`` has each template that failed, ``rest`` the item without those."""

    def __init__(self, faults: Sequence[tuple[TemplateSlot, TemplateFault]], rest: dict[str, Any]) -> None:
        super().__init__()
        self.faults = faults
        self.rest = rest


class Renderer:
    """Renders the rows of one analysis. ``columns`` are those of a table, None where rows are mappings.

    ``is_text`` is that of ``Rows``.
    """

    def __init__(
        self,
        kind: Kind,
        fields: Mapping[str, Any],
        columns: tuple[str, ...] | None,
        scope: Mapping[str, Any],
        is_text: IsText | None = None,
    ) -> None:
        self._kind = kind
        self._fields = fields
        self._columns = columns
        self._scope = dict(scope)
        self._is_text = is_text or (lambda _key, _path: False)

    def compiled(self) -> Compiled:
        """A function from a row and its index to the item; it may raise anything.

        Each call makes a new one, so that of ten thousand analyses without rows only one function is in memory.
        """
        tree = shape_item(self._kind, self._fields)
        if not depends_on_row(tree):
            return lambda _row, _index, _beside: tree
        return self._writer().function(tree)

    def condition(self, template: Template) -> Compiled | None:
        """A function for a ``where`` that only compares; None for one that does more. It may raise anything."""
        return self._writer().condition(template)

    def render_slowly(
        self, row: Any, index: int, beside: Beside = NOTHING_BESIDE, error: Exception | None = None
    ) -> dict[str, Any]:
        """The item of a row that the compiled function gave up on, perhaps with ``error``. Raises Unrendered."""
        faults: list[tuple[TemplateSlot, TemplateFault]] = []
        known = error if isinstance(error, TemplateFault) else None
        scope = self.scope(row, index, beside)
        fields = {key: _rendered(value, scope, faults, known) for key, value in self._fields.items()}
        item = shape_item(self._kind, fields)
        if faults:
            raise Unrendered(faults, item)
        return item

    def constant(self) -> dict[str, Any]:
        """The item without its templates."""
        return shape_item(self._kind, _without_slots(self._fields))

    def scope(self, row: Any, index: int, beside: Beside = NOTHING_BESIDE) -> dict[str, Any]:
        """The names that a template sees for one row, or for one group."""
        scope = {**self._scope, "row": self._row_scope(row, beside), "index": index}
        if beside.members is not None:
            scope["rows"] = [RowScope(self._mapping(each), _LACKS) for each in beside.members]
        if beside.file is not None:
            values = {"file": beside.file.file, "stem": beside.file.stem}
            scope["source"] = Scope(values, 'the source has no "{}"')
        return scope

    def _row_scope(self, row: Any, beside: Beside) -> Scope:
        values = self._mapping(row)
        if beside.members is None:
            return Scope(values, _LACKS)
        known = {column for each in beside.members for column in self._mapping(each)}
        shared = {column: value for column, value in values.items() if value is not DIFFERS}
        differ = {column: self._differs(column, beside.members) for column in known - shared.keys()}
        return Scope(shared, _LACKS, differ)

    def _differs(self, column: str, members: Sequence[Any]) -> str:
        cells = [self._mapping(each).get(column) for each in members]
        values = list(dict.fromkeys("blank" if cell in (None, "") else shown(str(cell)) for cell in cells))
        listed = ", ".join([*values[:_VALUES_SHOWN], *(["…"] if len(values) > _VALUES_SHOWN else [])])
        return (
            f'the rows of the group differ in the column "{column}": {listed}; if that is meant, use `rows`, such as '
            f"`rows | map(attribute='{column}') | list`"
        )

    def _mapping(self, row: Any) -> dict[str, Any]:
        return dict(row) if self._columns is None else dict(zip(self._columns, row, strict=True))

    def _writer(self) -> Writer:
        return Writer(self._columns, self._scope, self._call_template, self._is_text)

    def _call_template(self, template: Template) -> Compiled:
        return lambda row, index, beside: template.render(self.scope(row, index, beside))


def _without_slots(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_slots(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_slots(each) for each in value]
    return None if isinstance(value, TemplateSlot) else value


def _rendered(
    value: Any, scope: dict[str, Any], faults: list[tuple[TemplateSlot, TemplateFault]], known: TemplateFault | None
) -> Any:
    """``known`` is a fault of one of the templates, which is not rendered again."""
    if isinstance(value, dict):
        return {key: _rendered(each, scope, faults, known) for key, each in value.items()}
    if isinstance(value, list):
        return [_rendered(each, scope, faults, known) for each in value]
    if not isinstance(value, TemplateSlot):
        return value
    try:
        if known is not None and known.template is value.template:
            raise known
        return value.template.render(scope)
    except TemplateFault as e:
        faults.append((value, e))
        return None
