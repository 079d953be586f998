"""The bodies that the API accepts, according to its specification, as tables of checks."""

from __future__ import annotations

from typing import Any

import orjson

from manifest_runner.emulator.protocol.checks import (
    Check,
    Mistakes,
    any_text,
    anything,
    list_of,
    nullable,
    one_of,
    record,
    text,
    variant,
)
from manifest_runner.emulator.protocol.identifiers import UUID_PATTERN
from manifest_runner.emulator.protocol.problems import Problem

KINDS = {"cwlItems": "cwl", "nextflowItems": "nextflow", "nextflowJsonItems": "nextflowJson"}
ANALYSIS_STATUSES = (
    "REQUESTED", "QUEUED", "INITIALIZING", "PREPARING_INPUTS", "IN_PROGRESS", "GENERATING_OUTPUTS",
    "AWAITING_INPUT", "ABORTING", "SUCCEEDED", "FAILED", "FAILED_FINAL", "ABORTED",
)  # fmt: skip

_OPTIONAL_TEXT = nullable(any_text)
_UUID = text(pattern=UUID_PATTERN, says="must be a UUID")
_OPTIONAL_UUID = nullable(_UUID)
_USER_REFERENCE = text(
    shortest=1,
    longest=255,
    pattern="[a-zA-Z0-9 _-]*(/[a-zA-Z0-9 _-]+)*",
    says="may contain letters, digits, spaces, '_', '-' and single '/' between them",
)
_TEXTS = nullable(list_of(_OPTIONAL_TEXT))


def _one_value(parameter: dict[str, Any]) -> Mistakes:
    if parameter.get("value") is not None and parameter.get("multiValue") is not None:
        return [("", "must not have both value and multiValue")]
    return ()


_MOUNT = nullable(record({"dataId": any_text, "mountPath": any_text}, required=("dataId", "mountPath")))
_EXTERNAL_DATA = nullable(
    record(
        {
            "url": any_text,
            "type": one_of("s3", "http", "basespace"),
            "mountPath": _OPTIONAL_TEXT,
            "s3Details": record({"storageCredentialsId": _OPTIONAL_UUID}),
            "basespaceDetails": record(
                {"workgroupId": _OPTIONAL_TEXT, "extensions": _OPTIONAL_TEXT, "pathPrefix": _OPTIONAL_TEXT}
            ),
        },
        required=("url", "type"),
    )
)
_DATA: dict[str, Check] = {
    "dataIds": list_of(any_text),
    "mounts": nullable(list_of(_MOUNT)),
    "externalData": nullable(list_of(_EXTERNAL_DATA)),
}
_PARAMETER = nullable(
    record(
        {"code": any_text, "value": _OPTIONAL_TEXT, "multiValue": _TEXTS},
        also=_one_value,
    )
)
_STRUCTURED: dict[str, Check] = {
    "inputs": list_of(record({"parameterCode": any_text, **_DATA}, required=("parameterCode",))),
    "parameters": nullable(list_of(_PARAMETER)),
    "referenceDataParameters": nullable(
        list_of(nullable(record({"parameterCode": any_text, "referenceDataId": _UUID})))
    ),
}
_FIELDS = list_of(
    record(
        {
            "id": any_text,
            "values": _TEXTS,
            "dataValues": nullable(
                list_of(nullable(record({"dataId": any_text, "mountPath": any_text}, required=("dataId",))))
            ),
            "externalDataValues": nullable(list_of(_EXTERNAL_DATA)),
            "sampleValues": list_of(_UUID),
            "runSampleValues": list_of(_UUID),
        },
        required=("id",),
    )
)
_NEXTFLOW_INPUT = record(_STRUCTURED, required=("inputs",))
_NEXTFLOW_JSON_INPUT = record(
    {
        "fields": _FIELDS,
        "groups": list_of(record({"id": any_text, "values": list_of(record({"values": _FIELDS}))}, required=("id",))),
    }
)
_CWL_INPUT = variant(
    "objectType",
    {
        "STRUCTURED": record({"objectType": any_text, **_STRUCTURED}, required=("inputs",)),
        "JSON": record({"objectType": any_text, "inputJson": any_text, **_DATA}, required=("inputJson",)),
    },
)
_OUTPUT = nullable(
    record(
        {
            "sourcePath": any_text,
            "type": one_of("FILE", "FOLDER"),
            "targetProjectId": any_text,
            "targetPath": any_text,
            "actionOnExist": one_of("OVERWRITE", "RENAME", "SKIP"),
        },
        required=("sourcePath", "targetProjectId", "targetPath"),
    )
)
_COMMON: dict[str, Check] = {
    "userReference": _USER_REFERENCE,
    "pipelineId": any_text,
    "tags": record({"technicalTags": _TEXTS, "userTags": _TEXTS, "referenceTags": _TEXTS}),
    "analysisStorageId": _OPTIONAL_UUID,
    "outputParentFolderId": _OPTIONAL_TEXT,
    "logs": nullable(
        record(
            {
                "logsFolderId": _OPTIONAL_TEXT,
                "logsFolderPath": nullable(
                    text(pattern="/([^/]+(/[^/]+)*/?)?", says="must be an absolute path without empty parts")
                ),
            }
        )
    ),
    "analysisOutput": nullable(list_of(_OUTPUT)),
}


