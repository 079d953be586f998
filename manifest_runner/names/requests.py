"""What requests use: the pipelines and the data in rendered requests that have ids already. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson


class Used:
    """The ids of pipelines and of data that requests use, gathered as they go by."""

    def __init__(self) -> None:
        self.pipelines: set[str] = set()
        self.data: set[str] = set()

    def add(self, body: bytes) -> dict[str, Any]:
        """One request as JSON; returns it as a value."""
        request: dict[str, Any] = orjson.loads(body)
        self.pipelines.add(request["pipelineId"])
        self.data.update(_data_ids(request))
        return request


def _data_ids(request: dict[str, Any]) -> Iterator[str]:
    given = request.get("analysisInput") or {}
    for each in (given, *(given.get("inputs") or ())):
        yield from each.get("dataIds") or ()
        yield from (mount["dataId"] for mount in each.get("mounts") or ())
    form = request.get("inputFormValues") or {}
    yield from _form_data(form.get("fields") or ())
    for group in form.get("groups") or ():
        for row in group.get("values") or ():
            yield from _form_data(row.get("values") or ())
    if parent := request.get("outputParentFolderId"):
        yield parent
    if folder := (request.get("logs") or {}).get("logsFolderId"):
        yield folder


def _form_data(fields: Iterable[dict[str, Any]]) -> Iterator[str]:
    for each in fields:
        yield from (value["dataId"] for value in each.get("dataValues") or ())
