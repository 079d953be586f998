"""Turn each string of an analysis that is a template into a ``TemplateSlot``, and check its names."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from operator import is_
from typing import TYPE_CHECKING, Any

from manifest_runner.diagnostics.finding import InvalidManifest, Place
from manifest_runner.items.compiler import what_it_gives
from manifest_runner.items.preparing.constants import (
    BrokenConstant,
    find_template,
    refuse_template_key,
    render_constant,
)
from manifest_runner.items.preparing.manifest_scope import ManifestScope
from manifest_runner.items.shorthands import TemplateSlot
from manifest_runner.manifest.document import AnalysisSpec
from manifest_runner.model import DataPath
from manifest_runner.rows.base import Rows
from manifest_runner.templates.model import TemplateFault, UsedNames, has_delimiters
from manifest_runner.templates.scope import Scope

if TYPE_CHECKING:  # jinja2 is imported once there is a template
    from manifest_runner.templates.template import Template


class SlotReader:
    """Replaces each template of an analysis by a ``TemplateSlot``; collects the names they use and their faults."""

    def __init__(self, scope: ManifestScope, spec: AnalysisSpec, rows: Rows | None) -> None:
        self._scope = scope
        self._spec = spec
        self._rows = rows
        self._columns = rows.columns if rows else None
        self._known: dict[str, Scope | None] = {**scope.known(), "row": self._known_columns(), "index": None}
        is_broken = spec.for_each is None and bool(spec.broken)  # it may have been left out because of a fault
        if rows is None or rows.file is not None or is_broken:
            self._known["source"] = Scope(dict.fromkeys(("file", "stem")), 'the source has no "{}"')
        is_grouped = spec.for_each is not None and spec.for_each.group_by is not None
        if is_broken or is_grouped or ("forEach", "groupBy") in spec.broken:
            self._known["rows"] = None
        self.used: list[UsedNames] = []
        self._templates: list[Template] = []
        self.broken: list[DataPath] = []

    def resolve(self, path: DataPath, value: Any) -> Any:
        """The value with slots; what has no templates stays the same object, since a manifest may have a lot of it."""
        if isinstance(value, str):
            return self._resolved_text(path, value) if has_delimiters(value) else value
        if isinstance(value, dict):
            for key in value:
                if refuse_template_key(self._scope, key, (*path, key), self._spec.index):
                    self.broken.append((*path, key))
            resolved = {key: self.resolve((*path, key), each) for key, each in value.items()}
            return value if all(map(is_, value.values(), resolved.values())) else resolved
        if isinstance(value, list):
            found = [self.resolve((*path, i), each) for i, each in enumerate(value)]
            return value if all(map(is_, value, found)) else found
        return value

    def _resolved_text(self, path: DataPath, text: str) -> Any:
        template = self._template(path, text)
        return None if template is None else self._slot(template, path)

    def expression(self, path: DataPath, text: str) -> Template | None:
        return self._template(path, text, expression=True)

    def condition(self, text: str | None) -> Template | None:
        """The template of ``where``, which sees single rows."""
        self._known.pop("rows", None)
        return None if text is None else self.expression(("forEach", "where"), text)

    def report_lacking(self) -> None:
        """Report columns that a template uses but some rows do not have."""
        for key, fault in self._rows.lacks if self._rows else ():
            if any(template.mentions(key) for template in self._templates):
                self._scope.faults.report(fault.place, fault.code, fault.message)

    def _known_columns(self) -> Scope | None:
        """The columns of the row; None if each row may have others."""
        if self._spec.for_each is None and not self._spec.broken:  # a fault may be why there is no forEach
            return Scope({}, 'there is no row that has a column "{}", as this analysis has no "forEach"')
        columns = self._columns or (self._rows.keys if self._rows else None)
        return None if columns is None else Scope(dict.fromkeys(columns), 'the row has no column "{}"')

    def _template(self, path: DataPath, text: str, *, expression: bool = False) -> Template | None:
        """None if it has a fault, which is reported."""
        try:
            template = find_template(self._scope, text, expression=expression)
            self.used.append(template.used)
            self._templates.append(template)
            template.check()
        except TemplateFault as e:
            self._scope.faults.report_template(self._scope.place(path, self._spec.index), e, text)
            self.broken.append(path)
            return None
        except BrokenConstant:
            self.broken.append(path)
            return None
        return template if self._knows_names(template, path) else None

    def _knows_names(self, template: Template, path: DataPath) -> bool:
        from manifest_runner.templates.used_names import unknown_names

        messages = list(unknown_names(template, self._known))
        for message in messages:
            place, fault = self._scope.place(path, self._spec.index), TemplateFault("MR402", message)
            self._scope.faults.report_template(place, fault, template.text, self._first_row)
        if messages:
            self.broken.append(path)
        return not messages

    @cached_property
    def _first_row(self) -> Place | None:
        """The first row, if there is one: it shows a fault that all rows have."""
        if self._rows is None:
            return None
        with suppress(InvalidManifest):  # reported when the rows are read
            for row_id, _ in self._rows.read(lambda _finding, _group: None):
                return self._rows.place(row_id)
        return None

    def _slot(self, template: Template, path: DataPath) -> Any:
        if template.constant:
            try:
                return render_constant(self._scope, template.text, path, self._spec.index)
            except BrokenConstant:
                self.broken.append(path)
                return None
        gives = what_it_gives(template, self._rows)
        return TemplateSlot(template, path, is_text=gives == "text", is_texts=gives == "texts")
