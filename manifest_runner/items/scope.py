"""What the templates of a manifest have in common: parsed strings, and names that are the same for every row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import TYPE_CHECKING, Any

import msgspec

from manifest_runner.diagnostics.collector import Findings
from manifest_runner.diagnostics.finding import Finding, InvalidManifest, Place
from manifest_runner.manifest.document import Document
from manifest_runner.model import DataPath
from manifest_runner.templates.limits import Budget
from manifest_runner.templates.model import TemplateFault, Used
from manifest_runner.templates.scope import Scope
from manifest_runner.text import quoted_template

if TYPE_CHECKING:  # jinja2 is imported once there is a template
    from manifest_runner.templates.sandbox import Sandbox
    from manifest_runner.templates.template import Template

# Only different ones count; one that does more than look up names counts for several, as it has to be compiled.
MAX_TEMPLATES = 20_000
_COMPILED = 10


class FaultLog:
    """Adds faults to the findings, each once: several analyses can share one of the defaults."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._reported: set[tuple[Place, str, str]] = set()
        self.count = 0  # also of those that another analysis reported before

    def report(self, place: Place, code: str, message: str, row: Place | None = None) -> None:
        self.count += 1
        if (place, code, message) not in self._reported:  # else it is one of the defaults, reported with another row
            self._reported.add((place, code, message))
            self._findings.add(Finding(place, code, message, row=row))

    def warn(self, place: Place, code: str, message: str) -> None:
        self._findings.add(Finding(place, code, message, "warning"))

    def report_template(self, place: Place, fault: TemplateFault, text: str, row: Place | None = None) -> None:
        is_of_cell = fault.place is not None
        message = f"{fault}, in {quoted_template(text)}" if text.strip() and not is_of_cell else str(fault)
        self.report(fault.place or place, fault.code, message, fault.place or row)

    def report_all(self, error: InvalidManifest) -> None:
        for finding in error.findings:
            self.report(finding.place, finding.code, finding.message)


class TemplateCache:
    """The templates of a manifest, each parsed once however often it appears."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._sandbox: Sandbox | None = None
        self._templates: dict[tuple[str, bool], Template] = {}
        self._spent = 0

    def get(self, text: str, *, expression: bool = False) -> Template:
        """Raises TemplateFault where the text is not a template that manifests allow."""
        known = self._templates.get((text, expression))
        if known is not None:
            return known
        if self._spent >= MAX_TEMPLATES:
            raise TemplateFault("MR403", "too many different templates; put what differs into a csv file")
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

    def used(self) -> Iterator[Used]:
        """What each of them reads."""
        return (template.used for template in self._templates.values())


class ManifestScope(msgspec.Struct, frozen=True):
    """The names that are the same for every row, with their values.

    ``broken_vars`` and ``broken_tables`` are those that have a fault of their own, which is reported already.
    """

    document: Document
    values: Mapping[str, Any]
    broken_vars: Set[str]
    broken_tables: Set[str]
    templates: TemplateCache
    faults: FaultLog

    def known(self) -> dict[str, Scope | None]:
        """The names, and the keys of those that are mappings."""
        return {name: value if isinstance(value, Scope) else None for name, value in self.values.items()}

    def place(self, path: DataPath, analysis: int | None, *, at_key: bool = False) -> Place:
        """Where something was written, in an analysis or (None) at the top of the manifest."""
        if analysis is None:
            return self.document.source.place(path, at_key=at_key)
        return self.document.place(analysis, path, at_key=at_key)
