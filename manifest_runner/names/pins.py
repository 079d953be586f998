"""Ids in place of names, in rendered requests: what happens to each item between its template and its digest.

A request comes in with names (``pipeline``, paths) and leaves with ids (``pipelineId``, ``fil.…``). Requests share
what no row changes, so nothing is changed in place. Most data are ids, or paths that are pinned: both take a look-up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from manifest_runner.model import Kind
from manifest_runner.names.model import Names
from manifest_runner.names.pipeline_check import PipelineCheck, RequestFault
from manifest_runner.names.references import (
    ID_STARTS,
    Name,
    NameKind,
    data_fault,
    is_data_name,
    is_uuid,
    pipeline_id_fault,
)
from manifest_runner.text import shown

Request = dict[str, Any]
Path_ = tuple[str | int, ...]

# The keys that hold a name, what the API calls the id in that place, and what kind of name it is.
NAME_KEYS: dict[str, tuple[str, NameKind]] = {
    "pipeline": ("pipelineId", "pipelines"),
    "analysisStorage": ("analysisStorageId", "storages"),
    "outputParentFolder": ("outputParentFolderId", "data"),
}
TARGET_PROJECT = "targetProject"
# Where the API wants a UUID and none is known yet, so that everything else can be checked.
NO_UUID = "00000000-0000-0000-0000-000000000000"

_Replace = Callable[[str, Path_], str]


class Placed(NamedTuple):
    """A request with ids. ``unresolved`` are the names in it that are still to be looked up."""

    request: Request
    unresolved: tuple[Name, ...] = ()
    faults: tuple[RequestFault, ...] = ()


class Pins:
    """What is known of the names of one manifest, ready to be put into its requests.

    ``failures`` are names that were looked up in vain, with the reason. Without ``check`` requests are not compared
    with what their pipelines declare.
    """

    def __init__(self, names: Names, failures: Mapping[Name, str] | None = None, *, check: bool = True) -> None:
        self.names = names
        self._failures = failures or {}
        self._data = {key: entry.id for key, entry in names.data.items()}
        by_id = {entry.id: (key, entry) for key, entry in names.pipelines.items()}
        self._checks = {id_: PipelineCheck(*entry) for id_, entry in by_id.items()} if check else {}

    # -- names beside ids, before the request is checked against the API's rules

    def named(self, request: Request) -> Request:
        """The request under the API's own keys. Names that are not known stay as they are, but where a UUID must be."""
        has_target = any(TARGET_PROJECT in each for each in request.get("analysisOutput") or () if type(each) is dict)
        if has_target:
            outputs = [self._named_output(each) for each in request["analysisOutput"]]
            request = {**request, "analysisOutput": outputs}
        if not any(key in request for key in NAME_KEYS):
            return request
        return dict(self._named_field(request, key, value) for key, value in request.items())

    def _named_field(self, request: Request, key: str, value: Any) -> tuple[str, Any]:
        if key not in NAME_KEYS or NAME_KEYS[key][0] in request:
            return key, value
        id_key, kind = NAME_KEYS[key]
        if kind == "data" or not isinstance(value, str):
            return id_key, value
        found = self.names.id_of(Name(kind, value))
        return id_key, found or (NO_UUID if kind == "storages" and not is_uuid(value) else value)

    def _named_output(self, output: Any) -> Any:
        if not isinstance(output, dict) or TARGET_PROJECT not in output or "targetProjectId" in output:
            return output
        return {
            ("targetProjectId" if key == TARGET_PROJECT else key): (
                self.names.projects.get(value, value) if key == TARGET_PROJECT and isinstance(value, str) else value
            )
            for key, value in output.items()
        }

    # -- ids of data, and whether all is known

    def placed(self, rendered: Request, request: Request, kind: Kind) -> Placed:
        """A request that meets the API's rules, with ids for paths. ``rendered`` is the same before `named`."""
        seen = _Seen()
        placed = self._placed_inputs(request, seen)
        placed = self._placed_rest(placed, seen)
        if rendered is not request:
            self._check_names(rendered, seen)
        if "pipeline" not in rendered and (words := pipeline_id_fault(request["pipelineId"])):
            seen.faults.append(RequestFault(("pipelineId",), "MR505", words))
        check = self._checks.get(request["pipelineId"])
        if check is not None:
            seen.faults.extend(check.faults(placed, kind))
        return Placed(placed, tuple(seen.unresolved), tuple(seen.faults))

    def _placed_inputs(self, request: Request, seen: _Seen) -> Request:
        """The hot path: the inputs of a pipeline that takes them by code."""
        given = request.get("analysisInput")
        if given is None or not (inputs := given.get("inputs")):
            return request
        placed = [self._placed_input(each, i, seen) for i, each in enumerate(inputs)]
        if all(one is other for one, other in zip(placed, inputs, strict=True)):
            return request
        return {**request, "analysisInput": {**given, "inputs": placed}}

    def _placed_input(self, given: Request, index: int, seen: _Seen) -> Request:
        if "mounts" not in given and (ids := given.get("dataIds")):
            known = self._data
            for each in ids:
                if each not in known and not (each[:4] in ID_STARTS and each[4:].isalnum()):
                    break
            else:
                if not any(each in known for each in ids):
                    return given
                return {**given, "dataIds": [known.get(each, each) for each in ids]}
        path: Path_ = ("analysisInput", "inputs", index)
        return self._with_data(given, path, lambda text, at: self._data_id(text, at, seen))

    def _placed_rest(self, request: Request, seen: _Seen) -> Request:
        def data(text: str, at: Path_) -> str:
            return self._data_id(text, at, seen)

        def folder(text: str, at: Path_) -> str:
            return self._data_id(text, at, seen, is_folder=True)

        given = request.get("analysisInput")
        if given is not None and ("dataIds" in given or "mounts" in given):
            request = {**request, "analysisInput": self._with_data(given, ("analysisInput",), data)}
        if (form := request.get("inputFormValues")) is not None:
            request = {**request, "inputFormValues": _with_form_data(form, data)}
        if (parent := request.get("outputParentFolderId")) is not None:
            request = {**request, "outputParentFolderId": folder(parent, ("outputParentFolderId",))}
        if (logs := request.get("logs")) and logs.get("logsFolderId") is not None:
            moved = folder(logs["logsFolderId"], ("logs", "logsFolderId"))
            request = {**request, "logs": {**logs, "logsFolderId": moved}}
        return request

    @staticmethod
    def _with_data(given: Request, path: Path_, replace: _Replace) -> Request:
        changed = dict(given)
        if given.get("dataIds"):
            changed["dataIds"] = [replace(each, (*path, "dataIds", i)) for i, each in enumerate(given["dataIds"])]
        if given.get("mounts"):
            changed["mounts"] = _with_data_ids(given["mounts"], (*path, "mounts"), replace)
        return changed

    def _data_id(self, text: str, at: Path_, seen: _Seen, *, is_folder: bool = False) -> str:
        found = self._data.get(text)
        if found is None:
            self._note_unknown_data(text, at, seen)
            found = text
        if is_folder and found.startswith("fil."):
            what = shown(text) if found == text else f"{shown(text)} ({found})"
            seen.faults.append(RequestFault(at, "MR504", f"expected a folder, found the file {what}"))
        return found

    def _note_unknown_data(self, text: str, at: Path_, seen: _Seen) -> None:
        if words := data_fault(text):
            seen.faults.append(RequestFault(at, "MR504", words))
        elif is_data_name(text):
            self._note(Name("data", text), at, seen)

    def _check_names(self, rendered: Request, seen: _Seen) -> None:
        """The names that stand beside ids; a UUID in such a place is taken as an id."""
        for key in ("pipeline", "analysisStorage"):
            if key in rendered:
                self._check_name(Name(NAME_KEYS[key][1], rendered[key]), (key,), seen)
        for i, output in enumerate(rendered.get("analysisOutput") or ()):
            if TARGET_PROJECT in output:
                self._check_name(Name("projects", output[TARGET_PROJECT]), ("analysisOutput", i, TARGET_PROJECT), seen)

    def _check_name(self, name: Name, at: Path_, seen: _Seen) -> None:
        if not name.key.strip():
            seen.faults.append(RequestFault(at, "MR505", f"expected a name, found {shown(name.key)}, which is blank"))
        elif not is_uuid(name.key) and name not in self.names:
            self._note(name, at, seen)

    def _note(self, name: Name, at: Path_, seen: _Seen) -> None:
        if name in self._failures:
            seen.faults.append(RequestFault(at, "MR701", self._failures[name]))
        else:
            seen.unresolved.append(name)


