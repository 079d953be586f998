"""Names in a run: looked up for due items, and checked before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec

from manifest_runner.commands.setup.session import Session
from manifest_runner.commands.steps.open_run import OpenRun
from manifest_runner.diagnostics.finding import Finding, Place
from manifest_runner.errors import Refused
from manifest_runner.items.load import Loaded
from manifest_runner.model import Name
from manifest_runner.names.checks.pipeline_check import PipelineCheck
from manifest_runner.names.failure import HIDDEN, LookupFailure
from manifest_runner.names.model import Names, PipelineEntry
from manifest_runner.names.names_file import read_names, write_names
from manifest_runner.names.pins import Pins
from manifest_runner.names.references import parse_data_name
from manifest_runner.names.used import UsedData
from manifest_runner.planning.plan import Plan
from manifest_runner.values import is_uuid

if TYPE_CHECKING:  # requests is imported only when something is asked
    from manifest_runner.names.resolver import LookedUp, Resolver

# Above this number, only `resolve` checks ids: a run should not wait for a thousand requests.
MAX_CHECKED_IDS = 20_000


def warn_in(loaded: Loaded) -> Callable[[str, str], None]:
    """A function that adds a warning, given as code and message, at the manifest's first line."""

    def warn(code: str, message: str) -> None:
        place = Place(loaded.document.source.file, 1)
        loaded.findings.add(Finding(place, code, message, "warning"), group=code, everywhere=True)

    return warn


def resolve_due(run: OpenRun, plan: Plan, plan_again: Callable[[], Plan]) -> Plan:
    """Look up the names in due items, save them, and plan again with their ids.

    Raises InvalidManifest with all that cannot be looked up or used; then nothing is written, and nothing was sent.
    """
    session, check = run.session, not run.options.no_check
    while plan.unresolved:
        names = session.loaded.pins.names
        resolver = resolver_of(run)
        found = resolver.look_up(plan.unresolved, names.projects)
        known = names.with_entries(found.entries)
        # Look for further problems only if there is one; otherwise `check_due` checks everything.
        verdict = _examine_launches(run, plan, resolver) if found.failures and check else _Verdict()
        pins = Pins(
            known.with_entries(verdict.entries),
            found.failures,
            check=check,
            faulty=with_paths(verdict.faulty, known),
            remarks={**session.loaded.pins.remarks, **with_paths(resolver.remarks, known)},
            only=frozenset([*plan.due, *plan.unapproved]),
        )
        session.loaded = session.loaded.with_pins(pins)
        plan = plan_again()
        save_names(session, found.entries)
        if found.failures:
            break  # of items that are not due any more
    return plan


def check_due(run: OpenRun, plan: Plan) -> None:
    """Check due items against their pipelines and data. Raises InvalidManifest."""
    if run.options.no_check or not plan.launches:
        return
    session, resolver = run.session, resolver_of(run)
    names = session.loaded.pins.names
    verdict = _examine_launches(run, plan, resolver)
    if verdict.faulty or resolver.remarks or not verdict.is_right:
        faulty = with_paths(verdict.faulty, names)
        remarks = {**session.loaded.pins.remarks, **with_paths(resolver.remarks, names)}
        pins = Pins(names.with_entries(verdict.entries), faulty=faulty, remarks=remarks, only=frozenset(plan.due))
        raise_at_places(session.loaded.with_pins(pins))
    if session.names_path.exists() and verdict.entries:
        save_names(session, verdict.entries)


class _Verdict(msgspec.Struct):
    """The result of checking pipelines and data: ``faulty`` by id, and ``entries`` for pipelines not known before.

    ``is_right`` is false if a request does not fit such a pipeline.
    """

    entries: dict[Name, Any] = {}
    faulty: dict[str, LookupFailure] = {}
    is_right: bool = True


