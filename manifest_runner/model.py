"""The values that cross modules. Pure: no files, no clock, no network."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

FINAL_JOB = frozenset({"STOPPED", "SUCCEEDED", "PARTIALLY_SUCCEEDED", "FAILED"})

Kind = Literal["nextflow", "nextflowJson", "cwl"]
KINDS: tuple[Kind, ...] = ("nextflow", "nextflowJson", "cwl")

FINAL_CREATION = frozenset({"SUCCEEDED", "FAILED"})
# Version 3 of the API writes some names without underscores; both spellings end an analysis.
FINAL_ANALYSIS = frozenset({"SUCCEEDED", "FAILED", "FAILED_FINAL", "FAILEDFINAL", "ABORTED"})
ABORTED_ANALYSIS = frozenset({"ABORTING", "ABORTED"})
FAILED_ANALYSIS = FINAL_ANALYSIS - {"SUCCEEDED"}

# A path into data: the keys and indexes that lead to a value.
DataPath = tuple[str | int, ...]

# Identifies a row in its source, such as by its line: enough to find its place again.
RowId = int | tuple[int, ...]
NO_ROW: RowId = -1  # for what has no row of its own

NameKind = Literal["data", "pipelines", "projects", "storages"]
NAME_KINDS: tuple[NameKind, ...] = ("data", "pipelines", "projects", "storages")


class Name(NamedTuple):
    """A name to look up in ICA: its section of the names file, and its key there."""

    kind: NameKind
    key: str


class Item(msgspec.Struct, frozen=True, gc=False):
    """One analysis to create. ``request`` is the API's item before stamping, as JCS bytes (RFC 8785).

    ``analysis`` is the index of its analysis in the manifest, ``row`` identifies the row in its source.
    ``unresolved`` are the names in it that must be looked up first.
    """

    user_reference: str
    kind: Kind
    revision: str
    request: bytes
    analysis: int
    row: RowId
    unresolved: tuple[Name, ...] = ()
