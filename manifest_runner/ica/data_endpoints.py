"""Requests about files and folders, as values. Pure.

Paths are put into the query here and not passed as parameters, so that ``/`` is not escaped: that is legal in a query,
and a URL of the same length holds a tenth more paths.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

import orjson

from manifest_runner.ica.endpoints import Call, segment

# How long a URL may be is documented nowhere; gateways commonly stop at 8,000 bytes, some count the headers, too.
MAX_QUERY = 4000
PAGE_SIZE = 1000

EXACT = "filePathMatchMode=FULL_CASE_INSENSITIVE"
_PREFIX = "filePathMatchMode=STARTS_WITH_CASE_INSENSITIVE"


def list_data(project: str | None = None, **filters: Sequence[str]) -> Call:
    """List data of a project (None: the client's own), in pages. Several values of one filter are alternatives.

    A server may ignore a filter that it does not know: check every row.
    """
    params = tuple((name, value) for name, values in filters.items() for value in values)
    return Call("GET", f"{project_path(project)}/data", params=params)


def create_download_urls(data_ids: Iterable[str], project: str | None) -> Call:
    """Ask for a signed URL of each of these files; folders have none."""
    return Call("POST", f"{project_path(project)}/data:createDownloadUrls", body=orjson.dumps({"dataIds": [*data_ids]}))


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


def query_bytes(name: str, value: str) -> int:
    """The number of bytes that one value of a filter adds to a URL."""
    return len(name) + 2 + len(_quoted(value))


def chunked(values: Iterable[str], name: str, budget: int = MAX_QUERY) -> Iterator[list[str]]:
    """Values of the filter ``name``, as many in each list as ``budget`` bytes of a URL hold, and at least one."""
    chunk: list[str] = []
    left = budget
    for value in values:
        size = query_bytes(name, value)
        if chunk and size > left:
            yield chunk
            chunk, left = [], budget
        chunk.append(value)
        left -= size
    if chunk:
        yield chunk


def project_path(project: str | None) -> str:
    """The prefix of a project's paths; it is empty for the client's own project, whose paths are relative."""
    return "" if project is None else f"/api/projects/{segment(project)}"


def _list_data(project: str | None, query: Sequence[str]) -> Call:
    return Call("GET", f"{project_path(project)}/data?{'&'.join([*query, f'pageSize={PAGE_SIZE}'])}")


def _quoted(text: str) -> str:
    return quote(text, safe="/")
