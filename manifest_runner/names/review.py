"""Examine one request in full: every name in it, and every text in place of data. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from manifest_runner.model import DataPath, Name, NameKind
from manifest_runner.names.data_slots import Request
from manifest_runner.names.failure import LookupFailure, not_pinned
from manifest_runner.names.model import Names
from manifest_runner.names.references import data_fault, is_data_name, pipeline_id_fault
from manifest_runner.names.request_fault import RequestFault
from manifest_runner.text import shown
from manifest_runner.values import is_uuid

# The keys that hold a name, the API's key for the id in its place, and the kind of name.
NAME_KEYS: dict[str, tuple[str, NameKind]] = {
    "pipeline": ("pipelineId", "pipelines"),
    "analysisStorage": ("analysisStorageId", "storages"),
    "outputParentFolder": ("outputParentFolderId", "data"),
}
TARGET_PROJECT = "targetProject"


class KnownNames(msgspec.Struct, frozen=True):
    """The known names: see `Pins`."""

    names: Names
    failures: Mapping[Name, LookupFailure] = {}
    faulty: Mapping[str, LookupFailure] = {}
    report_unresolved: bool = False


class Review:
    """The faults and the unknown names of one request."""

    def __init__(self, known: KnownNames) -> None:
        self._known = known
        self.unresolved: list[Name] = []
        self.faults: list[RequestFault] = []
        self.used: list[tuple[str, DataPath]] = []  # data and pipelines, with where they are used

    def data(self, text: str, at: DataPath) -> str:
        """The id of data; the text itself if there is none."""
        self.used.append((text, at))
        entry = self._known.names.data.get(text)
        if (failure := self._known.faulty.get(text)) is not None:
            self.faults.append(RequestFault(at, *failure))
        elif entry is None:
            self._note_unknown_data(text, at)
        return text if entry is None else entry.id

    def folder(self, text: str, at: DataPath) -> str:
        """The same for a place that only takes a folder."""
        found = self.data(text, at)
        if found.startswith("fil."):
            what = shown(text) if found == text else f"{shown(text)} ({found})"
            self.faults.append(RequestFault(at, "MR504", f"expected a folder, found the file {what}"))
        return found

    def pipeline(self, rendered: Request, pipeline_id: str) -> None:
        """The pipeline's id as written, or the id of its code."""
        key = "pipeline" if "pipeline" in rendered else "pipelineId"
        self.used.append((pipeline_id, (key,)))
        if key == "pipelineId" and (words := pipeline_id_fault(pipeline_id)):
            self.faults.append(RequestFault((key,), "MR505", words))
        if (failure := self._known.faulty.get(pipeline_id)) is not None:
            self.faults.append(RequestFault((key,), *failure))

    def names(self, rendered: Request) -> None:
        """The names in place of ids; a UUID there is treated as an id."""
        for key in ("pipeline", "analysisStorage"):
            if isinstance(rendered.get(key), str):
                self._name(NAME_KEYS[key][1], rendered[key], (key,))
        outputs: Any = rendered.get("analysisOutput")
        for i, output in enumerate(outputs if isinstance(outputs, list) else ()):
            if isinstance(output, dict) and isinstance(output.get(TARGET_PROJECT), str):
                self._name("projects", output[TARGET_PROJECT], ("analysisOutput", i, TARGET_PROJECT))

    def _note_unknown_data(self, text: str, at: DataPath) -> None:
        if words := data_fault(text):
            self.faults.append(RequestFault(at, "MR504", words, group=words.replace(shown(text), "")))
        elif is_data_name(text):
            self._note(Name("data", text), at)

    def _name(self, kind: NameKind, key: str, at: DataPath) -> None:
        name = Name(kind, key)
        if not key.strip():
            self.faults.append(RequestFault(at, "MR505", f"expected a name, found {shown(key)}, which is blank"))
        elif not is_uuid(key) and name not in self._known.names:
            self._note(name, at)

    def _note(self, name: Name, at: DataPath) -> None:
        if name in self._known.failures:
            self.faults.append(RequestFault(at, *self._known.failures[name], group=name))
            return
        self.unresolved.append(name)
        if self._known.report_unresolved:
            self.faults.append(RequestFault(at, *not_pinned(name.key), group=name))
