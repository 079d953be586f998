"""Look up names in ICA: projects, storages, pipelines and data, each with few requests."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from manifest_runner.errors import Refused
from manifest_runner.ica import name_endpoints as calls
from manifest_runner.ica.client import Client
from manifest_runner.ica.data_responses import DataRecord, read_data_page
from manifest_runner.ica.endpoints import Call
from manifest_runner.ica.name_responses import Named, read_named, read_project
from manifest_runner.ica.wire import Page
from manifest_runner.model import Name
from manifest_runner.names.checks.data_check import DataCheck
from manifest_runner.names.failure import HIDDEN, LookupFailure
from manifest_runner.names.lookup.data_lookup import DataLookup
from manifest_runner.names.lookup.data_paths import FoundData
from manifest_runner.names.lookup.pipeline_lookup import PipelineLookup
from manifest_runner.names.references import needed_projects, parse_data_name
from manifest_runner.near_miss import near_miss
from manifest_runner.text import shown
from manifest_runner.values import is_uuid

Warn = Callable[[str, str], None]


class LookedUp(msgspec.Struct, frozen=True):
    """The entries of names, and the reasons why others have none."""

    entries: dict[Name, Any]
    failures: dict[Name, LookupFailure]


class Resolver:
    """Looks up names in the project of a client. ``warn`` is called with code and message for what cannot be checked.

    ``declarations`` says whether to fetch what pipelines declare. Every method raises Refused if the credential may
    not look, and Unreachable.
    """

    def __init__(self, client: Client, warn: Warn, *, declarations: bool = True) -> None:
        self._client = client
        self._region_remarks: dict[str, LookupFailure] = {}
        self._pipelines = PipelineLookup(client, warn, declarations=declarations)
        self._all_projects: list[Named] | None = None
        self._region: str | None = None
        self._knows_region = False

    @property
    def remarks(self) -> dict[str, LookupFailure]:
        """The warnings so far, by the id of a pipeline, and the id or the path of data."""
        return self._region_remarks | self._pipelines.remarks

    def look_up(self, names: Collection[Name], projects: dict[str, str] | None = None) -> LookedUp:
        """The entries of all of these names. ``projects`` are the ids of projects whose names are already known."""
        entries: dict[Name, Any] = {}
        failures: dict[Name, LookupFailure] = {}

        def take(found: Iterable[tuple[Name, Any]]) -> None:
            for name, each in found:
                if isinstance(each, LookupFailure):
                    failures[name] = each
                else:
                    entries[name] = each

        known = dict(projects or {})
        wanted = {name.key for name in names if name.kind == "projects"} | {each.key for each in needed_projects(names)}
        take((Name("projects", key), self._project(key)) for key in sorted(wanted - known.keys()))
        known |= {name.key: entries[name] for name in entries if name.kind == "projects"}
        take(self._storages(sorted(name.key for name in names if name.kind == "storages")))
        take((name, self._pipelines.look_up(name.key)) for name in sorted(names) if name.kind == "pipelines")
        take(self._data([name for name in names if name.kind == "data"], known, failures))
        return LookedUp(entries, failures)

    def pipeline_failure(self, key: str, pipeline_id: str) -> LookupFailure | None:
        """Why a pinned pipeline can no longer be started."""
        return self._pipelines.failure_of(key, pipeline_id)

    # -- projects and storages

    def _project(self, name: str) -> str | LookupFailure:
        found = [each for each in self._search(name) if each.name == name]
        if not found:
            found = [each for each in self._projects() if each.name == name]
        if len({each.id for each in found}) == 1:
            return found[0].id
        if found:
            listed = ", ".join(f"{each.id} ({each.detail})" if each.detail else each.id for each in found)
            return LookupFailure(
                "MR701", f"several projects are named {shown(name)}: {listed}; write the id of one of them"
            )
        hint = near_miss(name, [each.name for each in self._projects()])
        return LookupFailure("MR701", f"no project named {shown(name)}, or this credential may not see it{hint}")

    def _search(self, name: str) -> list[Named]:
        return list(self._client.pages(calls.search_projects(name), read_named))

    def _projects(self) -> list[Named]:
        """All projects, since it is not documented what the server's search compares."""
        if self._all_projects is None:
            self._all_projects = list(self._client.pages(calls.search_projects(), read_named))
        return self._all_projects

    def _storages(self, keys: Sequence[str]) -> Iterator[tuple[Name, str | LookupFailure]]:
        if not keys:
            return
        storages = self._client.ask(calls.list_storages(), read_named).items
        for key in keys:
            found = list(dict.fromkeys(each.id for each in storages if each.name == key))
            names = [each.name for each in storages]
            if len(found) == 1:
                yield Name("storages", key), found[0]
            elif found:
                words = f"several storages are named {shown(key)}: {', '.join(found)}; write the id of one of them"
                yield Name("storages", key), LookupFailure("MR701", words)
            else:
                hint = near_miss(key, names) or (f"; there is {', '.join(map(shown, names[:12]))}" if names else "")
                yield Name("storages", key), LookupFailure("MR701", f"no analysis storage is named {shown(key)}{hint}")

    # -- data

    def _data(
        self, names: Sequence[Name], projects: dict[str, str], failures: dict[Name, LookupFailure]
    ) -> Iterator[tuple[Name, Any]]:
        by_project: dict[str | None, dict[str, list[str]]] = {}
        for name in names:
            project, path = parse_data_name(name.key)
            if project is not None and not is_uuid(project):
                if (failed := failures.get(Name("projects", project))) is not None:
                    yield name, failed
                    continue
                project = projects[project]
            by_project.setdefault(project, {}).setdefault(path, []).append(name.key)
        for project, keys in by_project.items():
            found = DataLookup(self._page, project, self._base_bytes(project)).look_up(keys)
            for path, each in found.items():
                for key in keys[path]:
                    yield Name("data", key), self._entry(key, path, each)

    def _entry(self, key: str, path: str, found: FoundData | LookupFailure) -> Any:
        if isinstance(found, LookupFailure):
            words = found.message.replace(shown(path), shown(key), 1)  # and what it suggests, of the same project
            return found._replace(message=words.replace('"/', f'"{key.removesuffix(path)}/'))
        self._warn_of_region(key, found.record)
        return found.entry

    def _page(self, call: Call) -> Page[DataRecord]:
        return self._client.ask(call, read_data_page)

    def _base_bytes(self, project: str | None) -> int:
        return len(f"{self._client.server_url}/api/projects/{project or self._client.project}/data?")

    def _warn_of_region(self, key: str, record: DataRecord) -> None:
        if record.region_id is not None and (own := self._own_region()) is not None and record.region_id != own:
            words = f"{shown(key)} ({record.id}) is in another region than the project"
            self._region_remarks[key] = self._region_remarks[record.id] = LookupFailure("MR708", words)

    def _own_region(self) -> str | None:
        """The region of the client's project; None if the server does not say."""
        if not self._knows_region:
            self._knows_region = True
            try:
                self._region = self._client.ask(calls.get_project(self._client.project), read_project).region_id
            except Refused as refused:
                if refused.status not in HIDDEN:
                    raise
        return self._region

    # -- data and pipelines given by id

    def check_ids(
        self, ids: Collection[str], project: str | None = None, keys: Mapping[str, str] = MappingProxyType({})
    ) -> dict[str, LookupFailure]:
        """The ids of data that cannot be used, each with the reason. URNs are not checked.

        ``keys`` are the paths of pinned ids.
        """
        check = DataCheck(self._page, project, self._base_bytes(project), keys)
        return check.failures(ids, lambda record: self._warn_of_region(check.label(record), record))
