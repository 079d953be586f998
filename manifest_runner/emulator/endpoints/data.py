"""The endpoints of data: lists, single files and folders, and URLs to download files from."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
from starlette.responses import Response

from manifest_runner.emulator.api import Api, Call
from manifest_runner.emulator.catalog.data_rows import DataRow
from manifest_runner.emulator.catalog.query import DataQuery, format_of
from manifest_runner.emulator.endpoints.data_query import read_data_query
from manifest_runner.emulator.outcomes.admission import data_id_of
from manifest_runner.emulator.protocol.media import V3, V4, require_body_type
from manifest_runner.emulator.protocol.paging import Page, envelope, one_page
from manifest_runner.emulator.protocol.problems import Problem
from manifest_runner.emulator.protocol.wire_rules import read_data_to_download
from manifest_runner.emulator.views.data import data_view, project_data_view, urn_of

_SORTS = {
    "timeCreated": lambda row: row.created,
    "timeModified": lambda row: row.created,
    "name": lambda row: row.name,
    "path": lambda row: row.path,
    "fileSizeInBytes": lambda row: row.size,
    "status": lambda row: row.status,
    "format": format_of,
    "dataType": lambda row: row.is_folder,
    "willBeArchivedAt": lambda row: row.will_be_archived_at or "",
    "willBeDeletedAt": lambda row: row.will_be_deleted_at or "",
}


async def list_data(api: Api, call: Call) -> Response:
    """GET data of a project, by any filter of the specification; unknown ones are ignored."""
    query = read_data_query(call.request.query_params, exact_slashes=api.options.oddities.exact_slashes)
    if api.options.oddities.ignore_filters:
        query = DataQuery()
    return _answer(api, call, api.find_data(call.project, query, call.now))


async def list_children(api: Api, call: Call) -> Response:
    """GET children of a folder: paged in version 4, all at once in version 3."""
    folder = _row(api, call)
    given = read_data_query(call.request.query_params, exact_slashes=False)
    query = DataQuery(
        parent_ids=(folder.id,), ids=given.ids, names=given.names, statuses=given.statuses, formats=given.formats,
        kind=given.kind,
    )  # fmt: skip
    rows = api.find_data(call.project, query, call.now)
    if call.media == V4:
        return _answer(api, call, rows)
    return call.answer({"items": [data_view(row, api.world.project(row.owner or call.project)) for row in rows]})


async def get_data(api: Api, call: Call) -> Response:
    """GET one file or folder."""
    row = _row(api, call)
    return call.answer(project_data_view(row, call.project, api.world.project(row.owner or call.project)))


async def get_data_by_urn(api: Api, call: Call) -> Response:
    """GET data of any project by its URN."""
    urn = str(call.request.path_params["dataUrn"])
    data_id = data_id_of(urn)
    for project in api.world.projects() if data_id != urn else ():
        if row := api.find_by_id(project.id, data_id):
            return call.answer(data_view(row, api.world.project(row.owner or project.id)))
    raise Problem(404, f"There is no data {urn}.")


async def create_download_url(api: Api, call: Call) -> Response:
    """POST data/ID:createDownloadUrl, without a body; only for files."""
    return call.answer({"url": _url(api, call, _row(api, call))})


async def create_download_urls(api: Api, call: Call) -> Response:
    """POST data:createDownloadUrls: for ids and full paths; refused if any does not exist."""
    require_body_type(call.request, (V3,))
    wanted = read_data_to_download(await call.request.body())
    return call.answer({"items": [_download(api, call, row) for row in _wanted(api, call, wanted)]})


def _download(api: Api, call: Call, row: DataRow) -> dict[str, str]:
    urn = urn_of(row, api.world.project(row.owner or call.project))
    return {"dataId": row.id, "dataUrn": urn, "dataPath": row.path, "url": _url(api, call, row)}


def _wanted(api: Api, call: Call, wanted: dict[str, list[str]]) -> Iterator[DataRow]:
    queries = {each: DataQuery(ids=(each,)) for each in wanted.get("dataIds", ())}
    queries |= {
        each: DataQuery(paths=(each.lower(),), spelled_paths=(each,), by_prefix=False)
        for each in wanted.get("dataPaths", ())
    }
    for name, query in queries.items():
        rows = api.find_data(call.project, query, call.now)
        if not rows:
            raise Problem(404, f"The project has no data {name}.")
        yield rows[0]


def _row(api: Api, call: Call) -> DataRow:
    wanted = str(call.request.path_params["data"])
    row = api.find_by_id(call.project, wanted)
    if row is None:
        raise Problem(404, f"The project has no data {wanted}.")
    return row


def _url(api: Api, call: Call, row: DataRow) -> str:
    if row.is_folder:
        raise Problem(400, f"{row.path} is a folder; only files can be downloaded.")
    if row.status != "AVAILABLE":
        raise Problem(409, f"{row.path} is {row.status} and cannot be downloaded.")
    return api.signer.url(call.project, row, call.now)


def _answer(api: Api, call: Call, rows: list[DataRow]) -> Response:
    page = api.page(call)
    listing = one_page(_sorted(rows, page), page)
    projects = {owner: api.world.project(owner or call.project) for owner in {row.owner for row in listing.rows}}
    views = [project_data_view(row, call.project, projects[row.owner]) for row in listing.rows]
    return Response(orjson.dumps(envelope(listing, views)), media_type=call.media)


def _sorted(rows: list[DataRow], page: Page) -> list[DataRow]:
    for term in reversed(page.sort.split(",") if page.sort else []):
        name, *direction = term.split() or [""]
        if name not in _SORTS or direction not in ([], ["asc"], ["desc"]):
            message = f"{term.strip()!r} is not one of {', '.join(_SORTS)}, with ' asc' or ' desc' after it"
            raise Problem(400, f"sort: {message}.", parameters={"sort": message})
        rows = sorted(rows, key=_SORTS[name], reverse=direction == ["desc"])
    return rows
