"""The endpoints of analyses, which exist from the moment their item is created."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.responses import Response

from manifest_runner.emulator.api import Api, Call
from manifest_runner.emulator.catalog.pipelines import PipelineQuery
from manifest_runner.emulator.outcomes.analysis_data import state_of
from manifest_runner.emulator.protocol.media import JSON, V3, V4, require_body_type
from manifest_runner.emulator.protocol.paging import envelope
from manifest_runner.emulator.protocol.problems import Problem
from manifest_runner.emulator.protocol.wire_rules import ANALYSIS_STATUSES, read_query
from manifest_runner.emulator.store.database import add_abort
from manifest_runner.emulator.store.item_queries import Filter, ItemRow, find_item, list_items
from manifest_runner.emulator.store.timetable import FINAL_STATUSES
from manifest_runner.emulator.views.analyses import status_in_version_3

_TAG_COLUMNS = {
    "technicalTags": "i.technical_tags",
    "userTags": "i.user_tags",
    "referenceTags": "i.reference_tags",
}
_TAG_PARAMETERS = {"technicaltag": "technicalTags", "usertag": "userTags", "referencetag": "referenceTags"}


async def search_analyses(api: Api, call: Call) -> Response:
    """POST analysis:search: version 4 analyses under the media type of version 3, as in the API."""
    body = await call.request.body()
    if body:
        require_body_type(call.request, (V3, JSON))
    query = read_query(body)
    filters = _filters(api, call, query.get("reference"), query.get("userReference"))
    if statuses := [status for status in query.get("status", ()) if status is not None]:
        filters.analysis_status(statuses)
    for field, column in _TAG_COLUMNS.items():
        _with_tags(filters, column, query.get(field) or ())
    _of_pipelines(api, call, filters, query)
    if samples := query.get("sampleIds"):
        filters.sample(samples)
    return _page(api, call, filters, V4)


async def list_analyses(api: Api, call: Call) -> Response:
    """GET analyses: the same in version 3, with filters in the query string."""
    query = call.request.query_params
    filters = _filters(api, call, query.get("reference"), query.get("userreference"))
    if status := query.get("status"):
        filters.analysis_status(_version_4_statuses(status))
    for parameter, field in _TAG_PARAMETERS.items():
        _with_tags(filters, _TAG_COLUMNS[field], query.getlist(parameter))
    return _page(api, call, filters, V3)


async def get_analysis(api: Api, call: Call) -> Response:
    """GET one analysis; its ETag changes with its status."""
    row = find_analysis(api, call)
    state = state_of(row, call.now)
    view = api.views.analysis(row, call.now, call.media)
    return call.answer(view, ETag=f'"{state.modified * 1000:.0f}"')


async def abort_analysis(api: Api, call: Call) -> Response:
    """POST analyses/ID:abort: the status follows later. An analysis that has ended is refused (400)."""
    row = find_analysis(api, call)
    state = state_of(row, call.now)
    if state.status in FINAL_STATUSES:
        raise Problem(400, f"The analysis has ended ({state.status}) and cannot be aborted.")
    add_abort(api.connection, row.analysis, call.now)
    return Response(status_code=204)


def _filters(api: Api, call: Call, reference: str | None, user_reference: str | None) -> Filter:
    filters = Filter(call.now, call.project).created(api.options.search_lag)
    if reference is not None:
        filters.reference(reference)
    if user_reference is not None:
        filters.equal("i.user_reference", user_reference)
    return filters


def _of_pipelines(api: Api, call: Call, filters: Filter, query: Mapping[str, Any]) -> None:
    """Keep analyses of one of the pipelines with these ids, and of one with these names."""
    if ids := query.get("pipelineUUIDs"):
        filters.pipeline([each.lower() for each in ids])
    if names := query.get("pipelineNames"):
        searches = [PipelineQuery(equals=name) for name in names]
        filters.pipeline([each.id for search in searches for each in api.world.pipelines.search(call.project, search)])


def _with_tags(filters: Filter, column: str, tags: Iterable[str | None]) -> None:
    """Keep analyses with every tag that is asked for; the API does not document its rule."""
    for tag in tags:
        if tag is not None:
            filters.tag(column, tag)


def _version_4_statuses(status: str) -> list[str]:
    statuses = [name for name in ANALYSIS_STATUSES if status in (name, status_in_version_3(name))]
    if not statuses:
        message = f"{status!r} is not a status of an analysis"
        raise Problem(400, f"{message}.", parameters={"status": message})
    return statuses


def _page(api: Api, call: Call, filters: Filter, version: str) -> Response:
    listing = list_items(api.connection, filters, api.page(call))
    views = [api.views.analysis(row, call.now, version) for row in listing.rows]
    return call.answer(envelope(listing, views))


def find_analysis(api: Api, call: Call) -> ItemRow:
    """The analysis in the path. Raises Problem 404."""
    analysis = call.path("analysis")
    filters = Filter(call.now, call.project).created().equal("i.analysis", analysis)
    row = find_item(api.connection, filters)
    if row is None:
        raise Problem(404, f"The project has no analysis {analysis}.")
    return row
