"""The JSON shapes of the API, version 3 and 4, made of what is stored.

What the API requires and the emulator does not know (tenant, region, storage) is filled with neutral values.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from manifest_runner.emulator.protocol.identifiers import derive, is_uuid
from manifest_runner.emulator.protocol.media import V4
from manifest_runner.emulator.protocol.timestamps import timestamp
from manifest_runner.emulator.store.database import BatchRow
from manifest_runner.emulator.store.queries import ItemRow
from manifest_runner.emulator.store.timetable import (
    Fate,
    analysis_state,
    item_status,
    job_started_at,
    job_status,
)

_TENANT = derive("tenant")
_EPOCH = timestamp(0)
_SUMMARIES: dict[tuple[int, str], str] = {
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


def batch_view(batch: BatchRow, now: float) -> dict[str, Any]:
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


def item_view(row: ItemRow, now: float, media: str) -> dict[str, Any]:
    """An AnalysisCreationBatchItem of the version of ``media``."""
    status = item_status(now, row.created, row.settled, row.fate)
    failed = status == "FAILED"
    view = {
        "id": row.id,
        "request": {"userReference": row.user_reference, "pipelineId": row.pipeline, "tags": _tags(row)},
        "processing": {
            "status": status,
            "additionalStatusInformation": "The emulator was set to fail this creation." if failed else None,
        },
    }
    if status == "SUCCEEDED":
        view["createdAnalysis"] = analysis_view(row, now, media)
    return view


def analysis_view(row: ItemRow, now: float, media: str) -> dict[str, Any]:
    """An Analysis of the version of ``media``."""
    state = analysis_state(now, row.settled, row.duration, row.fate, row.aborted)
    newer = media == V4
    return {
        "id": row.analysis,
        "timeCreated": timestamp(row.settled),
        "timeModified": timestamp(state.modified),
        **_ownership(row.owner, newer),
        "reference": row.reference,
        "userReference": row.user_reference,
        "pipeline": _pipeline(row.pipeline, row.kind, newer),
        "status": state.status if newer else status_in_version_3(state.status),
        "startDate": None if state.started is None else timestamp(state.started),
        "endDate": None if state.ended is None else timestamp(state.ended),
        "summary": _summary(row.fate, state.status),
        "analysisPriority": "MEDIUM",
        "tags": _tags(row),
    }


def project_view(project: str) -> dict[str, Any]:
    """A Project of which nothing is known but its id."""
    country = {**_stamped("country"), "code": "ZZ", "name": "Nowhere", "region": "None"}
    region = {**_stamped("region"), "code": "ZZ", "country": country, "cityName": "Nowhere"}
    return {
        **_stamped("project"),
        "id": project,
        "name": f"project-{project[:8]}",
        "active": True,
        "region": region,
        "billingMode": "PROJECT",
        "tags": {"technicalTags": [], "userTags": []},
    }


def _summary(fate: int, status: str) -> str | None:
    return _SUMMARIES.get((fate, status))


def _tags(row: ItemRow) -> dict[str, Any]:
    return {
        "technicalTags": orjson.Fragment(row.technical_tags),
        "userTags": orjson.Fragment(row.user_tags),
        "referenceTags": orjson.Fragment(row.reference_tags),
    }


@lru_cache(maxsize=1000)
def _pipeline(pipeline: str, kind: str, newer: bool) -> orjson.Fragment:
    """A Pipeline as JSON text; its id is a UUID even if the request named it by its URN."""
    view = {
        **_stamped("pipeline", newer=newer),
        "id": pipeline if is_uuid(pipeline) else derive("pipeline", pipeline),
        "urn": None,
        "code": f"pipeline-{pipeline[:200]}",
        "description": "A pipeline of the emulator",
        "status": "RELEASED",
        "language": "CWL" if kind == "cwl" else "NEXTFLOW",
        "pipelineTags": {"technicalTags": []},
        "analysisStorage": _storage(newer),
        "inputFormType": "JSON" if kind == "nextflowJson" else "XML",
    }
    return orjson.Fragment(orjson.dumps(view))


def _storage(newer: bool) -> dict[str, Any]:
    plain = {"id": derive("storage"), "name": "Small", "description": None}
    return plain if newer else {**_stamped("storage"), **plain}


def _stamped(what: str, *, newer: bool = False) -> dict[str, Any]:
    """The members that most objects share; who made the emulator's own objects is its tenant."""
    return {"id": derive(what), "timeCreated": _EPOCH, "timeModified": _EPOCH, **_ownership(_TENANT, newer)}


def _ownership(owner: str, newer: bool) -> dict[str, Any]:
    if newer:
        return {"owner": {"id": owner}, "tenant": {"id": _TENANT, "name": "emulator"}}
    return {"ownerId": owner, "tenantId": _TENANT, "tenantName": "emulator"}


def _user(user: str) -> dict[str, Any]:
    return {
        **_stamped("user"),
        "id": user,
        "username": f"user-{user[:8]}",
        "email": f"user-{user[:8]}@example.org",
        "active": True,
        "tenantAdministrator": False,
        "emailVerified": True,
        "twoFactorAuthentication": False,
    }
