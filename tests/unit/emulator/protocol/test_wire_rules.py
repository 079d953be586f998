"""What the emulator accepts as a body: one good body of each kind, and one fault for each rule."""

from __future__ import annotations

import json

import pytest

from manifest_runner.emulator.protocol.problems import Problem
from manifest_runner.emulator.protocol.wire_rules import read_batch, read_query

UUID = "7595e8f2-32d3-4c76-a324-c6a85dae87b5"
EXTERNAL = {
    "url": "s3://bucket/a",
    "type": "s3",
    "mountPath": None,
    "s3Details": {"storageCredentialsId": UUID},
    "basespaceDetails": {"workgroupId": None, "extensions": "bam", "pathPrefix": "a"},
}
DATA = {"dataIds": ["fil.1"], "mounts": [{"dataId": "fil.1", "mountPath": "a"}, None], "externalData": [EXTERNAL]}
STRUCTURED = {
    "inputs": [{"parameterCode": "reads", **DATA}],
    "parameters": [{"code": "a", "value": "b"}, {"code": "a", "value": None, "multiValue": ["x", None]}, None],
    "referenceDataParameters": [{"parameterCode": "r", "referenceDataId": UUID}],
}
COMMON = {
    "userReference": "Study 1/sample_2-a",
    "pipelineId": "urn:ilmn:ica:pipeline:" + UUID,
    "tags": {"technicalTags": ["a", None], "userTags": None, "referenceTags": []},
    "analysisStorageId": UUID.upper(),
    "outputParentFolderId": None,
    "logs": {"logsFolderId": None, "logsFolderPath": "/logs/a/"},
    "analysisOutput": [
        {
            "sourcePath": "out/",
            "type": "FOLDER",
            "targetProjectId": UUID,
            "targetPath": "/a/",
            "actionOnExist": "RENAME",
        }
    ],
}
FIELDS = [
    {
        "id": "f",
        "values": ["a", None],
        "dataValues": [{"dataId": "fil.1", "mountPath": "a"}],
        "externalDataValues": [EXTERNAL],
    }
]
GOOD = {
    "nextflowItems": [{**COMMON, "analysisInput": STRUCTURED, "activationCodeDetailId": UUID}],
    "nextflowJsonItems": [
        {
            **COMMON,
            "inputFormValues": {"fields": FIELDS, "groups": [{"id": "g", "values": [{"values": FIELDS}]}]},
        }
    ],
    "cwlItems": [
        {**COMMON, "analysisInput": {"objectType": "STRUCTURED", **STRUCTURED}},
        {**COMMON, "analysisInput": {"objectType": "JSON", "inputJson": "{}", **DATA}, "logs": None},
    ],
}


def faults(body):
    with pytest.raises(Problem) as caught:
        read_batch(json.dumps(body).encode())
    assert caught.value.status == 400
    return caught.value.parameters


def changed(path, value):
    """The good body with another value at a path such as ``nextflowItems.0.tags``; ``...`` removes it."""
    body = json.loads(json.dumps(GOOD))
    place = body
    *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
    for step in way:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return body


def test_a_full_body_of_every_kind_is_accepted():
    assert read_batch(json.dumps(GOOD).encode()) == GOOD


@pytest.mark.parametrize("reference", ["a", "A b", "a/b", "/a", "-", "x" * 255])
def test_good_user_references_are_accepted(reference):
    read_batch(json.dumps(changed("nextflowItems.0.userReference", reference)).encode())


