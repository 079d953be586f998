"""A manifest read, checked and ready to give its items: what every command begins with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from manifest_runner.diagnostics.collector import Findings, strictly
from manifest_runner.errors import InvalidManifest, UsageProblem
from manifest_runner.ica.config import find_project
from manifest_runner.items.expand import Expansion
from manifest_runner.items.prepare import prepare_analyses
from manifest_runner.manifest.document import Document, load_document
from manifest_runner.manifest.yaml_file import read_manifest


@dataclass(frozen=True)
class Loaded:
    """A manifest whose own text is in order; ``expansion`` tells of its rows while they are read."""

    document: Document
    project: str
    expansion: Expansion
    findings: Findings

    def raise_errors(self, *, strict: bool = False) -> None:
        """Raise InvalidManifest where something was found; ``strict`` takes warnings for errors."""
        found = strictly(self.findings.all()) if strict else self.findings.all()
        if any(finding.severity == "error" for finding in found):
            raise InvalidManifest(found)


def load(
    path: Path,
    *,
    env: Mapping[str, str],
    project: str | None = None,
    given_vars: Mapping[str, str] | None = None,
) -> Loaded:
    """Read a manifest and prepare its analyses. ``project`` and ``given_vars`` are those of the command line.

    Raises UsageProblem, and InvalidManifest where there is no point in reading rows.
    """
    document = load_document(read_manifest(path), env=env, given_vars=given_vars or {})
    try:
        chosen = find_project(project, document.project, env)
    except UsageProblem as e:
        if document.faults:  # which are worth more than one more thing to mend
            raise InvalidManifest(document.faults) from e
        raise
    findings = Findings()
    analyses = prepare_analyses(document, chosen, path.parent, findings)
    return Loaded(document, chosen, Expansion(document, analyses, findings), findings)
