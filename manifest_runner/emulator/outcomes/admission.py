"""Refuse to create an analysis whose request names something that is not in the catalog."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from manifest_runner.emulator.catalog.data_rows import DataRow
from manifest_runner.emulator.catalog.format import Pipeline
from manifest_runner.emulator.catalog.world import World

_URN = re.compile(r"urn:ilmn:ica:region:[^:]+:data:(?P<id>[^:#]+)(#.*)?", re.DOTALL)
FindData = Callable[[str, str], DataRow | None]


class Admission:
    """Checks requests against the sections of a catalog. ``find`` returns data by its id."""

    def __init__(self, world: World, find: FindData) -> None:
        self._world = world
        self._find = find

    def problem(self, project: str, request: dict[str, Any]) -> str:
        """The reason for refusing a request, or an empty text."""
        reasons: list[str] = []
        if self._world.catalog.pipelines is not None:
            pipeline = self._world.pipelines.find(project, request["pipelineId"])
            reasons += _pipeline_reasons(pipeline, request)
        if self._world.catalog.data is not None:
            reasons += self._data_reasons(project, request)
        return " ".join(reasons)

    def path(self, project: str, folder: str | None) -> str | None:
        """The path of a folder that a request gives by its id or URN."""
        row = self._find(project, data_id_of(folder)) if folder else None
        return row.path if row else None

    def _data_reasons(self, project: str, request: dict[str, Any]) -> Iterator[str]:
        for code, data_id in _named_data(request):
            row = self._find(project, data_id_of(data_id))
            if row is None:
                yield f"Data {data_id} for parameter {code} was not found."
            elif row.status != "AVAILABLE":
                status = row.status.capitalize()
                yield f"Data found for parameter {code}, but status is {status} instead of Available."


def data_id_of(reference: str) -> str:
    """The id of data that is given by its id or URN."""
    match = _URN.fullmatch(reference)
    return match["id"] if match else reference


def _pipeline_reasons(pipeline: Pipeline | None, request: dict[str, Any]) -> Iterator[str]:
    if pipeline is None:
        yield f"Pipeline {request['pipelineId']} was not found."
        return
    if pipeline.status == "Archived":
        yield f"Pipeline {pipeline.code} is archived."
    given = request.get("analysisInput") or {}
    if not (pipeline.inputs or pipeline.parameters) or "inputJson" in given or "analysisInput" not in request:
        return
    inputs = {each["parameterCode"] for each in given.get("inputs") or ()}
    parameters = {each.get("code") for each in given.get("parameters") or () if each}
    yield from _code_reasons("input", inputs, {each.code: each.required for each in pipeline.inputs})
    declared = {each.code: each.required and each.default is None for each in pipeline.parameters}
    yield from _code_reasons("parameter", parameters, declared)


def _code_reasons(kind: str, given: set[Any], declared: dict[str, bool]) -> Iterator[str]:
    yield from (f"There is no {kind} {code}." for code in sorted(given - declared.keys()))
    yield from (
        f"The {kind} {code} is required." for code, required in declared.items() if required and code not in given
    )


def _named_data(request: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each data id with the code that it is given for."""
    given = request.get("analysisInput") or {}
    for each in given.get("inputs") or ():
        yield from ((each["parameterCode"], data_id) for data_id in each.get("dataIds") or ())
    yield from (("inputJson", data_id) for data_id in given.get("dataIds") or ())
    form = request.get("inputFormValues") or {}
    groups = (values for group in form.get("groups") or () for values in group.get("values") or ())
    fields = [*(form.get("fields") or ()), *(field for values in groups for field in values.get("values") or ())]
    for field in fields:
        yield from ((field["id"], value["dataId"]) for value in field.get("dataValues") or () if value)
