"""The entries of a names file, as values. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from manifest_runner.model import NAME_KINDS, Kind, Name, NameKind


class Entry(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """A value whose members are those of the names file, where their names are in camel case."""


class DataEntry(Entry, frozen=True):
    """Data by path: its id, and a file's size in bytes."""

    id: str
    size: int | None = None


class InputDeclaration(Entry, frozen=True):
    """An input that a pipeline takes by code."""

    code: str
    multi_value: bool
    required: bool


class ParameterDeclaration(Entry, frozen=True):
    """A parameter that a pipeline takes by code. ``options`` are its only values, if any; ``type`` is ICA's type."""

    code: str
    required: bool
    type: str
    options: tuple[str, ...]
    default: tuple[str, ...] = ()
    multi_value: bool = False


class PipelineEntry(Entry, frozen=True):
    """A pipeline with its declarations at the time of the look-up.

    ``kind`` is None if ICA does not say. ``inputs`` and ``parameters`` are None if the credential may not see
    them; ``form`` has the fields of an input form as in its file.
    """

    id: str
    kind: Kind | None = None
    inputs: tuple[InputDeclaration, ...] | None = None
    parameters: tuple[ParameterDeclaration, ...] | None = None
    form: tuple[dict[str, Any], ...] | None = None


class Names(msgspec.Struct, frozen=True):
    """All that is known about the names of one manifest, by key as written there."""

    project: str
    server: str
    data: dict[str, DataEntry] = {}
    pipelines: dict[str, PipelineEntry] = {}
    projects: dict[str, str] = {}
    storages: dict[str, str] = {}

    def section(self, kind: NameKind) -> dict[str, Any]:
        """The entries of one kind."""
        entries: dict[str, Any] = getattr(self, kind)
        return entries

    def all(self) -> Iterator[Name]:
        """Every name that has an entry."""
        return (Name(kind, key) for kind in NAME_KINDS for key in self.section(kind))

    def __contains__(self, name: Name) -> bool:
        return name.key in self.section(name.kind)

    def id_of(self, name: Name) -> str | None:
        """The id that a name stands for, None if it is not known."""
        entry = self.section(name.kind).get(name.key)
        return entry if entry is None or isinstance(entry, str) else str(entry.id)

    def key_of_data(self, data_id: str) -> str:
        """The manifest's name for data with this id: a path, if it has one."""
        return next((key for key, entry in self.data.items() if entry.id == data_id), data_id)

    def by_id(self, *kinds: NameKind) -> dict[str, str]:
        """The manifest's names of these kinds by what they stand for; without those that are ids themselves."""
        found: dict[str, str] = {}
        for kind in kinds:
            for key, entry in self.section(kind).items():
                known = entry if isinstance(entry, str) else entry.id
                if key != known:
                    found[known] = key
        return found

    def with_entries(self, entries: dict[Name, Any]) -> Names:
        """The same with these entries added or replaced."""
        changed = {kind: dict(self.section(kind)) for kind in {name.kind for name in entries}}
        for name, entry in entries.items():
            changed[name.kind][name.key] = entry
        return msgspec.structs.replace(self, **changed)

    def only(self, wanted: frozenset[Name] | set[Name]) -> Names:
        """The same with only the wanted entries."""
        kept = {
            kind: {key: entry for key, entry in self.section(kind).items() if Name(kind, key) in wanted}
            for kind in NAME_KINDS
        }
        return msgspec.structs.replace(self, **kept)
