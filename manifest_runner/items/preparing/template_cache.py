"""The parsed templates of a manifest, and how many it may have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from manifest_runner.templates.limits import Budget
from manifest_runner.templates.model import TemplateFault, UsedNames

if TYPE_CHECKING:  # jinja2 is imported once there is a template
    from manifest_runner.templates.sandbox import Sandbox
    from manifest_runner.templates.template import Template

# Only different ones count; one that does more than look up names counts as several, as it has to be compiled.
MAX_TEMPLATES = 20_000
_COMPILED = 10


class TemplateCache:
    """The templates of a manifest, each parsed once however often it appears."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._sandbox: Sandbox | None = None
        self._templates: dict[tuple[str, bool], Template] = {}
        self._spent = 0

    def get(self, text: str, *, expression: bool = False) -> Template:
        """Raises TemplateFault if the text is not a template that manifests allow."""
        known = self._templates.get((text, expression))
        if known is not None:
            return known
        if self._spent >= MAX_TEMPLATES:
            raise TemplateFault("MR403", "too many different templates; put the parts that differ into a csv file")
        template = self._parse(text, expression=expression)
        self._templates[text, expression] = template
        self._spent += _COMPILED if template.parts is None else 1
        return template

    def _parse(self, text: str, *, expression: bool) -> Template:
        from manifest_runner.templates.sandbox import Sandbox
        from manifest_runner.templates.template import Template

        if self._sandbox is None:
            self._sandbox = Sandbox(self._budget)
        return Template(text, self._sandbox, expression=expression)

    def used(self) -> Iterator[UsedNames]:
        """The names that each of them reads."""
        return (template.used for template in self._templates.values())
