"""The parts of a request that decide the outcome of its analysis, stored with its tags."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

# Where analyses go, unless their request says where.
ANALYSES = "/ilmn-analyses/"


class Place(NamedTuple):
    """A place for data: a project and a path."""

    project: str
    path: str


class Mapping(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """An output that ``analysisOutput`` of the request sends elsewhere."""

    source_path: str
    target_project_id: str
    target_path: str

    @property
    def source(self) -> str:
        """The path relative to the analysis, without slashes around it; empty for all of it."""
        return self.source_path.removeprefix("./").strip("/").removeprefix(".")

    @property
    def target(self) -> Place:
        """The place to which it is sent, always with a ``/`` at the end of the path."""
        return Place(self.target_project_id, f"{self.target_path.rstrip('/')}/")


class Details(msgspec.Struct, frozen=True, omit_defaults=True):
    """``form`` are the values of its input form, ``problem`` is why it cannot be created.

    ``parent`` is the folder that its own folder is in.
    """

    form: dict[str, Any] | None = None
    problem: str = ""
    parent: str = ANALYSES
    outputs: tuple[Mapping, ...] = ()

    def place(self, project: str, reference: str, path: str) -> Place:
        """The place of this path of an analysis: by an output mapping, or in the analysis's own folder."""
        for mapping in self.outputs:
            if (rest := _below(mapping.source, path)) is not None:
                return Place(mapping.target_project_id, _joined(mapping.target_path, path, rest))
        return Place(project, f"{self.parent}{reference}/{path}")


_NONE = Details()
_DECODER = msgspec.json.Decoder(Details)


def read_details(text: str | None) -> Details:
    """The stored details; most requests have none."""
    return _DECODER.decode(text) if text else _NONE


def write_details(details: Details) -> str | None:
    """The text to store, or None if there are no details."""
    return None if details == _NONE else msgspec.json.encode(details).decode()


def mappings(given: Iterable[dict[str, Any] | None] | None) -> tuple[Mapping, ...]:
    """The output mappings of a request."""
    members = ("sourcePath", "targetProjectId", "targetPath")
    return tuple(Mapping(*(each[name] for name in members)) for each in given or () if each)


def _below(source: str, path: str) -> str | None:
    """The rest of a path that equals ``source`` or is inside it."""
    if not source:
        return path
    if path == source:
        return ""
    return path.removeprefix(f"{source}/") if path.startswith(f"{source}/") else None


def _joined(target: str, path: str, rest: str) -> str:
    is_one_file = not rest and not path.endswith("/")
    if is_one_file:
        return target + path.rpartition("/")[2] if target.endswith("/") else target
    return f"{target.rstrip('/')}/{rest}"
