"""The list of projects: as much of it as a client needs to get to work."""

from __future__ import annotations

from starlette.responses import Response

from manifest_runner.emulator.api import Api, Call
from manifest_runner.emulator.protocol.paging import Listing, envelope, read_page
from manifest_runner.emulator.store.database import known_projects
from manifest_runner.emulator.views.analyses import project_view


async def list_projects(api: Api, call: Call) -> Response:
    """GET projects: those of the options, or those that have batches. Paged by offset only."""
    page = read_page(call.request.query_params)
    start = page.offset or 0
    projects = sorted(api.options.projects) or known_projects(api.connection)
    listing = Listing(projects[start : start + page.size], len(projects), None, None)
    return call.answer(envelope(listing, [project_view(project) for project in listing.rows]))
