"""Sources of pipelines: those of a catalog, or any that is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

import msgspec

from manifest_runner.emulator.catalog.format import Pipeline, Storage
from manifest_runner.emulator.catalog.remembered_names import Known, Memory
from manifest_runner.emulator.protocol.identifiers import UUID_PATTERN, derive

_URN = re.compile(rf"urn:ilmn:ica:pipeline:(?P<id>{UUID_PATTERN})(#.*)?", re.DOTALL)
_STORAGES = ("Small", "Medium", "Large", "XLarge", "2XLarge", "3XLarge")


class PipelineQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The conditions of a search for pipelines; an empty text is not a condition."""

    ids: tuple[str, ...] = ()
    equals: str = ""
    contains: str = ""
    starts_with: str = ""
    version: str = ""
    statuses: frozenset[str] = frozenset()
    language: str = ""


class PipelineSource(Protocol):
    """Finds the pipelines of a project."""

    def all(self, project: str) -> list[Pipeline]:
        """Every pipeline of the project."""

    def find(self, project: str, pipeline_id: str) -> Pipeline | None:
        """The one with this id or URN."""

    def search(self, project: str, query: PipelineQuery) -> list[Pipeline]:
        """The pipelines that match a query."""


class CatalogPipelines:
    """The pipelines of a catalog, with their ids; those without projects are in all projects."""

    def __init__(self, pipelines: Iterable[Pipeline]) -> None:
        self._pipelines = tuple(pipelines)

    def all(self, project: str) -> list[Pipeline]:
        """Every pipeline of the project."""
        return [each for each in self._pipelines if not each.projects or project in each.projects]

    def find(self, project: str, pipeline_id: str) -> Pipeline | None:
        """The one with this id or URN."""
        wanted = uuid_of(pipeline_id).lower()
        return next((each for each in self.all(project) if each.id.lower() == wanted), None)

    def search(self, project: str, query: PipelineQuery) -> list[Pipeline]:
        """The pipelines that match a query."""
        return [each for each in self.all(project) if _meets(each, query)]


class MadeUpPipelines:
    """Every code and id is a pipeline once somebody asks for it. Lists are empty, and pipelines declare nothing."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def all(self, project: str) -> list[Pipeline]:  # noqa: ARG002
        """An empty list, since there is no end of them."""
        return []

    def find(self, project: str, pipeline_id: str) -> Pipeline | None:  # noqa: ARG002
        """The one with this id or URN."""
        wanted = uuid_of(pipeline_id)
        known = self._memory.recall("pipeline", wanted)
        code = known.name if known else f"pipeline-{wanted[:200]}"
        return _undeclared(wanted, code)

    def search(self, project: str, query: PipelineQuery) -> list[Pipeline]:
        """The pipelines whose name or id was given in full."""
        named = [query.equals] if query.equals else []
        found = [_undeclared(derive("pipeline", code), code) for code in named]
        self._memory.remember("pipeline", [Known(each.id, "", each.code) for each in found])
        by_id = [pipeline for each in query.ids if (pipeline := self.find(project, each))]
        return [each for each in found or by_id if _meets(each, query)]


def resolved(pipelines: Iterable[Pipeline], project_ids: dict[str, str]) -> list[Pipeline]:
    """The pipelines of a catalog file, with ids and defaults filled in; codes that occur twice get two ids."""
    seen: dict[str, int] = {}
    done = []
    for each in pipelines:
        seen[each.code] = count = seen.get(each.code, 0) + 1
        names = [each.code] if count == 1 else [each.code, str(count)]
        done.append(
            msgspec.structs.replace(
                each,
                id=each.id or derive("pipeline", *names),
                name=each.name or each.code,
                storage=each.storage or _STORAGES[0],
                projects=[project_ids[name] for name in each.projects],
            )
        )
    return done


def storages(given: Iterable[str | Storage] | None) -> list[Storage]:
    """The storages of a catalog file with their ids, or the usual ones."""
    named = [Storage(name=each) if isinstance(each, str) else each for each in given or _STORAGES]
    return [msgspec.structs.replace(each, id=each.id or derive("storage", each.name)) for each in named]


def uuid_of(reference: str) -> str:
    """The UUID of a pipeline given by its UUID or URN; for any other URN, a UUID made from it."""
    if re.fullmatch(UUID_PATTERN, reference):
        return reference
    match = _URN.fullmatch(reference)
    return match["id"] if match else derive("pipeline", reference)


def _meets(pipeline: Pipeline, query: PipelineQuery) -> bool:
    return (
        (not query.ids or pipeline.id in query.ids)
        and query.equals in ("", pipeline.name)
        and query.contains.lower() in pipeline.name.lower()
        and pipeline.name.lower().startswith(query.starts_with.lower())
        and query.version in ("", pipeline.version)
        and (not query.statuses or pipeline.status in query.statuses)
        and query.language.lower() in ("", pipeline.language)
    )


def _undeclared(pipeline_id: str, code: str) -> Pipeline:
    return Pipeline(id=pipeline_id, code=code, name=code, language="unknown", storage=_STORAGES[0])
