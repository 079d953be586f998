"""Everything that the emulator knows except analyses: from its catalog, or made up where that has no section."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from manifest_runner.emulator.catalog.data_sources import CatalogData, DataSource, MadeUpData
from manifest_runner.emulator.catalog.format import Catalog, Project, Storage
from manifest_runner.emulator.catalog.pipelines import (
    CatalogPipelines,
    MadeUpPipelines,
    PipelineSource,
    resolved,
    storages,
)
from manifest_runner.emulator.catalog.remembered_names import Known, Memory
from manifest_runner.emulator.protocol.identifiers import derive
from manifest_runner.emulator.store.database import known_projects

_NO_CATALOG = Catalog(catalog=1)


class World:
    """Projects, pipelines, storages and data. ``only`` are the ids of the only projects, if there are any."""

    def __init__(self, catalog: Catalog, connection: sqlite3.Connection, only: Sequence[str]) -> None:
        self.catalog = catalog
        self._connection = connection
        self._memory = Memory(connection)
        self._only = tuple(only)
        self._listed = _projects(catalog)
        self.pipelines: PipelineSource = MadeUpPipelines(self._memory)
        self.data: DataSource = MadeUpData(self._memory)
        self.storages: tuple[Storage, ...] = tuple(storages(catalog.storages))
        self._fill(catalog)

    def _fill(self, catalog: Catalog) -> None:
        ids = {name: each.id for each in self._listed for name in (each.name, each.id)}
        if catalog.pipelines is not None:
            self.pipelines = CatalogPipelines(resolved(catalog.pipelines, ids))
        if catalog.data is not None:
            from manifest_runner.emulator.catalog.project_data import lay_out

            self.data = CatalogData(lay_out(catalog.data, ids, self._listed[0].id if self._listed else ""))

    def knows(self, project: str) -> bool:
        """Whether there is such a project: any id is one, unless the options or the catalog name them."""
        known = (*self._only, *(each.id for each in self._listed))
        return not known or project in known

    def project(self, project_id: str) -> Project:
        """A project, which is known, with its name."""
        listed = next((each for each in self._listed if each.id == project_id), None)
        if listed is not None:
            return listed
        known = self._memory.recall("project", project_id)
        return self._made_up(project_id, known.name if known else f"project-{project_id[:8]}")

    def projects(self) -> list[Project]:
        """The listed projects: those of the catalog and the options, or else those that have batches."""
        only = sorted(self._only) or ([] if self._listed else known_projects(self._connection))
        listed = {each.id for each in self._listed}
        return [*self._listed, *(self.project(each) for each in only if each not in listed)]

    def search_projects(self, text: str) -> list[Project]:
        """The projects whose name or id contains the text; of made-up ones, the one with this name."""
        found = [each for each in self.projects() if text.lower() in each.name.lower() or text == each.id]
        if self._listed or self._only or any(each.name == text for each in found):
            return found
        made_up = self._made_up(derive("project", text), text)
        self._memory.remember("project", [Known(made_up.id, "", text)])
        return [*found, made_up]

    def storage(self, name: str) -> Storage:
        """The storage of this name, or the first one."""
        return next((each for each in self.storages if each.name == name), self.storages[0])

    def _made_up(self, project_id: str, name: str) -> Project:
        return Project(id=project_id, name=name, region=self.catalog.region)


def open_world(path: Path | None, connection: sqlite3.Connection, only: Iterable[str]) -> World:
    """The world of a catalog file, or without one. Raises CatalogError."""
    catalog = _NO_CATALOG
    if path is not None:
        # Imported here, since a start without a catalog does not need YAML.
        from manifest_runner.emulator.catalog.read import read_catalog

        catalog = read_catalog(path)
    return World(catalog, connection, tuple(only))


def _projects(catalog: Catalog) -> list[Project]:
    return [
        msgspec.structs.replace(each, id=each.id or derive("project", each.name), region=each.region or catalog.region)
        for each in catalog.projects or []
    ]
