"""The endpoints for pipelines and their declarations."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import Response

from manifest_runner.emulator.api import Api, Call
from manifest_runner.emulator.catalog.format import Pipeline
from manifest_runner.emulator.catalog.pipelines import PipelineQuery
from manifest_runner.emulator.protocol.identifiers import derive
from manifest_runner.emulator.protocol.media import JSON, V3, V4, require_body_type
from manifest_runner.emulator.protocol.paging import envelope, one_page
from manifest_runner.emulator.protocol.problems import Problem
from manifest_runner.emulator.protocol.wire_rules import read_pipeline_query
from manifest_runner.emulator.views.catalog import (
    input_views,
    parameter_views,
    pipeline_view,
    project_pipeline_view,
    reference_set_view,
)


async def list_pipelines(api: Api, call: Call) -> Response:
    """GET pipelines of a project: all at once."""
    _require_permission(api)
    return call.answer({"items": [_view(api, call, each) for each in api.world.pipelines.all(call.project)]})


async def search_pipelines(api: Api, call: Call) -> Response:
    """POST pipelines:search: version 4 pipelines under the media type of version 3, as in the API."""
    _require_permission(api)
    if api.options.oddities.no_pipeline_search:
        raise Problem(404, f"There is nothing at {call.request.url.path}.")
    require_body_type(call.request, (V3, JSON))
    query = _query(read_pipeline_query(await call.request.body()))
    if api.options.oddities.ignore_filters:
        query = PipelineQuery()
    listing = one_page(api.world.pipelines.search(call.project, query), api.page(call))
    views = [pipeline_view(each, api.world.storage(each.storage), newer=True) for each in listing.rows]
    return call.answer(envelope(listing, views))


async def get_pipeline(api: Api, call: Call) -> Response:
    """GET one pipeline."""
    return call.answer(_view(api, call, _pipeline(api, call)))


async def list_inputs(api: Api, call: Call) -> Response:
    """GET inputParameters."""
    return call.answer({"items": input_views(_pipeline(api, call))})


async def list_parameters(api: Api, call: Call) -> Response:
    """GET configurationParameters."""
    return call.answer({"items": parameter_views(_pipeline(api, call))})


async def list_reference_sets(api: Api, call: Call) -> Response:
    """GET referenceSets."""
    return call.answer({"items": [reference_set_view(each) for each in _pipeline(api, call).reference_sets]})


async def get_input_form(api: Api, call: Call) -> Response:
    """GET inputForm/inputFormFile: the form of a pipeline that takes JSON."""
    pipeline = _pipeline(api, call)
    if pipeline.form is None:
        raise Problem(404, f"The pipeline {pipeline.code} has no JSON input form.")
    return Response(orjson.dumps(pipeline.form), media_type=call.media)


async def list_files(api: Api, call: Call) -> Response:
    """GET files of a pipeline: ids and names."""
    pipeline = _pipeline(api, call)
    return call.answer({"items": [{"id": _file_id(pipeline, name), "name": name} for name in pipeline.files]})


async def get_file(api: Api, call: Call) -> Response:
    """GET the content of a file of a pipeline; nobody may read those of a proprietary one."""
    pipeline = _pipeline(api, call)
    if pipeline.proprietary:
        raise Problem(403, f"The pipeline {pipeline.code} is proprietary.")
    for name, text in pipeline.files.items():
        if _file_id(pipeline, name) == call.path("file"):
            return Response(text, media_type=call.media)
    raise Problem(404, f"The pipeline {pipeline.code} has no file {call.path('file')}.")


def _pipeline(api: Api, call: Call) -> Pipeline:
    _require_permission(api)
    pipeline = api.world.pipelines.find(call.project, call.path("pipeline"))
    if pipeline is None:
        raise Problem(404, f"The project has no pipeline {call.path('pipeline')}.")
    return pipeline


def _require_permission(api: Api) -> None:
    if api.options.oddities.forbid_pipelines:
        raise Problem(403, "You are not allowed to see the pipelines of this project.")


def _view(api: Api, call: Call, pipeline: Pipeline) -> dict[str, Any]:
    storage = api.world.storage(pipeline.storage)
    return project_pipeline_view(pipeline, storage, call.project, newer=call.media == V4)


def _file_id(pipeline: Pipeline, name: str) -> str:
    return derive("pipeline file", pipeline.id, name)


def _query(body: dict[str, Any]) -> PipelineQuery:
    name, version = body.get("name") or {}, body.get("version") or {}
    return PipelineQuery(
        ids=tuple(each.lower() for each in body.get("ids") or ()),
        equals=name.get("equals", ""),
        contains=name.get("contains", ""),
        starts_with=name.get("startsWith", ""),
        version=version.get("equals", ""),
        statuses=frozenset(body.get("statuses") or ()),
        language=body.get("pipelineLanguage") or "",
    )