class _Seen:
    """What one request holds that is not in order."""

    __slots__ = ("faults", "unresolved")

    def __init__(self) -> None:
        self.unresolved: list[Name] = []
        self.faults: list[RequestFault] = []


def _with_data_ids(values: list[Any], path: Path_, replace: _Replace) -> list[Any]:
    """Objects that each have a ``dataId``."""
    return [{**each, "dataId": replace(each["dataId"], (*path, i, "dataId"))} for i, each in enumerate(values)]


def _with_form_data(form: Request, replace: _Replace) -> Request:
    changed = dict(form)
    if form.get("fields"):
        changed["fields"] = _with_field_data(form["fields"], ("inputFormValues", "fields"), replace)
    if form.get("groups"):
        groups: Path_ = ("inputFormValues", "groups")
        changed["groups"] = [
            {
                **group,
                "values": [
                    {**row, "values": _with_field_data(row["values"], (*groups, i, "values", j, "values"), replace)}
                    if row.get("values")
                    else row
                    for j, row in enumerate(group["values"])
                ],
            }
            if group.get("values")
            else group
            for i, group in enumerate(form["groups"])
        ]
    return changed


def _with_field_data(fields: list[Any], path: Path_, replace: _Replace) -> list[Any]:
    return [
        {**each, "dataValues": _with_data_ids(each["dataValues"], (*path, i, "dataValues"), replace)}
        if each.get("dataValues")
        else each
        for i, each in enumerate(fields)
    ]