def _examine_launches(run: OpenRun, plan: Plan, resolver: Resolver) -> _Verdict:
    """Check every pipeline and all data that launches give by id, or by a name in the names file."""
    names, used, verdict = run.session.loaded.pins.names, UsedData(), _Verdict()
    checks: dict[str, PipelineCheck | None] = {}
    pinned = {entry.id for entry in names.pipelines.values()}
    for launch in plan.launches:
        # Once there are more ids than a run checks, the others are not needed.
        request = used.add(run.spool.fetch(launch.request), data=len(used.data) <= MAX_CHECKED_IDS)
        pipeline = request["pipelineId"]
        if pipeline not in pinned and pipeline not in checks:
            checks[pipeline] = _examine_pipeline(resolver, pipeline, verdict)
        check = checks.get(pipeline)
        verdict.is_right = verdict.is_right and (check is None or not check.faults(request, launch.kind))
    verdict.faulty |= check_pinned(resolver, names, used.pipelines & pinned)
    verdict.faulty |= check_data(resolver, names, used.data, run.session.context.notify)
    return verdict


def resolver_of(run: OpenRun) -> Resolver:
    """A resolver over the run's connection."""
    from manifest_runner.names.resolver import Resolver

    return Resolver(run.client(), warn_in(run.session.loaded), declarations=not run.options.no_check)


def save_names(session: Session, entries: dict[Name, Any]) -> None:
    """Add to the names file, which somebody else may have added to meanwhile."""
    path = session.names_path
    names = session.loaded.pins.names
    on_disk = read_names(path, project=names.project, server=names.server)
    write_names(path, on_disk.with_entries(entries))


def check_pinned(resolver: Resolver, names: Names, ids: Collection[str]) -> dict[str, LookupFailure]:
    """The pipelines, by id, that can no longer be started."""
    keys = {entry.id: key for key, entry in names.pipelines.items()}
    failures = {each: resolver.pipeline_failure(keys[each], each) for each in sorted(ids)}
    return {each: failure for each, failure in failures.items() if failure is not None}


def check_data(
    resolver: Resolver, names: Names, ids: Collection[str], notify: Callable[[str], None] | None
) -> dict[str, LookupFailure]:
    """The data, by id, that cannot be used; without ``notify`` however many they are."""
    if notify is not None and len(ids) > MAX_CHECKED_IDS:
        notify(f"a run checks at most {MAX_CHECKED_IDS:,} data ids; `manifest-runner resolve` checks all of them")
        return {}
    foreign, keys = foreign_data(names), {entry.id: key for key, entry in names.data.items()}
    by_project: dict[str | None, list[str]] = {}
    for each in ids:
        by_project.setdefault(foreign.get(each), []).append(each)
    failures: dict[str, LookupFailure] = {}
    for project, listed in by_project.items():
        try:
            failures |= resolver.check_ids(listed, project, keys)
        except Refused as refused:
            if refused.status not in HIDDEN or notify is None:
                raise
            notify("this credential may not list data, so the data of this run is not checked")
    return failures


def foreign_data(names: Names) -> dict[str, str]:
    """The projects of data that ``icav2://`` URIs name, by the id of the data."""
    found = {}
    for key, entry in names.data.items():
        project = parse_data_name(key).project
        if project is not None:
            found[entry.id] = project if is_uuid(project) else names.projects.get(project, project)
    return found


def _examine_pipeline(resolver: Resolver, pipeline: str, verdict: _Verdict) -> PipelineCheck | None:
    """A pipeline that is given by id."""
    if not is_uuid(pipeline):
        return None
    found: LookedUp = resolver.look_up([name := Name("pipelines", pipeline)])
    verdict.entries |= found.entries
    if name in found.failures:
        verdict.faulty[pipeline] = found.failures[name]
    entry = cast("PipelineEntry | None", found.entries.get(name))
    return None if entry is None else PipelineCheck(pipeline, entry)


def with_paths(faulty: Mapping[str, LookupFailure], names: Names) -> dict[str, LookupFailure]:
    """The same, also keyed by the manifest's paths."""
    by_path = {key: faulty[entry.id] for key, entry in names.data.items() if entry.id in faulty}
    return {**faulty, **by_path}


def raise_at_places(loaded: Loaded, *, strict: bool = False) -> None:
    """Read the rows again to report the findings at their places. Raises InvalidManifest."""
    for _ in loaded.stream.items():
        pass
    loaded.raise_errors(strict=strict)
