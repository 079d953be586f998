"""Every place of a request where the API wants the id of data. Pure.

Requests share what no row changes, so nothing is changed in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from manifest_runner.model import DataPath

Request = dict[str, Any]
# Returns the replacement of a text at a path.
Replace = Callable[[str, DataPath], str]

_FOLDERS = frozenset({"outputParentFolderId", "logsFolderId"})


def data_in(value: Any, path: DataPath = ()) -> Iterator[tuple[str, DataPath, bool]]:
    """Every text where data belongs, in a request of any shape, and whether only a folder belongs there."""
    for step, each in value.items() if isinstance(value, dict) else enumerate(value):
        at = (*path, step)
        if isinstance(each, str):
            if step == "dataId" or step in _FOLDERS or path[-1:] == ("dataIds",):
                yield each, at, step in _FOLDERS
        elif isinstance(each, (dict, list)):
            yield from data_in(each, at)


def with_data(request: Request, data: Replace, folder: Replace) -> Request:
    """A request with its data replaced; ``folder`` replaces data in places that only take a folder.

    The request must meet the API's rules: only then is everything where it belongs.
    """
    changed = dict(request)
    if (given := request.get("analysisInput")) is not None:
        changed["analysisInput"] = _with_input(given, data)
    if (form := request.get("inputFormValues")) is not None:
        changed["inputFormValues"] = _with_form(form, data)
    if (parent := request.get("outputParentFolderId")) is not None:
        changed["outputParentFolderId"] = folder(parent, ("outputParentFolderId",))
    if (logs := request.get("logs")) and logs.get("logsFolderId") is not None:
        changed["logs"] = {**logs, "logsFolderId": folder(logs["logsFolderId"], ("logs", "logsFolderId"))}
    return request if changed == request else changed


def _with_input(given: Request, data: Replace) -> Request:
    """The input by codes, or of CWL the data beside the input JSON."""
    path: DataPath = ("analysisInput",)
    changed = _with_ids_and_mounts(given, path, data)
    if inputs := given.get("inputs"):
        listed = [_with_ids_and_mounts(each, (*path, "inputs", i), data) for i, each in enumerate(inputs)]
        changed["inputs"] = listed
    return changed


def _with_ids_and_mounts(given: Request, path: DataPath, data: Replace) -> Request:
    changed = dict(given)
    if ids := given.get("dataIds"):
        changed["dataIds"] = [data(each, (*path, "dataIds", i)) for i, each in enumerate(ids)]
    if mounts := given.get("mounts"):
        changed["mounts"] = _with_objects(mounts, (*path, "mounts"), data)
    return changed


def _with_objects(values: list[Request | None], path: DataPath, data: Replace) -> list[Request | None]:
    """Objects that each have a ``dataId``, or null, which the API allows among them."""
    return [each and {**each, "dataId": data(each["dataId"], (*path, i, "dataId"))} for i, each in enumerate(values)]


def _with_form(form: Request, data: Replace) -> Request:
    path: DataPath = ("inputFormValues",)
    changed = dict(form)
    if fields := form.get("fields"):
        changed["fields"] = _with_fields(fields, (*path, "fields"), data)
    if groups := form.get("groups"):
        changed["groups"] = [_with_group(each, (*path, "groups", i), data) for i, each in enumerate(groups)]
    return changed


def _with_group(group: Request, path: DataPath, data: Replace) -> Request:
    rows = [
        {**row, "values": _with_fields(row.get("values") or [], (*path, "values", i, "values"), data)}
        for i, row in enumerate(group.get("values") or ())
    ]
    return {**group, "values": rows} if rows else group


def _with_fields(fields: list[Request], path: DataPath, data: Replace) -> list[Request]:
    return [
        {**each, "dataValues": _with_objects(each["dataValues"], (*path, i, "dataValues"), data)}
        if each.get("dataValues")
        else each
        for i, each in enumerate(fields)
    ]
