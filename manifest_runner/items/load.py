"""Read and check a manifest, and prepare its items: every command begins with this."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from manifest_runner.diagnostics.collector import Findings, strictly
from manifest_runner.diagnostics.finding import InvalidManifest
from manifest_runner.errors import UsageProblem
from manifest_runner.items.expand import ItemStream
from manifest_runner.items.preparing.prepare import prepare_analyses
from manifest_runner.manifest.check import load_document
from manifest_runner.manifest.document import Document
from manifest_runner.manifest.yaml_file import read_manifest
from manifest_runner.names.pins import Pins
from manifest_runner.near_miss import start_over
from manifest_runner.rows.raw_lockfile import LockfileOf, lockfile_beside

# A project becomes a segment of a URL's path, where "..", "/" and "?" would change the request.
_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Loaded(msgspec.Struct, frozen=True, eq=False):
    """A manifest whose own text is valid; faults of its rows are added to ``findings`` while they are read."""

    document: Document
    project: str
    stream: ItemStream
    findings: Findings

    @property
    def pins(self) -> Pins:
        """The known names in the items."""
        return self.stream.pins

    def with_pins(self, pins: Pins) -> Loaded:
        """The same manifest with other names put in."""
        return msgspec.structs.replace(self, stream=self.stream.with_pins(pins))

    def without_checks(self) -> Loaded:
        """The same manifest, not compared with what its pipelines declare."""
        return self.with_pins(self.pins.without_checks())

    def raise_errors(self, *, strict: bool = False) -> None:
        """Raise InvalidManifest where an error was found; ``strict`` treats warnings as errors."""
        found = strictly(self.findings.all()) if strict else self.findings.all()
        if any(finding.severity == "error" for finding in found):
            raise InvalidManifest(found)


def load(
    path: Path,
    *,
    env: Mapping[str, str],
    project: str | None = None,
    given_vars: Mapping[str, str] | None = None,
    lockfile_of: LockfileOf = lockfile_beside,
) -> Loaded:
    """Read a manifest and prepare its analyses. ``project`` and ``given_vars`` are those of the command line.

    ``lockfile_of`` finds the lockfile of a manifest that this one starts from.

    Raises UsageProblem, or InvalidManifest if reading rows would be pointless.
    """
    start_over()
    document = load_document(read_manifest(path), env=env, given_vars=given_vars or {})
    try:
        chosen = find_project(project, document.project, env)
    except UsageProblem as e:
        if document.faults:  # which are more useful than one more problem
            raise InvalidManifest(document.faults) from e
        raise
    findings = Findings()
    analyses = prepare_analyses(document, chosen, path.parent, findings, lockfile_of)
    return Loaded(document, chosen, ItemStream(document, analyses, findings), findings)


def find_project(flag: str | None, manifest_project: str | None, env: Mapping[str, str]) -> str:
    """The project's id: ``--project``, the manifest, ICAV2_PROJECT_ID. Raises UsageProblem without one."""
    project = (flag or manifest_project or env.get("ICAV2_PROJECT_ID") or "").strip()
    if not project:
        raise UsageProblem("no project given: set project in the manifest, or use --project ID or ICAV2_PROJECT_ID")
    if not _PROJECT.fullmatch(project):
        raise UsageProblem("the project must be its id: letters, digits and . _ - only")
    return project
