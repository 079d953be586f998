"""Opens the tables of a manifest, in which templates look up rows."""

from __future__ import annotations

from collections.abc import Hashable

import msgspec

from manifest_runner.diagnostics.collector import Findings
from manifest_runner.diagnostics.finding import Finding, InvalidManifest, Place
from manifest_runner.items.preparing.constants import Reporting, render_constant, render_source
from manifest_runner.items.preparing.manifest_scope import ManifestScope
from manifest_runner.manifest.document import Document, TableSpec
from manifest_runner.model import DataPath
from manifest_runner.near_miss import near_miss
from manifest_runner.rows.sources import Source, Sources
from manifest_runner.rows.tables import Table, key_columns, read_table
from manifest_runner.templates.scope import Scope
from manifest_runner.text import shown


def with_tables(document: Document, scope: ManifestScope, sources: Sources, findings: Findings) -> ManifestScope:
    """The scope with the tables under ``tables``. Faulty ones are reported, and listed among its broken tables."""
    tables = Scope({}, 'there is no table "{}" in this manifest')
    for name, spec in document.tables.items():
        tables[name] = None if spec is None else _open_table(name, spec, scope, sources, findings)
    broken = frozenset(name for name, table in tables.items() if table is None)
    return msgspec.structs.replace(scope, values={**scope.values, "tables": tables}, broken_tables=broken)


def _open_table(name: str, spec: TableSpec, scope: ManifestScope, sources: Sources, findings: Findings) -> Table | None:
    """None if the table has a fault, which is reported."""
    path: DataPath = ("tables", name, spec.format)
    found: list[Finding] = []

    def place(below: DataPath) -> Place:
        return scope.place((*path, *below), None)

    def report(finding: Finding, group: Hashable) -> None:
        findings.add(finding, group)
        if finding.severity == "error":
            found.append(finding)

    with Reporting(scope):
        value = render_constant(scope, spec.source, path, None)
        rows = sources.rows(Source(render_source(scope, spec, path[:2], None), value, place))
        for note in rows.notes:
            findings.add(note)
        for column in key_columns(spec, rows):
            message = f"there is no column {shown(column)}{near_miss(column, rows.columns or ())}"
            raise InvalidManifest.at(scope.place(("tables", name, "key"), None), "MR402", message)
        table = read_table(name, spec, rows, report)
        return None if found else table
    return None
