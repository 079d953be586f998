"""A manifest as typed values, with ``defaults`` merged under every analysis."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from manifest_runner.diagnostics.finding import Finding, Place
from manifest_runner.manifest.yaml_file import YamlFile
from manifest_runner.model import DataPath, Kind

FORMAT = 1
DEFAULT_REVISION = 1
DEFAULT_BATCH_SIZE = 500
DEFAULT_STAMP = True

# A part of a name in ``moved`` that matches any text.
PART = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")

SourceFormat = Literal["csv", "tsv", "xlsx", "json", "yaml", "rows", "matrix", "launched"]
SOURCE_FORMATS: tuple[SourceFormat, ...] = ("csv", "tsv", "xlsx", "json", "yaml", "rows", "matrix", "launched")


# The keys of an analysis that hold a name, and the API's own key for the id in its place.
NAMES_AND_IDS = {
    "pipeline": "pipelineId",
    "analysisStorage": "analysisStorageId",
    "outputParentFolder": "outputParentFolderId",
}
OTHER_WAY = NAMES_AND_IDS | {id_: name for name, id_ in NAMES_AND_IDS.items()}


class SourceSpec(msgspec.Struct, frozen=True):
    """A source of rows. ``source`` is a path or a list of them, or the rows or the matrix themselves."""

    format: SourceFormat
    source: Any
    section: str | None = None
    sheet: str | None = None
    delimiter: str | None = None
    comment: str | None = None
    trim: bool = True


class ForEach(SourceSpec, frozen=True):
    """The source of an analysis's rows. If ``group_by`` is None, each row is an item."""

    where: str | None = None
    schema: str | None = None
    group_by: tuple[str, ...] | None = None


class TableSpec(SourceSpec, frozen=True):
    """A sheet in which rows are looked up by their ``key``; with ``many`` a key may have several rows."""

    key: tuple[str, ...] = ()
    many: bool = False


class Requirement(msgspec.Struct, frozen=True):
    """An expression that must be true for each item, and the message if it is not. ``index`` is its place."""

    index: int
    that: str
    message: str


class AnalysisSpec(msgspec.Struct, frozen=True):
    """One element of ``analyses``, defaults merged in. ``fields`` is the API's item, still with templates.

    ``broken`` are the places, relative to it, where it or the defaults do not meet the schema; what was there is left
    out. The place ``()`` means all of it.
    """

    index: int
    kind: Kind
    for_each: ForEach | None
    revision: Any
    fields: Mapping[str, Any]
    broken: tuple[DataPath, ...] = ()
    require: tuple[Requirement, ...] = ()


class Move(msgspec.Struct, frozen=True):
    """An item's former name and its name now, or two patterns of such names; ``entry`` is its index in ``moved``."""

    old: str
    new: str
    entry: int


class Document(msgspec.Struct, frozen=True):
    """A manifest without its faulty parts (see ``check.load_document``).

    ``vars`` still has templates; ``env`` has only what is listed and set, ``env_names`` all that is listed. A table
    that is None has a fault.
    """

    source: YamlFile
    name: str
    project: str | None
    revision: int
    batch_size: int
    stamp: bool
    max_launches: int | None
    max_running: int | None
    state: str | None
    lock: Literal["git"] | None
    git: str | None
    env_names: tuple[str, ...]
    env: Mapping[str, str]
    vars: Mapping[str, Any]
    given_vars: Mapping[str, str]
    analyses: tuple[AnalysisSpec, ...]
    moved: tuple[Move, ...] = ()
    former_names: tuple[str, ...] = ()
    faults: tuple[Finding, ...] = ()
    tables: Mapping[str, TableSpec | None] = MappingProxyType({})

    def place(self, analysis: int, path: DataPath, *, at_key: bool = False) -> Place:
        """The place where a field of an analysis was written: in the analysis itself, otherwise in the defaults."""
        own: DataPath = ("analyses", analysis, *path)
        if not _has(self.source.data, own) and _has(self.source.data, ("defaults", *path)):
            own = ("defaults", *path)
        return self.source.place(own, at_key=at_key)


def _has(data: Any, path: DataPath) -> bool:
    for step in path:
        is_index = isinstance(data, list) and isinstance(step, int) and step < len(data)
        if not is_index and not (isinstance(data, dict) and step in data):
            return False
        data = data[step]
    return True
