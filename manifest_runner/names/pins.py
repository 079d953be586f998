"""Replace names by ids in rendered requests: the step between an item's templates and its digest.

A request comes in with names (``pipeline``, paths) and leaves with ids (``pipelineId``, ``fil.…``). Requests share
what no row changes, so nothing is changed in place. Most data is given by id or by a pinned path; both are one look-up.
"""

from __future__ import annotations

import re
from collections.abc import Container, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
import orjson

from manifest_runner.model import DataPath, Kind, Name
from manifest_runner.names.api_keys import with_api_keys
from manifest_runner.names.data_slots import Request, data_in, with_data
from manifest_runner.names.failure import LookupFailure
from manifest_runner.names.model import DataEntry, Names
from manifest_runner.names.request_fault import RequestFault
from manifest_runner.names.review import KnownNames, Review

if TYPE_CHECKING:  # imported once a pipeline has been looked up
    from manifest_runner.names.checks.pipeline_check import PipelineCheck

# Ids of data, one per line, that are surely valid; an id of zeros is a placeholder.
_IDS = re.compile(r"(?:f[io]l\.(?!0000)[0-9A-Za-z]+(?:\n(?!\Z)|\Z))+")
_MAX_ROUTINE = 1_000
# The codes of faults that only ICA can show.
_LOOKED_UP = frozenset({"MR701", "MR707", "MR709"})


class Placed(msgspec.Struct, frozen=True, gc=False):
    """A request with ids. ``unresolved`` are the names in it that are still to be looked up, ``remarks`` warnings."""

    request: Request
    unresolved: tuple[Name, ...] = ()
    faults: tuple[RequestFault, ...] = ()
    remarks: tuple[RequestFault, ...] = ()


