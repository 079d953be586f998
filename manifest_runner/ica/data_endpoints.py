"""Requests about files and folders, as values. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import quote

import orjson

from manifest_runner.ica.endpoints import Call, segment

# How long a URL may be is documented nowhere; gateways commonly stop at 8,000 bytes, some count the headers, too.
MAX_QUERY = 4000


def list_data(project: str | None = None, **filters: Sequence[str]) -> Call:
    """List data of a project (None: the client's own), in pages. Several values of one filter are alternatives.

    A server may ignore a filter that it does not know: check every row.
    """
    params = tuple((name, value) for name, values in filters.items() for value in values)
    return Call("GET", f"{project_path(project)}/data", params=params)


def create_download_urls(data_ids: Iterable[str], project: str | None = None) -> Call:
    """Ask for a signed URL of each of these files; folders have none."""
    return Call("POST", f"{project_path(project)}/data:createDownloadUrls", body=orjson.dumps({"dataIds": [*data_ids]}))


def chunked(values: Iterable[str], name: str) -> Iterable[list[str]]:
    """Values of the filter ``name``, as many in each list as a URL may hold."""
    chunk: list[str] = []
    length = 0
    for value in values:
        size = len(name) + 2 + len(quote(value, safe=""))
        if chunk and length + size > MAX_QUERY:
            yield chunk
            chunk, length = [], 0
        chunk.append(value)
        length += size
    if chunk:
        yield chunk


def project_path(project: str | None) -> str:
    """Where a project's own paths begin; those of the client's project are relative."""
    return "" if project is None else f"/api/projects/{segment(project)}"
