"""Check a manifest's YAML against the schema, and make a document of it without its faulty parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec.structs import replace

from manifest_runner.diagnostics.collector import Findings
from manifest_runner.diagnostics.finding import Finding, InvalidManifest
from manifest_runner.errors import UsageProblem
from manifest_runner.manifest.document import (
    DEFAULT_BATCH_SIZE,
    DEFAULT_REVISION,
    DEFAULT_STAMP,
    FORMAT,
    OTHER_WAY,
    SOURCE_FORMATS,
    AnalysisSpec,
    Document,
    ForEach,
    Move,
    Requirement,
    SourceFormat,
    TableSpec,
)
from manifest_runner.manifest.rules import env_faults, moved_faults, name_faults, spelling_faults, state_faults
from manifest_runner.manifest.yaml_file import YamlFile
from manifest_runner.model import KINDS, DataPath
from manifest_runner.validation.messages import Fault
from manifest_runner.validation.shipped_schemas import analysis_faults, is_valid_analysis, manifest_faults
from manifest_runner.values import is_unicode

MAX_WORDED = 50  # analyses with faults
_READING = ("section", "sheet", "delimiter", "comment", "trim")  # how a source of rows is read
_NOT_OF_THE_ITEM = ("kind", "forEach", "revision", "require")


def load_document(
    source: YamlFile, *, env: Mapping[str, str], given_vars: Mapping[str, str] = MappingProxyType({})
) -> Document:
    """Check a manifest against its schema and make it typed. Raises InvalidManifest if nothing else can be checked.

    All other faults are in the document's ``faults``, and the faulty parts are left out of the document, so that
    templates and samplesheets can still be checked.
    ``env`` is the process's environment, of which only what the manifest's ``env`` lists is kept.
    ``given_vars`` are those of ``--var``: plain text that replaces or adds to the manifest's ``vars``.
    """
    for name in given_vars:
        if not is_unicode(given_vars[name]):
            raise UsageProblem(f"the value of --var {name} is not UTF-8")
    data = source.data
    top, analyses = _top_faults(data, env), list(_checked_analyses(data))
    faults = _placed(source, [*top, *(fault for each in analyses for fault in each.faults)])
    paths = [fault.path for _, fault in top]
    if not isinstance(data, dict) or any(map(_is_fatal, paths)) or not data.get("analyses"):
        raise InvalidManifest(_reported(faults))
    data = _without(data, paths)
    names = tuple(name for name in data.get("env") or () if name and isinstance(name, str))
    of_defaults = tuple(path[1:] for path in paths if path[:1] == ("defaults",))
    return Document(
        source=source,
        name=data.get("name", ""),
        project=data.get("project"),
        revision=data.get("revision", DEFAULT_REVISION),
        batch_size=data.get("batchSize", DEFAULT_BATCH_SIZE),
        stamp=data.get("stamp", DEFAULT_STAMP),
        max_launches=data.get("maxLaunches"),
        state=data.get("state"),
        lock=data.get("lock"),
        git=data.get("git"),
        max_running=data.get("maxRunning"),
        env_names=names,
        env={name: env[name] for name in names if name in env},
        vars=data.get("vars") or {},
        given_vars=dict(given_vars),
        analyses=tuple(_analysis(each, data.get("defaults") or {}, of_defaults) for each in analyses if each.is_usable),
        moved=tuple(_moves(data)),
        former_names=tuple(_former_names(data)),
        faults=tuple(faults),
        tables=dict(_tables(source.data.get("tables") or {}, paths)),
    )


def _moves(data: Mapping[str, Any]) -> Iterator[Move]:
    for index, entry in enumerate(data.get("moved") or ()):
        if isinstance(entry, dict) and {"from", "to"} <= entry.keys():
            yield Move(entry["from"], entry["to"], index)


def _former_names(data: Mapping[str, Any]) -> Iterator[str]:
    """The former names of the manifest itself."""
    for entry in data.get("moved") or ():
        if isinstance(entry, dict) and "name" in entry:
            yield entry["name"]


_Coded = tuple[str, Fault]


def _placed(source: YamlFile, found: Iterable[_Coded]) -> list[Finding]:
    """These findings and those of the YAML, by place; only those of the YAML if it has a fault."""
    known = {finding.place for finding in source.faults}
    of_schema = (_finding(source, code, fault) for code, fault in found)
    others = (each for each in of_schema if each.place not in known)
    return sorted([*source.faults, *others], key=lambda each: each.place)


class _Analysis(msgspec.Struct, frozen=True):
    """An analysis as it was written, and its faults; ``paths`` are the places in it that have one."""

    index: int
    raw: Any
    paths: tuple[DataPath, ...] = ()
    faults: tuple[_Coded, ...] = ()
    is_usable: bool = True


def _top_faults(data: Any, env: Mapping[str, str]) -> list[_Coded]:
    """The faults of everything but the analyses."""
    defaults = data.get("defaults") if isinstance(data, dict) else None
    found = [*manifest_faults(data), *spelling_faults(data), *state_faults(data)]
    found += (_below(("defaults",), fault) for fault in name_faults(defaults))
    coded = [("MR201", fault) for fault in found]
    coded += (("MR202", fault) for fault in env_faults(data, env))
    return coded + [("MR203", fault) for fault in moved_faults(data)]


def _checked_analyses(data: Any) -> Iterator[_Analysis]:
    """Each analysis. If very many have faults, only the first are reported; the others are counted, and not usable."""
    listed = data.get("analyses") if isinstance(data, dict) else None
    more: list[int] = []
    worded = 0
    for index, raw in enumerate(listed if isinstance(listed, list) else ()):
        faults = list(name_faults(raw))
        if is_valid_analysis(raw) and not faults:
            yield _Analysis(index, raw)
        elif worded < MAX_WORDED:
            worded += 1
            found = [*analysis_faults(raw), *faults]
            below = tuple(("MR201", _below(("analyses", index), fault)) for fault in found)
            yield _Analysis(index, raw, tuple(fault.path for fault in found), below, isinstance(raw, dict))
        else:
            more.append(index)
    if more:
        words = f"{len(more):,} more have problems, starting with this one"
        yield _Analysis(more[0], None, faults=(("MR201", Fault(("analyses", more[0]), words)),), is_usable=False)


def _below(path: DataPath, fault: Fault) -> Fault:
    return replace(fault, path=(*path, *fault.path))


def _reported(faults: Iterable[Finding]) -> list[Finding]:
    """The findings to report; ``Findings`` limits their number."""
    findings = Findings()
    for fault in faults:
        findings.add(fault)
    return findings.all()


def _finding(source: YamlFile, code: str, fault: Fault) -> Finding:
    message = fault.message
    if fault.path == ("manifest",) and isinstance(source.data["manifest"], int) and source.data["manifest"] > FORMAT:
        message = (
            f"format {source.data['manifest']} is newer than this version of manifest-runner, which reads {FORMAT}"
        )
    return Finding(source.place(fault.path, at_key=fault.at_key), code, message)


def _is_fatal(path: DataPath) -> bool:
    """Whether a fault there makes other checks useless: another format, no list of analyses, no vars to look up."""
    return path in (("manifest",), ("project",), ("env",), ("vars",), ("defaults",), ("analyses",))


def _pruned_at(path: DataPath) -> DataPath:
    """The path to leave out of an analysis for a fault: none for a missing key, all of a source of rows.

    A part of a source would be a different source, with faults of its own, and so would one that is read differently.
    """
    if path[:1] != ("forEach",) or len(path) < 2:
        return path
    if path[1] in _READING:
        return path[:1]
    return path[:2] if path[1] in SOURCE_FORMATS else path


def _without(data: Any, paths: Iterable[DataPath]) -> Any:
    """The data without what is at these paths; an element of a list becomes null, so that no other one moves."""
    branches: dict[str | int, list[DataPath]] = {}
    for path in paths:
        if path:
            branches.setdefault(path[0], []).append(path[1:])
    if not branches or not isinstance(data, (dict, list)):
        return data
    entries = data.items() if isinstance(data, dict) else enumerate(data)
    kept = [
        (step, None if () in branches.get(step, ()) else _without(each, branches.get(step, ())))
        for step, each in entries
    ]
    if isinstance(data, list):
        return [each for _, each in kept]
    return {step: each for step, each in kept if () not in branches.get(step, ())}


def _analysis(checked: _Analysis, defaults: Mapping[str, Any], of_defaults: tuple[DataPath, ...]) -> AnalysisSpec:
    raw = _without(checked.raw, map(_pruned_at, checked.paths))
    merged = _merge(defaults, raw)
    broken = (() if path[:1] == ("kind",) else path for path in checked.paths)
    return AnalysisSpec(
        index=checked.index,
        kind=raw.get("kind", KINDS[0]),
        for_each=_for_each(raw.get("forEach") or {}),
        revision=DEFAULT_REVISION if merged.get("revision") is None else merged["revision"],
        fields={key: value for key, value in merged.items() if key not in _NOT_OF_THE_ITEM},
        broken=(*of_defaults, *broken),
        require=tuple(_requirements(merged.get("require") or ())),
    )


def _requirements(raw: Any) -> Iterator[Requirement]:
    for index, each in enumerate(raw if isinstance(raw, list) else ()):
        if isinstance(each, dict) and isinstance(each.get("that"), str) and isinstance(each.get("else"), str):
            yield Requirement(index, each["that"], each["else"])


def _for_each(raw: Mapping[str, Any]) -> ForEach | None:
    chosen = _chosen(raw)
    if chosen is None:
        return None
    grouping = raw.get("groupBy")
    return ForEach(
        chosen,
        raw[chosen],
        **_reading(raw),
        where=raw.get("where"),
        schema=raw.get("schema"),
        group_by=None if grouping is None else _names(grouping),
    )


def _tables(raw: Any, faulty: Sequence[DataPath]) -> Iterator[tuple[str, TableSpec | None]]:
    """The tables; None for a faulty one, since the rest of it would be a different table."""
    broken = {path[1] for path in faulty if path[:1] == ("tables",) and len(path) > 1}
    for name, each in raw.items() if isinstance(raw, dict) else ():
        chosen = _chosen(each) if isinstance(each, dict) else None
        if chosen is None or name in broken or ("tables",) in faulty:
            yield name, None
        else:
            yield (
                name,
                TableSpec(
                    chosen, each[chosen], **_reading(each), key=_names(each["key"]), many=each.get("many", False)
                ),
            )


def _chosen(raw: Mapping[str, Any]) -> SourceFormat | None:
    return next((name for name in SOURCE_FORMATS if name in raw), None)


def _reading(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that say how to read a source of rows."""
    given = {name: raw.get(name) for name in _READING if name != "trim"}
    return {**given, "trim": raw.get("trim") is not False}


def _names(raw: str | Sequence[str]) -> tuple[str, ...]:
    return (raw,) if isinstance(raw, str) else tuple(raw)


def _merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings merge deep, anything else is replaced, also by a null, which later leaves the key out.

    A name replaces the id from the defaults, and the reverse.
    """
    merged = {key: value for key, value in under.items() if over.get(OTHER_WAY.get(key, "")) is None}
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