class Pins:
    """The known names of one manifest, ready to be put into its requests.

    ``failures`` are names that were not found, with the reason. Without ``check`` requests are not compared
    with what their pipelines declare. With ``report_unresolved`` a name that is not known yet is a fault. ``faulty``
    are ids and paths of data, and ids of pipelines, that cannot be used; ``remarks`` are warnings about others, for
    their first use. All of that concerns only the items with userReferences in ``only``.
    """

    def __init__(
        self,
        names: Names,
        failures: Mapping[Name, LookupFailure] | None = None,
        *,
        check: bool = True,
        report_unresolved: bool = False,
        faulty: Mapping[str, LookupFailure] | None = None,
        remarks: Mapping[str, LookupFailure] | None = None,
        only: Container[str] | None = None,
    ) -> None:
        self.names = names
        self._known = KnownNames(names, failures or {}, faulty or {}, report_unresolved)
        self.remarks = remarks or {}
        self._remarks = dict(self.remarks)  # until they are reported
        self._only = only
        self._routine: set[Hashable] = set()  # requests in which all names but those of their inputs are right
        self._checks = _checks(names) if check else {}

    def without_checks(self) -> Pins:
        """The same names, without the comparison with what pipelines declare, and without what was found in ICA:
        ``faulty`` and ``remarks``, and the ``only`` that they concern.
        """
        known = self._known
        return Pins(self.names, known.failures, check=False, report_unresolved=known.report_unresolved)

    def without_names(self) -> Pins:
        """The same without any entry, so that every name counts as unresolved."""
        return Pins(Names(self.names.project, self.names.server), check=False)

    def named(self, request: Request) -> Request:
        """The request under the API's own keys. Unknown names stay as they are, except where the API demands a UUID."""
        return with_api_keys(request, self.names)

    # -- ids of data

    def placed(self, rendered: Request, request: Request, kind: Kind) -> Placed:
        """A request that meets the API's rules, with ids in place of paths. ``rendered`` is the same before `named`."""
        key = self._key(rendered, request)
        check = self._checks.get(request["pipelineId"])
        if key in self._routine and (placed := self._with_inputs(request)) is not None:
            return Placed(placed, (), tuple(check.faults(placed, kind)) if check is not None else ())
        review = Review(self._known)
        placed = with_data(request, review.data, review.folder)
        review.names(rendered)
        review.pipeline(rendered, request["pipelineId"])
        found = (*review.faults, *(check.faults(placed, kind) if check is not None else ()))
        if self._is_wanted(request):
            remarks = tuple(self._first_remarks(review.used))
        else:
            found, remarks = _local(found), ()
        if (
            not (found or review.unresolved or self._known.faulty or self._remarks)
            and len(self._routine) < _MAX_ROUTINE
        ):
            self._routine.add(key)
        return Placed(placed, tuple(review.unresolved), found, remarks)

    def _is_wanted(self, request: Request) -> bool:
        return self._only is None or request.get("userReference") in self._only

    def _first_remarks(self, used: Iterable[tuple[str, DataPath]]) -> Iterator[RequestFault]:
        for text, at in used if self._remarks else ():
            if (remark := self._remarks.pop(text, None)) is not None:
                yield RequestFault(at, *remark)

    # -- invalid requests

    def faults_of_refused(
        self, rendered: Request, request: Request, kind: Kind, refused: Container[str]
    ) -> Sequence[RequestFault]:
        """The other faults of a request whose fields ``refused`` the API would reject."""
        found, pipeline = self.faults_of_rest(rendered, request), request.get("pipelineId")
        check = self._checks.get(pipeline) if isinstance(pipeline, str) else None
        given = "inputFormValues" if kind == "nextflowJson" else "analysisInput"
        if check is None or given in refused or not isinstance(request.get(given), dict):
            return found
        return [*found, *check.faults(request, kind)]

    def faults_of_rest(self, rendered: Request, request: Request) -> Sequence[RequestFault]:
        """The faults in the names and data of a request that may lack anything."""
        review = Review(self._known)
        for text, at, is_folder in data_in(request):
            (review.folder if is_folder else review.data)(text, at)
        review.names(rendered)
        if isinstance(pipeline := request.get("pipelineId"), str):
            review.pipeline(rendered, pipeline)
        return review.faults if self._is_wanted(request) else _local(review.faults)

    @staticmethod
    def _key(rendered: Request, request: Request) -> Hashable:
        """All names in a request except those of data in its inputs, and its pipeline: most requests agree in these."""
        parent = request.get("outputParentFolderId")
        is_id = parent is not None and parent[:4] == "fol." and parent[4:].isalnum()
        if rendered is request and (is_id or parent is None):
            return str(request["pipelineId"])
        outputs = rendered.get("analysisOutput")
        has_target = outputs is not request.get("analysisOutput")
        return (
            rendered.get("pipeline"),
            rendered.get("analysisStorage"),
            request["pipelineId"],
            None if is_id else parent,
            orjson.dumps(outputs) if has_target else None,
        )

    def _with_inputs(self, request: Request) -> Request | None:
        """The hot path: a request whose data is all in inputs, as ids or known paths; None for any other.

        Data can also be in a form, in logs, and beside the input JSON of CWL.
        """
        given = request.get("analysisInput")
        if given is None or "inputFormValues" in request or "logs" in request:
            return None
        if "dataIds" in given or "mounts" in given:
            return None
        inputs, known = given.get("inputs") or (), self.names.data
        if (texts := _texts_of(inputs)) is None:
            return None
        if not _are_ids(texts):
            placed = [_with_ids(each, known) for each in inputs]
            if not all(placed):
                return None
            request = {**request, "analysisInput": {**given, "inputs": placed}}
        if (parent := request.get("outputParentFolderId")) in known:
            request = {**request, "outputParentFolderId": known[parent].id}
        return request


def _checks(names: Names) -> dict[str, PipelineCheck]:
    """The checks of requests, by the id of their pipeline."""
    if not names.pipelines:
        return {}
    from manifest_runner.names.checks.pipeline_check import PipelineCheck

    return {entry.id: PipelineCheck(key, entry) for key, entry in names.pipelines.items()}


def _texts_of(inputs: Iterable[Request]) -> list[str] | None:
    """The ids and paths of all inputs; None if one has mounts, too."""
    texts: list[str] = []
    for each in inputs:
        if "mounts" in each:
            return None
        if ids := each.get("dataIds"):
            texts += ids
    return texts


def _with_ids(given: Request, known: Mapping[str, DataEntry]) -> Request | None:
    """An input with ids in place of known paths; None if something else is in it."""
    has_path = False
    for text in given.get("dataIds") or ():
        if text in known:
            has_path = True
        elif not _are_ids([text]):
            return None
    if not has_path:
        return given
    return {**given, "dataIds": [known[text].id if text in known else text for text in given["dataIds"]]}


def _are_ids(texts: Sequence[str]) -> bool:
    """Whether all of these texts are surely valid ids; checking them together takes half the time."""
    listed = "\n".join(texts)
    return not texts or (_IDS.fullmatch(listed) is not None and listed.count("\n") == len(texts) - 1)


def _local(faults: Iterable[RequestFault]) -> tuple[RequestFault, ...]:
    """The faults that were found offline."""
    return tuple(each for each in faults if each.code not in _LOOKED_UP)
