"""Ids in place of names, in rendered requests: what happens to each item between its template and its digest.

A request comes in with names (``pipeline``, paths) and leaves with ids (``pipelineId``, ``fil.…``). Requests share
what no row changes, so nothing is changed in place. Most data are ids, or paths that are pinned: both take a look-up.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Mapping
from typing import Any, NamedTuple

import orjson

from manifest_runner.model import Kind, Name, NameKind
from manifest_runner.names.failure import Failure
from manifest_runner.names.model import Names
from manifest_runner.names.pipeline_check import PipelineCheck, RequestFault
from manifest_runner.names.references import ID_STARTS, data_fault, is_data_name, is_uuid, pipeline_id_fault
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
_NAMES = frozenset(NAME_KEYS)
_ZEROS = "0000"  # how an id begins that somebody has yet to fill in, and hardly any other
# Where data can be besides the inputs, in a request or its input.
_ELSEWHERE = frozenset({"dataIds", "inputFormValues", "logs", "mounts"})
_MAX_KNOWN = 1_000
# Where the API wants a UUID and none is known yet, so that everything else can be checked.
NO_UUID = "00000000-0000-0000-0000-000000000000"

# The codes of what only a look into ICA can find.
_LOOKED_UP = frozenset({"MR701", "MR707", "MR709"})

_Replace = Callable[[str, Path_], str]


class Placed(NamedTuple):
    """A request with ids. ``unresolved`` are the names in it that are still to be looked up."""

    request: Request
    unresolved: tuple[Name, ...] = ()
    faults: tuple[RequestFault, ...] = ()


class Pins:
    """What is known of the names of one manifest, ready to be put into its requests.

    ``failures`` are names that were looked up in vain, with the reason. Without ``check`` requests are not compared
    with what their pipelines declare. With ``report_unresolved`` a name that is not known
    yet is a fault.
    ``faulty`` are ids and paths of data, and ids of pipelines, that cannot be used. Of failures and of what is faulty
    only the items with userReferences in ``only`` are at fault.
    """

    def __init__(
        self,
        names: Names,
        failures: Mapping[Name, Failure] | None = None,
        *,
        check: bool = True,
        report_unresolved: bool = False,
        faulty: Mapping[str, Failure] | None = None,
        only: Container[str] | None = None,
    ) -> None:
        self.names = names
        self.check = check
        self._faulty = faulty or {}
        self._only = only
        self._failures = failures or {}
        self._report_unresolved = report_unresolved
        self._data = names.data
        self._known: set[Hashable] = set()  # of requests in which all names but those of their inputs are right
        by_id = {entry.id: (key, entry) for key, entry in names.pipelines.items()}
        self._checks = {id_: PipelineCheck(*entry) for id_, entry in by_id.items()} if check else {}

    def without_checks(self) -> Pins:
        """The same, without comparing requests with what their pipelines declare."""
        return Pins(self.names, self._failures, check=False, report_unresolved=self._report_unresolved)

    def without_names(self) -> Pins:
        """The same without any entry, so that every name counts as unresolved."""
        return Pins(Names(self.names.project, self.names.server), check=False)

    # -- names beside ids, before the request is checked against the API's rules

    def named(self, request: Request) -> Request:
        """The request under the API's own keys. Names that are not known stay as they are, but where a UUID must be."""
        if (outputs := request.get("analysisOutput")) and any(TARGET_PROJECT in each for each in outputs if each):
            request = {**request, "analysisOutput": [self._named_output(each) for each in outputs]}
        if _NAMES.isdisjoint(request):
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
        key = self._key(rendered, request)
        if key in self._known and (fast := self._with_inputs(request)) is not None:
            check = self._checks.get(request["pipelineId"])
            return Placed(fast, (), tuple(check.faults(fast, kind)) if check is not None else ())
        seen = _Seen()
        placed = self._placed_inputs(request, seen)
        placed = self._placed_rest(placed, seen)
        if rendered is not request:
            self._check_names(rendered, seen)
        pipeline = request["pipelineId"]
        if "pipeline" not in rendered and (words := pipeline_id_fault(pipeline)):
            seen.faults.append(RequestFault(("pipelineId",), "MR505", words))
        check = self._checks.get(pipeline)
        if check is not None:
            seen.faults.extend(check.faults(placed, kind))
        if (failure := self._faulty.get(request["pipelineId"])) is not None:
            key = "pipeline" if "pipeline" in rendered else "pipelineId"
            seen.faults.append(RequestFault((key,), *failure))
        if self._only is not None and request["userReference"] not in self._only:
            seen.faults = [each for each in seen.faults if each.code not in _LOOKED_UP]
        if not seen.faults and not seen.unresolved and not self._faulty and len(self._known) < _MAX_KNOWN:
            self._known.add(key)
        return Placed(placed, tuple(seen.unresolved), tuple(seen.faults))

    @staticmethod
    def _key(rendered: Request, request: Request) -> Hashable:
        """All names in a request but those of data in its inputs, and its pipeline: what few requests differ in."""
        outputs, parent = rendered.get("analysisOutput"), request.get("outputParentFolderId")
        is_id = parent is not None and parent[:4] == "fol." and parent[4:].isalnum()
        has_target = outputs is not request.get("analysisOutput")
        return (
            rendered.get("pipeline"),
            rendered.get("analysisStorage"),
            request["pipelineId"],
            None if is_id else parent,
            orjson.dumps(outputs) if has_target else None,
        )

    def _with_inputs(self, request: Request) -> Request | None:
        """The hot path: a request with data in inputs alone, all of them ids or known; None for any other."""
        given = request.get("analysisInput")
        if given is None or not _ELSEWHERE.isdisjoint(request) or not _ELSEWHERE.isdisjoint(given):
            return None
        known, changed, placed = self._data, False, []
        for each in given.get("inputs") or ():
            if "mounts" in each:
                return None
            has_name = False
            for text in each.get("dataIds") or ():
                if text in known:
                    has_name = True
                elif text[:4] not in ID_STARTS or not text[4:].isalnum() or text[4:8] == _ZEROS:
                    return None
            changed |= has_name
            placed.append(
                {**each, "dataIds": [known[text].id if text in known else text for text in each["dataIds"]]}
                if has_name
                else each
            )
        if (parent := request.get("outputParentFolderId")) in known:
            request = {**request, "outputParentFolderId": known[parent].id}
        return {**request, "analysisInput": {**given, "inputs": placed}} if changed else request

    def _placed_inputs(self, request: Request, seen: _Seen) -> Request:
        given = request.get("analysisInput")
        if given is None or not (inputs := given.get("inputs")):
            return request
        placed = [self._placed_input(each, i, seen) for i, each in enumerate(inputs)]
        if all(one is other for one, other in zip(placed, inputs, strict=True)):
            return request
        return {**request, "analysisInput": {**given, "inputs": placed}}

    def _placed_input(self, given: Request, index: int, seen: _Seen) -> Request:
        path: Path_ = ("analysisInput", "inputs", index)
        placed = self._with_data(given, path, lambda text, at: self._data_id(text, at, seen))
        return given if placed == given else placed

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
        entry = self._data.get(text)
        found = text if entry is None else entry.id
        if (failure := self._faulty.get(text)) is not None:
            seen.faults.append(RequestFault(at, *failure))
        elif entry is None:
            self._note_unknown_data(text, at, seen)
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
            seen.faults.append(RequestFault(at, *self._failures[name], group=name))
            return
        seen.unresolved.append(name)
        if self._report_unresolved:
            words = f"{shown(name.key)} is not in the names file; `manifest-runner resolve` looks it up"
            seen.faults.append(RequestFault(at, "MR711", words))


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
