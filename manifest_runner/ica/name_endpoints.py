"""Requests by which names are looked up: data by path, pipelines, storages and projects. Pure.

Paths are put into the query here and not as parameters, so that ``/`` stays as it is: that is legal in a query, and a
URL of the same length holds a tenth more paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import orjson

from manifest_runner.ica.data_endpoints import project_path
from manifest_runner.ica.endpoints import V4, Call, segment

OCTETS = "application/octet-stream"
PAGE_SIZE = 1000

EXACT = "filePathMatchMode=FULL_CASE_INSENSITIVE"
_PREFIX = "filePathMatchMode=STARTS_WITH_CASE_INSENSITIVE"


def query_bytes(name: str, value: str) -> int:
    """How much one value of a filter adds to a URL."""
    return len(name) + 2 + len(_quoted(value))


def data_at(paths: Sequence[str], project: str | None) -> Call:
    """Data at exactly these paths; the server ignores case."""
    return _list_data(project, [*(f"filePath={_quoted(path)}" for path in paths), EXACT])


def data_in_folder(folder: str, project: str | None, names: Sequence[str] = ()) -> Call:
    """Data one level below a folder, whose path starts and ends with a slash; only those with these names, if any."""
    filters = [f"filename={_quoted(name)}" for name in names] + (["filenameMatchMode=EXACT"] if names else [])
    return _list_data(project, [f"parentFolderPath={_quoted(folder)}", *filters])


def files_below(prefix: str, project: str | None) -> Call:
    """Files at any depth below a folder, whose path ends with a slash."""
    return _list_data(project, [f"filePath={_quoted(prefix)}", _PREFIX, "type=FILE"])


def data_with_ids(ids: Sequence[str], project: str | None) -> Call:
    """Data of a project by id."""
    return _list_data(project, [f"id={_quoted(each)}" for each in ids])


def all_data(project: str | None) -> Call:
    """All data of a project."""
    return _list_data(project, [])


def list_pipelines() -> Call:
    """All pipelines of the project, in one answer without pages."""
    return Call("GET", "/pipelines")


def search_pipelines(code: str) -> Call:
    """Pipelines of a name; servers before version 2.41 have no such call."""
    return Call("POST", "/pipelines:search", body=orjson.dumps({"name": {"equals": code}}))


def get_pipeline(pipeline_id: str) -> Call:
    """One pipeline; version 4 knows more of its status."""
    return Call("GET", f"/pipelines/{segment(pipeline_id)}", V4, f"pipeline {pipeline_id}")


def list_inputs(pipeline_id: str) -> Call:
    """The inputs that a pipeline declares."""
    return Call("GET", f"/pipelines/{segment(pipeline_id)}/inputParameters")


def list_parameters(pipeline_id: str) -> Call:
    """The parameters that a pipeline declares."""
    return Call("GET", f"/pipelines/{segment(pipeline_id)}/configurationParameters")


def get_form(pipeline_id: str) -> Call:
    """The file of a pipeline's input form."""
    return Call("GET", f"/pipelines/{segment(pipeline_id)}/inputForm/inputFormFile", OCTETS)


def list_storages() -> Call:
    """The storage sizes of the project; this list has no version 3."""
    return Call("GET", "/analysisStorages", V4)


def search_projects(name: str | None = None) -> Call:
    """Projects that the credential may see, in pages; ``name`` narrows them as the server sees fit."""
    params = (("includeHiddenProjects", "true"), *([("search", name)] if name else []))
    return Call("GET", "/api/projects", params=params)


def get_project(project: str) -> Call:
    """One project."""
    return Call("GET", f"/api/projects/{segment(project)}", wanted=f"project {project}")


def _list_data(project: str | None, query: Sequence[str]) -> Call:
    return Call("GET", f"{project_path(project)}/data?{'&'.join([*query, f'pageSize={PAGE_SIZE}'])}")


def _quoted(text: str) -> str:
    return quote(text, safe="/")
