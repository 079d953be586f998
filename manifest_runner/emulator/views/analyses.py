"""Batches, their items and analyses as the API shows them, in version 3 and 4, from what is stored."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

import msgspec
import orjson

from manifest_runner.emulator.catalog.format import Pipeline
from manifest_runner.emulator.catalog.pipelines import uuid_of
from manifest_runner.emulator.catalog.world import World
from manifest_runner.emulator.outcomes.analysis_data import Outcomes, state_of
from manifest_runner.emulator.protocol.identifiers import derive
from manifest_runner.emulator.protocol.media import V4
from manifest_runner.emulator.protocol.timestamps import timestamp
from manifest_runner.emulator.store.database import StoredBatch
from manifest_runner.emulator.store.item_queries import ItemRow
from manifest_runner.emulator.store.timetable import (
    Fate,
    item_status,
    job_started_at,
    job_status,
)
from manifest_runner.emulator.views.catalog import pipeline_view
from manifest_runner.emulator.views.common import ownership, stamped

_SUMMARIES: dict[tuple[int, str], str] = {
    (Fate.CREATION_FAILS, "FAILED"): "The emulator was set to fail this creation.",
    (Fate.ANALYSIS_FAILS, "FAILED"): "The emulator was set to fail this analysis.",
    (Fate.ANALYSIS_IS_ABORTED, "ABORTED"): "The emulator was set to abort this analysis.",
}
_VERSION_3_NAMES = {
    "QUEUED": "REQUESTED",
    "INITIALIZING": "INPROGRESS",
    "PREPARING_INPUTS": "INPROGRESS",
    "IN_PROGRESS": "INPROGRESS",
    "GENERATING_OUTPUTS": "INPROGRESS",
    "ABORTING": "INPROGRESS",
    "AWAITING_INPUT": "AWAITINGINPUT",
    "FAILED_FINAL": "FAILEDFINAL",
}


def status_in_version_3(status: str) -> str:
    """The nearest name of version 3, which knows fewer statuses."""
    return _VERSION_3_NAMES.get(status, status)


def batch_view(batch: StoredBatch, now: float) -> dict[str, Any]:
    """An AnalysisCreationBatch."""
    started = job_started_at(batch.created, batch.done)
    job = {
        "id": derive(batch.id, "job"),
        "status": job_status(now, batch.created, batch.done, batch.size, batch.failing),
        "additionalStatusInformation": None,
        "subjectType": "ANALYSIS_CREATION_BATCH",
        "subjectId": batch.id,
        "timeCreated": timestamp(batch.created),
        "timeStarted": timestamp(started) if now >= started else None,
        "timeFinished": timestamp(batch.done) if now >= batch.done else None,
        "owner": _user(batch.owner),
    }
    return {"id": batch.id, "job": job}


class AnalysisViews:
    """Shows items and analyses of a project, with their outcome according to the catalog."""

    def __init__(self, world: World, outcomes: Outcomes) -> None:
        self._world = world
        self._outcomes = outcomes
        self._pipeline = lru_cache(maxsize=1000)(self._pipeline_view)

    def item(self, row: ItemRow, now: float, media: str) -> dict[str, Any]:
        """An AnalysisCreationBatchItem of the version of ``media``."""
        status = item_status(now, row.created, row.settled, row.fate)
        view = {
            "id": row.id,
            "request": {"userReference": row.user_reference, "pipelineId": row.pipeline, "tags": _tags(row)},
            "processing": {
                "status": status,
                "additionalStatusInformation": self._reason(row, status) if status == "FAILED" else None,
            },
        }
        if status == "SUCCEEDED":
            view["createdAnalysis"] = self.analysis(row, now, media)
        return view

    def analysis(self, row: ItemRow, now: float, media: str) -> dict[str, Any]:
        """An Analysis of the version of ``media``."""
        state = state_of(row, now)
        newer = media == V4
        return {
            "id": row.analysis,
            "timeCreated": timestamp(row.settled),
            "timeModified": timestamp(state.modified),
            **ownership(row.owner, newer=newer),
            "reference": row.reference,
            "userReference": row.user_reference,
            "pipeline": self._pipeline(row.project, row.pipeline, row.kind, newer),
            "status": state.status if newer else status_in_version_3(state.status),
            "startDate": None if state.started is None else timestamp(state.started),
            "endDate": None if state.ended is None else timestamp(state.ended),
            "summary": self._reason(row, state.status),
            "analysisPriority": "MEDIUM",
            "tags": _tags(row),
        }

    def _reason(self, row: ItemRow, status: str) -> str | None:
        """Why it ended according to its fate; empty if it ended in another way."""
        usual = _SUMMARIES.get((row.fate, status))
        return usual and (self._outcomes.reason(row) or usual)

    def _pipeline_view(self, project: str, reference: str, kind: str, newer: bool) -> orjson.Fragment:
        """A Pipeline as JSON text; if it declares nothing, with the language of the request."""
        found = self._world.pipelines.find(project, reference) or Pipeline(
            id=uuid_of(reference), code=reference, name=reference, language="unknown"
        )
        if found.language == "unknown":
            form: dict[str, Any] | None = {} if kind == "nextflowJson" else None
            language: Literal["cwl", "nextflow"] = "cwl" if kind == "cwl" else "nextflow"
            found = msgspec.structs.replace(found, language=language, form=form)
        view = pipeline_view(found, self._world.storage(found.storage), newer=newer)
        return orjson.Fragment(orjson.dumps(view))


def _tags(row: ItemRow) -> dict[str, Any]:
    return {
        "technicalTags": orjson.Fragment(row.technical_tags),
        "userTags": orjson.Fragment(row.user_tags),
        "referenceTags": orjson.Fragment(row.reference_tags),
    }


def _user(user: str) -> dict[str, Any]:
    return {
        **stamped("user"),
        "id": user,
        "username": f"user-{user[:8]}",
        "email": f"user-{user[:8]}@example.org",
        "active": True,
        "tenantAdministrator": False,
        "emailVerified": True,
        "twoFactorAuthentication": False,
    }
