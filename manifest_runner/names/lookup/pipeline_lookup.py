"""Look up pipelines by code or id, with their declarations: one list for all, and at most six requests for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from manifest_runner.errors import Refused
from manifest_runner.ica import name_endpoints as calls
from manifest_runner.ica.client import Client
from manifest_runner.ica.name_responses import (
    Declared,
    PipelineRecord,
    read_declared,
    read_form,
    read_found_pipelines,
    read_pipeline,
    read_pipelines,
)
from manifest_runner.model import Kind
from manifest_runner.names.failure import HIDDEN, LookupFailure
from manifest_runner.names.model import InputDeclaration, ParameterDeclaration, PipelineEntry
from manifest_runner.near_miss import near_miss
from manifest_runner.text import shown
from manifest_runner.values import is_uuid

T = TypeVar("T")

_NO_SUCH_CALL = frozenset({400, 404, 405, 415})


class PipelineLookup:
    """Looks up the pipelines of a client's project.

    ``warn`` is called for what cannot be checked; ``remarks`` has what is worth a warning, by the pipeline's id.
    """

    def __init__(self, client: Client, warn: Callable[[str, str], None], *, declarations: bool = True) -> None:
        self.remarks: dict[str, LookupFailure] = {}
        self._client = client
        self._warn = warn
        self._declarations = declarations
        self._listed: tuple[PipelineRecord, ...] | None = None
        self._hidden: Refused | None = None

    def look_up(self, key: str) -> PipelineEntry | LookupFailure:
        """The pipeline of a code or an id. Raises Refused if the credential may not look for a code."""
        record = self._by_id(key) if is_uuid(key) else self._by_code(key)
        if record is None:
            return PipelineEntry(key)  # an id about which nothing is visible
        if isinstance(record, LookupFailure):
            return record
        if failure := self._status_failure(key, record):
            return failure
        return self.entry_of(key, record)

    def entry_of(self, key: str, record: PipelineRecord) -> PipelineEntry:
        """A pipeline with what it declares, as far as the credential may see that."""
        kind = _kind_of(record)
        if not self._declarations:
            return PipelineEntry(record.id, kind)
        inputs = self._seen(key, lambda: self._client.ask(calls.list_inputs(record.id), read_declared))
        parameters = self._seen(key, lambda: self._client.ask(calls.list_parameters(record.id), read_declared))
        form = None
        if kind == "nextflowJson":
            form = self._seen(key, lambda: self._client.ask(calls.get_form(record.id), read_form))
        return PipelineEntry(
            record.id,
            kind,
            None if inputs is None else tuple(map(_input, inputs)),
            None if parameters is None else tuple(map(_parameter, parameters)),
            form,
        )

    def failure_of(self, key: str, pipeline_id: str) -> LookupFailure | None:
        """Why a pinned pipeline can no longer be started; a draft or a deprecated one is a warning."""
        record = self._by_id(pipeline_id)
        return None if record is None else self._status_failure(key, record)

    def record_of(self, key: str) -> PipelineRecord | LookupFailure:
        """The pipeline itself. Raises Refused if the credential may not see it."""
        if not is_uuid(key):
            return self._by_code(key)
        return self._client.ask(calls.get_pipeline(key), read_pipeline)

    # -- finding

    def _by_id(self, pipeline_id: str) -> PipelineRecord | None:
        return self._seen(pipeline_id, lambda: self._client.ask(calls.get_pipeline(pipeline_id), read_pipeline))

    def _by_code(self, code: str) -> PipelineRecord | LookupFailure:
        listed = self._list()
        found = [each for each in listed if code in (each.code, each.name)]
        found = [each for each in found if each.code == code] or found
        if not found:
            found = [each for each in self._search(code) if code in (each.code, each.name)]
        if len({each.id for each in found}) == 1:
            return self._looked_at(found[0])
        if found:
            return LookupFailure(
                "MR701", f"{shown(code)} stands for several pipelines: {_several(found)}; write one id"
            )
        if self._hidden is not None:
            raise self._hidden
        return LookupFailure(
            "MR701", f"the project has no pipeline {shown(code)}{near_miss(code, [each.code for each in listed])}"
        )

    def _list(self) -> tuple[PipelineRecord, ...]:
        if self._listed is None:
            self._listed = ()
            try:
                self._listed = self._client.ask(calls.list_pipelines(), read_pipelines)
            except Refused as refused:
                if refused.status not in HIDDEN:
                    raise
                self._hidden = refused
        return self._listed

    def _search(self, code: str) -> tuple[PipelineRecord, ...]:
        """Search with a call that only newer servers have; how it compares is not documented."""
        try:
            return self._client.ask(calls.search_pipelines(code), read_found_pipelines)
        except Refused as refused:
            if refused.status not in _NO_SUCH_CALL | HIDDEN:
                raise
            return ()

    def _looked_at(self, record: PipelineRecord) -> PipelineRecord:
        """The same with its full status, which lists do not show."""
        if not self._declarations:
            return record
        return self._seen(record.code, lambda: self._client.ask(calls.get_pipeline(record.id), read_pipeline)) or record

    def _seen(self, key: str, ask: Callable[[], T]) -> T | None:
        """What the credential may see, or None, with one warning per pipeline."""
        try:
            return ask()
        except Refused as refused:
            if refused.status not in HIDDEN:
                raise
            words = f"this credential may not see what the pipeline {shown(key)} declares, so that is not checked"
            self._warn("MR710", words)
            return None

    # -- judging

    def _status_failure(self, key: str, record: PipelineRecord) -> LookupFailure | None:
        status = (record.status or "").lower()
        if status == "archived" or status.startswith("import"):
            return LookupFailure("MR709", f"the pipeline {shown(key)} ({record.id}) is {status} and cannot be started")
        if status in ("draft", "deprecated"):
            more = "; it may change" if status == "draft" else ""
            words = f"the pipeline {shown(key)} is {'a draft' if status == 'draft' else status}{more}"
            self.remarks[record.id] = LookupFailure("MR709", words)
        return None


def _kind_of(record: PipelineRecord) -> Kind | None:
    language = (record.language or "").upper()
    if language == "CWL":
        return "cwl"
    if language != "NEXTFLOW" or record.form_type is None:
        return None
    return "nextflowJson" if record.form_type.upper() == "JSON" else "nextflow"


def _input(declared: Declared) -> InputDeclaration:
    return InputDeclaration(declared.code, declared.multi_value, declared.required)


def _parameter(declared: Declared) -> ParameterDeclaration:
    return ParameterDeclaration(
        declared.code,
        declared.required,
        declared.type,
        declared.options,
        declared.default,
        declared.multi_value,
    )


def _several(found: list[PipelineRecord]) -> str:
    """Each with its bundles, which distinguish pipelines of the same code."""
    return ", ".join(
        f"{each.id} (by {', '.join(each.bundles)})" if each.bundles else each.id
        for each in sorted(found, key=lambda each: each.id)
    )
