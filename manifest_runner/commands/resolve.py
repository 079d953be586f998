"""``resolve``: look up what names stand for, check the manifest against it, write the names file."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.open_session import read_session
from manifest_runner.commands.setup.options import ResolveOptions, Target
from manifest_runner.commands.steps.name_lookup import check_data, check_pinned, raise_at_places, warn_in, with_paths
from manifest_runner.diagnostics.finding import Finding
from manifest_runner.items.load import Loaded
from manifest_runner.model import Name
from manifest_runner.names.failure import LookupFailure, not_pinned
from manifest_runner.names.model import Names
from manifest_runner.names.names_file import write_names
from manifest_runner.names.pins import Pins
from manifest_runner.names.references import needed_projects
from manifest_runner.names.used import UsedData
from manifest_runner.text import shown
from manifest_runner.values import is_uuid

if TYPE_CHECKING:  # requests is imported only when something is asked
    from manifest_runner.names.resolver import Resolver


class NameChange(msgspec.Struct, frozen=True):
    """A name that stands for something else now."""

    name: Name
    before: str
    after: str


class Resolved(msgspec.Struct, frozen=True):
    """What ``resolve`` found: the names in use, those that are new, changed, or no longer used."""

    path: Path
    used: tuple[Name, ...]
    added: tuple[Name, ...]
    changed: tuple[NameChange, ...]
    removed: tuple[Name, ...]
    findings: tuple[Finding, ...]


def resolve(path: Path, target: Target, options: ResolveOptions, context: Context) -> Resolved:
    """Look up and check every name of a manifest.

    Raises InvalidManifest with all that is missing, ambiguous, unavailable or, with ``check``, other than pinned; then
    nothing is written.
    """
    from manifest_runner.names.resolver import Resolver

    session = read_session(path, target, context)
    pinned = session.loaded.pins.names
    wanted, used = _uses(session.loaded)
    with session.client(context.deadline(options.timeout)) as client:
        resolver = Resolver(client, warn_in(session.loaded), declarations=not options.no_check)
        everything = options.update or options.check
        missing = wanted if everything else {each for each in wanted if each not in pinned}
        found = resolver.look_up(missing, {} if everything else pinned.projects)
        names = pinned.with_entries(found.entries).only(wanted)
        faulty = {} if options.no_check else _check(resolver, names, used, found.entries)
    failures = found.failures | (_differences(pinned, names, wanted) if options.check else {})
    pins = Pins(
        names.only({name for name in names.all() if name not in failures}),
        failures,
        check=not options.no_check,
        faulty=with_paths(faulty, names),
        remarks=with_paths(resolver.remarks, names),
    )
    raise_at_places(session.loaded.with_pins(pins), strict=options.strict)
    if not options.check:
        write_names(session.names_path, names)
    findings = tuple(session.loaded.findings.all())
    return Resolved(session.names_path, tuple(sorted(wanted)), *_compared(pinned, names), findings)


def _check(resolver: Resolver, names: Names, used: UsedData, fresh: Container[Name]) -> dict[str, LookupFailure]:
    """The unusable data and pipelines, by id, apart from those that were just looked up."""
    older = {entry.id for key, entry in names.pipelines.items() if Name("pipelines", key) not in fresh}
    data = {
        names.data[each].id if each in names.data else each for each in used.data if Name("data", each) not in fresh
    }
    return check_pinned(resolver, names, older) | check_data(resolver, names, data, None)


def _uses(loaded: Loaded) -> tuple[set[Name], UsedData]:
    """Every name of a manifest, pinned or not, and all data in its requests, by name or id. Raises InvalidManifest."""
    wanted: set[Name] = set()
    used = UsedData()
    for item in loaded.with_pins(loaded.pins.without_names()).stream.items():
        wanted.update(item.unresolved)
        used.add(item.request)
    loaded.raise_errors()
    wanted |= {Name("pipelines", each) for each in used.pipelines if is_uuid(each)}
    return wanted | needed_projects(wanted), used


def _differences(pinned: Names, names: Names, wanted: set[Name]) -> dict[Name, LookupFailure]:
    """Names that are missing from the names file, or that stand for something else now."""
    found = {}
    for name in wanted:
        now, before = names.id_of(name), pinned.id_of(name)
        if now is not None and before is None and not is_uuid(name.key):
            found[name] = not_pinned(name.key)
        elif now is not None and now != before and before is not None:
            words = f"{shown(name.key)} is now {now}, but {before} in the names file; `resolve --update` accepts that"
            found[name] = LookupFailure("MR701", words)
    return found


def _compared(before: Names, after: Names) -> tuple[tuple[Name, ...], tuple[NameChange, ...], tuple[Name, ...]]:
    old, new = set(before.all()), set(after.all())
    changed = []
    for name in sorted(old & new):
        was, now = before.id_of(name), after.id_of(name)
        if was is not None and now is not None and was != now:
            changed.append(NameChange(name, was, now))
    return tuple(sorted(new - old)), tuple(changed), tuple(sorted(old - new))
