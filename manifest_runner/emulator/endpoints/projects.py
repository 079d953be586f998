"""The endpoints of projects, their storages, and the system itself."""

from __future__ import annotations

from starlette.responses import Response

from manifest_runner.emulator.api import Api, Call
from manifest_runner.emulator.protocol.media import V4
from manifest_runner.emulator.protocol.paging import envelope, one_page
from manifest_runner.emulator.views.catalog import project_view, storage_view


async def list_projects(api: Api, call: Call) -> Response:
    """GET projects: all, or those that a search finds; hidden ones only on request."""
    query = call.request.query_params
    text = query.get("search", "") if not api.options.oddities.ignore_filters else ""
    found = api.world.search_projects(text) if text else api.world.projects()
    if query.get("includeHiddenProjects", "false").lower() != "true":
        found = [each for each in found if not each.hidden]
    listing = one_page(found, api.page(call))
    return call.answer(envelope(listing, [project_view(each) for each in listing.rows]))


async def get_project(api: Api, call: Call) -> Response:
    """GET one project."""
    return call.answer(project_view(api.world.project(call.project)))


async def list_storages(api: Api, call: Call) -> Response:
    """GET analysisStorages of a project; not paged."""
    newer = call.media == V4
    return call.answer({"items": [storage_view(each, newer=newer) for each in api.world.storages]})


async def get_system_info(api: Api, call: Call) -> Response:  # noqa: ARG001
    """GET system/info."""
    return call.answer({"name": "manifest-runner emulator", "version": "2.41.0"})
