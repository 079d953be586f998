"""Choose the data at a path, and explain why there is none or why it cannot be used. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from manifest_runner.ica.data_responses import DataRecord
from manifest_runner.names.failure import LookupFailure
from manifest_runner.names.model import DataEntry
from manifest_runner.names.references import holds_several
from manifest_runner.near_miss import near_miss
from manifest_runner.text import shown

AVAILABLE = "AVAILABLE"
_MAX_LISTED = 10


class FoundData(NamedTuple):
    """The data that a path stands for, and what else is known about it."""

    entry: DataEntry
    record: DataRecord


def choose_data(path: str, records: Sequence[DataRecord]) -> FoundData | LookupFailure | None:
    """The data of a path: with a slash at its end a folder, otherwise a file or else a folder; None without any."""
    if not records:
        return None
    kinds = ("FOLDER", "FILE") if path.endswith("/") else ("FILE", "FOLDER")
    by_kind = [[each for each in records if each.type == kind] for kind in kinds]
    of_kind: Sequence[DataRecord] = next(filter(None, by_kind), records)
    meant = [each for each in of_kind if each.status in (None, AVAILABLE)] or of_kind
    if len(meant) > 1:
        return LookupFailure("MR701", f"{shown(path)} stands for {_listed(meant)}; write the id of one of them")
    record = meant[0]
    return status_fault(path, record) or FoundData(DataEntry(record.id, record.size), record)


def missing_words(path: str, spelling: str | None, neighbours: list[str] | None) -> str:
    """Why there is no data at a path.

    ``spelling`` is the same path in another case, ``neighbours`` the content of its folder, None if unknown.
    """
    words = f"no data at {shown(path)}"
    if several := holds_several(path):
        return words + several
    if spelling is not None:
        return f"{words}; case matters, and there is {shown(spelling)}"
    if neighbours is None:
        return words
    if not neighbours:
        return f"{words}: the folder {shown(folder_of(bare(path)))} does not exist, or is empty"
    return words + near_miss(bare(path), neighbours)


def status_fault(path: str, record: DataRecord) -> LookupFailure | None:
    """Why data cannot be used now; None if it can, or if the server does not say."""
    if record.status in (None, AVAILABLE):
        return None
    advice = {
        "PARTIAL": "its upload is not complete; finish it",
        "ARCHIVED": "unarchive it first",
        "ARCHIVING": "unarchive it once that is over",
        "UNARCHIVING": "wait until that is over",
        "DELETING": "it is being deleted",
        "DELETED": "it was deleted",
    }.get(record.status, "only AVAILABLE data can be used")
    return LookupFailure("MR707", f"{shown(path)} ({record.id}) is {record.status}: {advice}")


def _listed(records: Sequence[DataRecord]) -> str:
    ids = sorted(f"{each.id} ({each.status or 'status unknown'})" for each in records)
    return f"{len(ids)} data: {', '.join(ids[:_MAX_LISTED])}{', …' if len(ids) > _MAX_LISTED else ''}"


def bare(path: str) -> str:
    """A path without the slash that may end it."""
    return path.rstrip("/")


def other_spelling(path: str) -> str:
    """The path with a slash at its end if it has none, and without it if it has one."""
    return bare(path) if path.endswith("/") else path + "/"


def folder_of(path: str) -> str:
    """The folder that contains a bare path, with a slash at its end."""
    return path.rpartition("/")[0] + "/"