@pytest.mark.parametrize(
    "path",
    ["0.tags", "0.analysisStorageId", "0.logs", "0.analysisOutput", "0.activationCodeDetailId",
     "0.analysisInput.parameters", "0.analysisInput.inputs.0.dataIds", "0.analysisInput.inputs.0.externalData"],
)  # fmt: skip
def test_what_is_optional_may_be_left_out(path):
    read_batch(json.dumps(changed(f"nextflowItems.{path}", ...)).encode())


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("nextflowItems.0.userReference", "", "nextflowItems[0].userReference"),
        ("nextflowItems.0.userReference", "x" * 256, "nextflowItems[0].userReference"),
        ("nextflowItems.0.userReference", "a/", "nextflowItems[0].userReference"),
        ("nextflowItems.0.userReference", "a//b", "nextflowItems[0].userReference"),
        ("nextflowItems.0.userReference", "a.b", "nextflowItems[0].userReference"),
        ("nextflowItems.0.userReference", "a\n", "nextflowItems[0].userReference"),
        ("nextflowItems.0.userReference", "é", "nextflowItems[0].userReference"),
        ("nextflowItems.0.userReference", None, "nextflowItems[0].userReference"),
        ("nextflowItems.0.userReference", 1, "nextflowItems[0].userReference"),
        ("nextflowItems.0.userReference", ..., "nextflowItems[0].userReference"),
        ("nextflowItems.0.pipelineId", ..., "nextflowItems[0].pipelineId"),
        ("nextflowItems.0.analysisInput", ..., "nextflowItems[0].analysisInput"),
        ("nextflowItems.0.analysisInput", None, "nextflowItems[0].analysisInput"),
        ("nextflowItems.0.analysisInput.inputs", ..., "nextflowItems[0].analysisInput.inputs"),
        ("nextflowItems.0.surprise", 1, "nextflowItems[0].surprise"),
        ("nextflowItems.0.inputFormValues", {}, "nextflowItems[0].inputFormValues"),
        ("nextflowItems.0.tags", None, "nextflowItems[0].tags"),
        ("nextflowItems.0.tags", [], "nextflowItems[0].tags"),
        ("nextflowItems.0.tags.userTags", ["a", 2], "nextflowItems[0].tags.userTags[1]"),
        ("nextflowItems.0.analysisStorageId", "small", "nextflowItems[0].analysisStorageId"),
        ("nextflowItems.0.analysisStorageId", UUID + "\n", "nextflowItems[0].analysisStorageId"),
        ("nextflowItems.0.activationCodeDetailId", "x", "nextflowItems[0].activationCodeDetailId"),
        ("nextflowItems.0.logs.logsFolderPath", "logs", "nextflowItems[0].logs.logsFolderPath"),
        ("nextflowItems.0.logs.logsFolderPath", "//", "nextflowItems[0].logs.logsFolderPath"),
        ("nextflowItems.0.analysisOutput.0.type", "FILES", "nextflowItems[0].analysisOutput[0].type"),
        ("nextflowItems.0.analysisOutput.0.type", None, "nextflowItems[0].analysisOutput[0].type"),
        ("nextflowItems.0.analysisOutput.0.actionOnExist", "XRENAME",
         "nextflowItems[0].analysisOutput[0].actionOnExist"),
        ("nextflowItems.0.analysisOutput.0.targetPath", ..., "nextflowItems[0].analysisOutput[0].targetPath"),
        ("nextflowItems.0.analysisInput.inputs.0.parameterCode", ...,
         "nextflowItems[0].analysisInput.inputs[0].parameterCode"),
        ("nextflowItems.0.analysisInput.inputs.0.dataIds", None, "nextflowItems[0].analysisInput.inputs[0].dataIds"),
        ("nextflowItems.0.analysisInput.inputs.0.dataIds.0", None,
         "nextflowItems[0].analysisInput.inputs[0].dataIds[0]"),
        ("nextflowItems.0.analysisInput.inputs.0.mounts.0.mountPath", ...,
         "nextflowItems[0].analysisInput.inputs[0].mounts[0].mountPath"),
        ("nextflowItems.0.analysisInput.inputs.0.externalData.0.type", "ftp",
         "nextflowItems[0].analysisInput.inputs[0].externalData[0].type"),
        ("nextflowItems.0.analysisInput.inputs.0.externalData.0.s3Details.storageCredentialsId", "x",
         "nextflowItems[0].analysisInput.inputs[0].externalData[0].s3Details.storageCredentialsId"),
        ("nextflowItems.0.analysisInput.parameters.0.value", True,
         "nextflowItems[0].analysisInput.parameters[0].value"),
        ("nextflowItems.0.analysisInput.parameters.0.multiValue", ["b"],
         "nextflowItems[0].analysisInput.parameters[0]"),
        ("nextflowItems.0.analysisInput.referenceDataParameters.0.referenceDataId", "x",
         "nextflowItems[0].analysisInput.referenceDataParameters[0].referenceDataId"),
        ("nextflowJsonItems.0.inputFormValues", ..., "nextflowJsonItems[0].inputFormValues"),
        ("nextflowJsonItems.0.activationCodeDetailId", UUID, "nextflowJsonItems[0].activationCodeDetailId"),
        ("nextflowJsonItems.0.inputFormValues.fields.0.id", ..., "nextflowJsonItems[0].inputFormValues.fields[0].id"),
        ("nextflowJsonItems.0.inputFormValues.fields.0.values", "a",
         "nextflowJsonItems[0].inputFormValues.fields[0].values"),
        ("nextflowJsonItems.0.inputFormValues.fields.0.dataValues.0.dataId", ...,
         "nextflowJsonItems[0].inputFormValues.fields[0].dataValues[0].dataId"),
        ("nextflowJsonItems.0.inputFormValues.groups.0.id", ..., "nextflowJsonItems[0].inputFormValues.groups[0].id"),
        ("nextflowJsonItems.0.inputFormValues.groups.0.values.0.values.0.id", 1,
         "nextflowJsonItems[0].inputFormValues.groups[0].values[0].values[0].id"),
        ("cwlItems.0.analysisInput.objectType", ..., "cwlItems[0].analysisInput.objectType"),
        ("cwlItems.0.analysisInput.objectType", "XML", "cwlItems[0].analysisInput.objectType"),
        ("cwlItems.0.analysisInput.objectType", ["JSON"], "cwlItems[0].analysisInput.objectType"),
        ("cwlItems.0.analysisInput.inputJson", "{}", "cwlItems[0].analysisInput.inputJson"),
        ("cwlItems.0.analysisInput", "text", "cwlItems[0].analysisInput"),
        ("cwlItems.1.analysisInput.inputJson", {}, "cwlItems[1].analysisInput.inputJson"),
        ("cwlItems.1.analysisInput.parameters", [], "cwlItems[1].analysisInput.parameters"),
        ("nextflowItems", None, "nextflowItems"),
        ("nextflowItems", {}, "nextflowItems"),
        ("nextflowItems.0", None, "nextflowItems[0]"),
        ("items", [], "items"),
    ],
)  # fmt: skip
def test_each_broken_rule_is_reported_at_its_place_and_nowhere_else(path, value, fault):
    assert list(faults(changed(path, value))) == [fault]


def test_all_faults_are_reported_at_once():
    body = changed("nextflowItems.0.userReference", "a.b")
    body["cwlItems"][1]["pipelineId"] = None
    body["surprise"] = 1
    assert set(faults(body)) == {"nextflowItems[0].userReference", "cwlItems[1].pipelineId", "surprise"}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b"null", b"{}", b'{"nextflowItems":[],"cwlItems":[]}'])
def test_a_body_without_items_is_refused(body):
    with pytest.raises(Problem) as caught:
        read_batch(body)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "body",
    [b'{"status":null}', b'{"status":["DONE"]}', b'{"status":"FAILED"}', b'{"colour":1}', b'{"userTags":[1]}', b"[]"],
)
def test_a_bad_search_is_refused(body):
    with pytest.raises(Problem) as caught:
        read_query(body)
    assert caught.value.status == 400
    assert caught.value.parameters


def test_a_hostile_path_is_refused_quickly():
    assert faults(changed("nextflowItems.0.logs.logsFolderPath", "/" + "a" * 50_000 + "//"))