def _item(own: dict[str, Check], required: str) -> Check:
    return record({**_COMMON, **own}, required=("userReference", "pipelineId", required))


_ACTIVATION: dict[str, Check] = {"activationCodeDetailId": _OPTIONAL_UUID}
_BATCH = record(
    {
        "cwlItems": list_of(_item({"analysisInput": _CWL_INPUT, **_ACTIVATION}, "analysisInput")),
        "nextflowItems": list_of(_item({"analysisInput": _NEXTFLOW_INPUT, **_ACTIVATION}, "analysisInput")),
        "nextflowJsonItems": list_of(_item({"inputFormValues": _NEXTFLOW_JSON_INPUT}, "inputFormValues")),
    }
)
_QUERY = record(
    {
        "reference": _OPTIONAL_TEXT,
        "userReference": _OPTIONAL_TEXT,
        "status": list_of(nullable(one_of(*ANALYSIS_STATUSES))),
        "userTags": _TEXTS,
        "technicalTags": _TEXTS,
        "referenceTags": _TEXTS,
        "pipelineNames": list_of(any_text, longest=20),
        "pipelineUUIDs": list_of(_UUID, longest=20),
        "sampleIds": list_of(_UUID, longest=20),
    }
)
_MATCH = record({"equals": any_text, "contains": any_text, "startsWith": any_text})
_TEN_IDS = list_of(_UUID, longest=10)
_PIPELINE_QUERY = record(
    {
        "ids": _TEN_IDS,
        "pipelineGroups": _TEN_IDS,
        "name": _MATCH,
        "version": _MATCH,
        "description": _MATCH,
        "statuses": list_of(any_text),
        "pipelineLanguage": any_text,
        "pipelineLanguageVersionStatus": record({"values": list_of(any_text), "matchMode": any_text}),
        "lastUsed": record({"before": any_text, "after": any_text, "empty": anything}),
        "pinned": anything,
        "owners": _TEN_IDS,
        "numberOfVersionsToIncludeForEachPipelineGroup": anything,
    }
)
_DATA_TO_DOWNLOAD = record({"dataIds": list_of(any_text), "dataPaths": list_of(any_text)})


def read_pipeline_query(body: bytes) -> dict[str, Any]:
    """The checked body of a search for pipelines. Raises Problem 400 with every mistake."""
    query: dict[str, Any] = _read(body, _PIPELINE_QUERY)
    return query


def read_data_to_download(body: bytes) -> dict[str, list[str]]:
    """The checked body that asks for download URLs, by ids and by paths. Raises Problem 400."""
    wanted: dict[str, list[str]] = _read(body, _DATA_TO_DOWNLOAD)
    if not any(wanted.values()):
        raise Problem(400, "The body must have at least one id or path.")
    return wanted


def read_batch(body: bytes) -> dict[str, list[dict[str, Any]]]:
    """The checked body of a batch: item lists by field name. Raises Problem 400 with every mistake."""
    batch: dict[str, list[dict[str, Any]]] = _read(body, _BATCH)
    if not any(batch.values()):
        raise Problem(400, "A batch must have at least one item.")
    return batch


def read_query(body: bytes) -> dict[str, Any]:
    """The checked body of a search, which may be empty. Raises Problem 400 with every mistake."""
    query: dict[str, Any] = _read(body, _QUERY) if body.strip() else {}
    return query


def _read(body: bytes, check: Check) -> Any:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem(400, f"The body is not JSON: {error}") from error
    if mistakes := check(value):
        named = {path.removeprefix(".") or "body": message for path, message in mistakes}
        raise Problem(400, "The body is not valid; see parameters.", parameters=named)
    return value
