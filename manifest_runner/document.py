"""From a manifest's YAML to typed values, with ``defaults`` merged under every analysis."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from manifest_runner.errors import InvalidManifest
from manifest_runner.manifest import Path_, YamlFile
from manifest_runner.model import Finding, Kind, Place
from manifest_runner.schema import manifest_faults

DEFAULT_REVISION = 1
DEFAULT_BATCH_SIZE = 500
DEFAULT_STAMP = True

SourceFormat = Literal["csv", "tsv", "json", "yaml", "rows", "matrix"]
SOURCE_FORMATS: tuple[SourceFormat, ...] = ("csv", "tsv", "json", "yaml", "rows", "matrix")

_CREDENTIAL = re.compile(r"^ICAV2_|TOKEN|KEY|SECRET|PASSWORD", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ForEach:
    """Where an analysis's rows come from. ``source`` is a path, or the rows or the matrix themselves."""

    format: SourceFormat
    source: Any
    where: str | None
    schema: str | None
    section: str | None


@dataclass(frozen=True, slots=True)
class AnalysisSpec:
    """One element of ``analyses``, defaults merged in. ``fields`` is the API's item, still with templates."""

    index: int
    kind: Kind
    for_each: ForEach | None
    revision: Any
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Document:
    """A manifest that meets its schema. ``vars`` still hold templates; ``env`` holds only what is listed and set."""

    source: YamlFile = field(repr=False)
    name: str
    project: str | None
    revision: int
    batch_size: int
    stamp: bool
    max_launches: int | None
    env: Mapping[str, str]
    vars: Mapping[str, Any]
    given_vars: Mapping[str, str]
    analyses: tuple[AnalysisSpec, ...]

    def place(self, analysis: int, path: Path_, *, at_key: bool = False) -> Place:
        """Where a field of an analysis was written: in the analysis itself, else in the defaults."""
        own: Path_ = ("analyses", analysis, *path)
        if not _has(self.source.data, own) and _has(self.source.data, ("defaults", *path)):
            own = ("defaults", *path)
        return self.source.place(own, at_key=at_key)


def load_document(
    source: YamlFile, *, env: Mapping[str, str], given_vars: Mapping[str, str] = MappingProxyType({})
) -> Document:
    """Check a manifest against its schema and make it typed. Raises InvalidManifest with every fault.

    ``env`` is the process's environment, of which only what the manifest's ``env`` lists is kept.
    ``given_vars`` are those of ``--var``: plain text that replaces or adds to the manifest's ``vars``.
    """
    data = source.data
    faults = manifest_faults(data)
    if faults:
        places = source.places([(fault.path, fault.at_key) for fault in faults])
        found = [Finding(at, "MR201", fault.message) for at, fault in zip(places, faults, strict=True)]
        raise InvalidManifest(sorted(found, key=lambda finding: finding.place[1:]))
    _check_numbers(source)
    _check_env_names(source)
    defaults = data.get("defaults") or {}
    return Document(
        source=source,
        name=data["name"],
        project=data.get("project"),
        revision=data.get("revision", DEFAULT_REVISION),
        batch_size=data.get("batchSize", DEFAULT_BATCH_SIZE),
        stamp=data.get("stamp", DEFAULT_STAMP),
        max_launches=data.get("maxLaunches"),
        env={name: env[name] for name in data.get("env") or () if name in env},
        vars=data.get("vars") or {},
        given_vars=dict(given_vars),
        analyses=tuple(_analysis(i, raw, defaults) for i, raw in enumerate(data["analyses"])),
    )


def _check_numbers(source: YamlFile) -> None:
    """JSON Schema calls 1.0 an integer; in a digest ``1.0`` and ``1`` would be two revisions."""
    findings = [
        Finding(source.place((key,)), "MR201", f"{key} must be written as a whole number")
        for key in ("revision", "batchSize", "maxLaunches")
        if key in source.data and isinstance(source.data[key], float)
    ]
    if findings:
        raise InvalidManifest(findings)


def _check_env_names(source: YamlFile) -> None:
    refused = [i for i, name in enumerate(source.data.get("env") or ()) if _CREDENTIAL.search(name)]
    if refused:
        why = "looks like the name of a credential, which templates may not read; choose another variable"
        raise InvalidManifest(
            [Finding(source.place(("env", i)), "MR202", f"{source.data['env'][i]} {why}") for i in refused]
        )


def _analysis(index: int, raw: Mapping[str, Any], defaults: Mapping[str, Any]) -> AnalysisSpec:
    merged = _merge(defaults, raw)
    return AnalysisSpec(
        index=index,
        kind=raw["kind"],
        for_each=_for_each(raw.get("forEach")),
        revision=DEFAULT_REVISION if merged.get("revision") is None else merged["revision"],
        fields={key: value for key, value in merged.items() if key not in ("kind", "forEach", "revision")},
    )


def _for_each(raw: Mapping[str, Any] | None) -> ForEach | None:
    if raw is None:
        return None
    chosen = next(name for name in SOURCE_FORMATS if name in raw)
    return ForEach(chosen, raw[chosen], raw.get("where"), raw.get("schema"), raw.get("section"))


def _merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings merge deep, anything else is replaced, also by a null, which later leaves the key out."""
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _has(data: Any, path: Path_) -> bool:
    for step in path:
        is_index = isinstance(data, list) and isinstance(step, int) and step < len(data)
        if not is_index and not (isinstance(data, dict) and step in data):
            return False
        data = data[step]
    return True
