"""Report each fault of a manifest's own templates and constants once."""

from __future__ import annotations

from manifest_runner.diagnostics.collector import Findings
from manifest_runner.diagnostics.finding import Finding, InvalidManifest, Place
from manifest_runner.templates.model import TemplateFault
from manifest_runner.text import quoted_template


class FaultLog:
    """Adds faults to the findings, each once: several analyses can share one of the defaults."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._reported: set[tuple[Place, str, str]] = set()
        self.count = 0  # including faults that another analysis reported before

    def report(self, place: Place, code: str, message: str, row: Place | None = None) -> None:
        self.count += 1
        # A fault of the defaults is reported with the first row that meets it.
        if (place, code, message) not in self._reported:
            self._reported.add((place, code, message))
            self._findings.add(Finding(place, code, message, row=row))

    def warn(self, place: Place, code: str, message: str) -> None:
        self._findings.add(Finding(place, code, message, "warning"))

    def report_template(self, place: Place, fault: TemplateFault, text: str, row: Place | None = None) -> None:
        is_of_cell = fault.place is not None
        message = f"{quoted_template(text)}: {fault}" if text.strip() and not is_of_cell else str(fault)
        self.report(fault.place or place, fault.code, message, fault.place or row)

    def report_all(self, error: InvalidManifest) -> None:
        for finding in error.findings:
            self.report(finding.place, finding.code, finding.message)
