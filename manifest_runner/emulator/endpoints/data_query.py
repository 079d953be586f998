"""The filters of a list of data, from a query string."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast, get_args

from starlette.datastructures import QueryParams

from manifest_runner.emulator.catalog.format import DataStatus
from manifest_runner.emulator.catalog.query import DataQuery, MatchMode, Texts
from manifest_runner.emulator.protocol.problems import refuse_parameter

_STARTS, _FULL = "STARTS_WITH_CASE_INSENSITIVE", "FULL_CASE_INSENSITIVE"
_FALSE_AND_TRUE = {"false": False, "true": True}
# The emulator has no runs and no samples, so nothing matches these.
_NEVER_MET = ("formatId", "runInputTag", "runOutputTag", "connectorTag", "instrumentRunId", "sampleId")


def read_data_query(query: QueryParams, *, exact_slashes: bool) -> DataQuery:
    """The filters in a query string. Raises Problem 400 for impossible values."""
    paths = tuple(query.getlist("filePath"))
    return DataQuery(
        ids=tuple(query.getlist("id")),
        paths=tuple(path.lower() for path in paths),
        spelled_paths=paths,
        by_prefix=_choice(query, "filePathMatchMode", (_STARTS, _FULL)) != _FULL,
        exact_slashes=exact_slashes,
        parent_path=_parent_path(query),
        parent_ids=tuple(query.getlist("parentFolderId")),
        names=_texts(query, "filename", "filenameMatchMode"),
        full_text=query.get("fullText", ""),
        kind=_kind(query),
        statuses=_statuses(query),
        formats=frozenset(query.getlist("formatCode")),
        owners=frozenset(query.getlist("owningProjectId")),
        analyses=frozenset(each.lower() for each in query.getlist("analysisId")),
        user_tags=_texts(query, "userTag", "userTagMatchMode"),
        technical_tags=_texts(query, "technicalTag", "technicalTagMatchMode"),
        non_indexed=_boolean(query, "nonIndexedFolders"),
        created_after=_moment(query, "creationDateAfter", "statusDateAfter"),
        created_before=_moment(query, "creationDateBefore", "statusDateBefore"),
        nothing=any(query.getlist(name) for name in _NEVER_MET),
    )


def _texts(query: QueryParams, name: str, mode: str) -> Texts:
    chosen = _choice(query, mode, get_args(MatchMode)) or "FUZZY"
    return Texts(tuple(query.getlist(name)), cast(MatchMode, chosen))


def _kind(query: QueryParams) -> str:
    if _boolean(query, "notLinkedToSample"):
        return "FILE"
    return _choice(query, "type", ("FILE", "FOLDER"))


def _statuses(query: QueryParams) -> frozenset[str]:
    statuses = query.getlist("status")
    for each in statuses:
        if each not in get_args(DataStatus):
            refuse_parameter("status", f"must be one of {', '.join(get_args(DataStatus))}")
    return frozenset(statuses)


def _parent_path(query: QueryParams) -> str | None:
    path = query.get("parentFolderPath")
    if path is not None and not (path.startswith("/") and path.endswith("/")):
        refuse_parameter("parentFolderPath", "must start and end with /")
    return path


def _choice(query: QueryParams, name: str, choices: tuple[str, ...]) -> str:
    value = query.get(name, "")
    if value and value not in choices:
        refuse_parameter(name, f"must be one of {', '.join(choices)}")
    return value


def _boolean(query: QueryParams, name: str) -> bool | None:
    value = query.get(name)
    if value is not None and value.lower() not in _FALSE_AND_TRUE:
        refuse_parameter(name, "must be true or false")
    return None if value is None else _FALSE_AND_TRUE[value.lower()]


def _moment(query: QueryParams, *names: str) -> float | None:
    for name in names:
        if value := query.get(name):
            try:
                moment = datetime.fromisoformat(value)
            except ValueError:
                refuse_parameter(name, "must be a time such as 2021-01-30T08:30:00Z")
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None
