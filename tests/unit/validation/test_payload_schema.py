"""The payload schema is the API's CreateAnalysisCreationBatch, and all readers read it alike."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import jsonschema
import lazy_libica as libica
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from manifest_runner.model import KINDS, Kind
from manifest_runner.validation.shipped_schemas import item_checker, schema_text

# What version 3 of the API publishes; \Z because its server knows no end "before a last line break".
API_USER_REFERENCE = re.compile(r"[a-zA-Z0-9 _-]*(/[a-zA-Z0-9 _-]+)*\Z")
TYPES = {
    "nextflow": "CreateNextflowAnalysis",
    "nextflowJson": "CreateNextflowJsonAnalysis",
    "cwl": "CreateCwlAnalysis",
}
UUID = "7595e8f2-32d3-4c76-a324-c6a85dae87b5"
SCHEMA = json.loads(schema_text("payload"))
MINIMAL: dict[Kind, dict[str, Any]] = {
    "nextflow": {"userReference": "a", "pipelineId": "urn:p", "analysisInput": {"inputs": []}},
    "nextflowJson": {"userReference": "a", "pipelineId": "urn:p", "inputFormValues": {}},
    "cwl": {
        "userReference": "a",
        "pipelineId": "urn:p",
        "analysisInput": {"objectType": "STRUCTURED", "inputs": []},
    },
}


def stock_validator(kind: Kind) -> jsonschema.Draft202012Validator:
    """jsonschema as anybody would use it, with none of our additions."""
    schema = {**SCHEMA, "$ref": f"#/$defs/{TYPES[kind]}", "properties": {}, "additionalProperties": True}
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


STOCK = {kind: stock_validator(kind) for kind in KINDS}


# -- items: every field of the API, each there or not


def mapping(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=optional)


text = st.sampled_from(["", "x", "fil.6f0c", "ä/ö", "{{"])
maybe_text = st.none() | text
uuid = st.uuids().map(str) | st.just(UUID.upper())
user_reference = st.from_regex(r"[a-zA-Z0-9 _-]{1,9}(/[a-zA-Z0-9 _-]{1,5}){0,2}", fullmatch=True)


def some(each: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(each, max_size=2)


tags = st.none() | some(maybe_text)
mounts = st.none() | some(st.none() | mapping({"dataId": text, "mountPath": text}, {}))
external = mapping(
    {"url": text, "type": st.sampled_from(["s3", "http", "basespace"])},
    {
        "mountPath": maybe_text,
        "s3Details": mapping({}, {"storageCredentialsId": st.none() | uuid}),
        "basespaceDetails": mapping(
            {}, {"workgroupId": maybe_text, "extensions": maybe_text, "pathPrefix": maybe_text}
        ),
    },
)
externals = st.none() | some(st.none() | external)
data_input = mapping({"parameterCode": text}, {"dataIds": some(text), "mounts": mounts, "externalData": externals})
parameter = (
    st.none()
    | mapping({}, {"code": text, "value": maybe_text})
    | mapping({"multiValue": st.none() | some(maybe_text)}, {"code": text})
)
reference_data = st.none() | mapping({}, {"parameterCode": text, "referenceDataId": uuid})
structured = {
    "parameters": st.none() | some(parameter),
    "referenceDataParameters": st.none() | some(reference_data),
}
nextflow_input = mapping({"inputs": some(data_input)}, structured)
cwl_input = mapping({"objectType": st.just("STRUCTURED"), "inputs": some(data_input)}, structured) | mapping(
    {"objectType": st.just("JSON"), "inputJson": text},
    {"dataIds": some(text), "mounts": mounts, "externalData": externals},
)
form_field = mapping(
    {"id": text},
    {
        "values": st.none() | some(maybe_text),
        "dataValues": st.none() | some(st.none() | mapping({"dataId": text}, {"mountPath": text})),
        "externalDataValues": externals,
    },
)
form_group = mapping({"id": text}, {"values": some(mapping({}, {"values": some(form_field)}))})
form_values = mapping({}, {"fields": some(form_field), "groups": some(form_group)})
output = mapping(
    {"sourcePath": text, "targetProjectId": text, "targetPath": text},
    {
        "type": st.sampled_from(["FILE", "FOLDER"]),
        "actionOnExist": st.sampled_from(["OVERWRITE", "RENAME", "SKIP"]),
    },
)
logs = st.none() | mapping({}, {"logsFolderId": maybe_text, "logsFolderPath": st.sampled_from([None, "/", "/a/b/"])})


def item(kind: Kind) -> st.SearchStrategy[dict[str, Any]]:
    own = {
        "nextflow": {"analysisInput": nextflow_input},
        "nextflowJson": {"inputFormValues": form_values},
        "cwl": {"analysisInput": cwl_input},
    }
    code = {} if kind == "nextflowJson" else {"activationCodeDetailId": st.none() | uuid}
    return mapping(
        {"userReference": user_reference, "pipelineId": text, **own[kind]},
        {
            "tags": mapping({}, {"technicalTags": tags, "userTags": tags, "referenceTags": tags}),
            "analysisStorageId": st.none() | uuid,
            "outputParentFolderId": maybe_text,
            "logs": logs,
            "analysisOutput": st.none() | some(st.none() | output),
            **code,
        },
    )


kinds_and_items = st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind), item(kind)))
junk = st.sampled_from(
    [None, True, 0, 1.5, "", "x", "x\n", UUID + "\n", UUID[:-1], "/", "JSON", [], ["x"], {}, {"x": 1}]
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a value."""
    pairs = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [(value, key) for key, _ in pairs] + [place for _, each in pairs for place in places(each)]


@st.composite
def broken_items(draw: st.DrawFn) -> tuple[Kind, Any]:
    """An item after a change, which mostly makes it invalid: a value replaced, a key gone, renamed or new."""
    kind, whole = draw(kinds_and_items)
    whole = copy.deepcopy(whole)
    container, key = draw(st.sampled_from(places(whole)))
    change = draw(st.sampled_from(["replace", "remove", "rename", "add"]))
    if change == "replace" or isinstance(container, list):
        container[key] = draw(junk)
    elif change == "add":
        container[draw(st.sampled_from(["value", "multiValue", "inputs", "inputJson", "extra"]))] = draw(junk)
    else:
        value = container.pop(key)
        container.update({key.upper(): value} if change == "rename" else {})
    return kind, whole


quick = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


@quick
@given(kinds_and_items)
def test_whatever_the_api_allows_is_valid(made: tuple[Kind, Any]) -> None:
    kind, whole = made
    assert item_checker(kind).faults(whole) == []
    assert STOCK[kind].is_valid(whole)


@quick
@given(broken_items())
def test_both_validators_agree_on_broken_items(made: tuple[Kind, Any]) -> None:
    kind, whole = made
    checker = item_checker(kind)
    faults = checker.faults(whole)
    assert checker.is_valid(whole) == STOCK[kind].is_valid(whole) == (not faults)
    assert not any("this value" in fault.message for fault in faults), "jsonschema had no words for it"


@quick
@given(kinds_and_items | broken_items())
def test_the_public_sdk_takes_what_the_schema_takes(made: tuple[Kind, Any]) -> None:
    kind, whole = made
    if item_checker(kind).is_valid(whole):
        assert getattr(libica, TYPES[kind]).from_dict(whole) is not None


# -- userReference


@quick
@given(st.text(st.sampled_from("aZ9 _-/.\n\rä"), max_size=12))
def test_a_user_reference_is_what_the_api_takes(reference: str) -> None:
    whole = {**MINIMAL["nextflow"], "userReference": reference}
    wanted = bool(reference) and API_USER_REFERENCE.match(reference) is not None
    assert item_checker("nextflow").is_valid(whole) == wanted
    assert STOCK["nextflow"].is_valid(whole) == wanted


@pytest.mark.parametrize("reference", ["a\n", "a/b\n", "\n", "a\r", "a b\x00", "ß", "a.b", "a//b", "a/", "", "x" * 256])
def test_a_user_reference_is_refused(reference: str) -> None:
    whole = {**MINIMAL["nextflow"], "userReference": reference}
    assert not item_checker("nextflow").is_valid(whole)
    assert not STOCK["nextflow"].is_valid(whole)


@pytest.mark.parametrize("reference", ["x" * 255, "/a", "a/b/c", " ", "-", "NA12878_T-1 rerun/2"])
def test_a_user_reference_is_taken(reference: str) -> None:
    whole = {**MINIMAL["nextflow"], "userReference": reference}
    assert item_checker("nextflow").is_valid(whole)
    assert STOCK["nextflow"].is_valid(whole)


def test_the_pattern_of_user_references_can_be_matched_in_one_way_only():
    """No part can begin where the part before could go on; else this search would not come to an end."""
    pattern = SCHEMA["$defs"]["UserReference"]["pattern"]
    assert re.search(pattern, "/a" * 100_000 + ".") is None


# -- the rest of the rules, one by one


@pytest.mark.parametrize(
    "text",
    [
        "{" + UUID + "}",
        "urn:uuid:" + UUID,
        UUID.replace("-", ""),
        UUID + "\n",
        UUID[:-2] + "_1",
        UUID.replace("7", "٧"),
        "",
    ],
)
def test_a_uuid_has_one_spelling(text: str) -> None:
    whole = {**MINIMAL["cwl"], "analysisStorageId": text}
    assert not item_checker("cwl").is_valid(whole)
    assert [fault.path for fault in item_checker("cwl").faults(whole)] == [("analysisStorageId",)]


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("nextflow", {"inputFormValues": {}}),
        ("nextflow", {"analysisInput": {"objectType": "STRUCTURED", "inputs": []}}),
        ("nextflow", {"analysisInput": {}}),
        ("nextflow", {"analysisInput": {"inputs": None}}),
        ("nextflow", {"analysisInput": {"inputs": [None]}}),
        ("nextflow", {"analysisInput": {"inputs": [{"dataIds": []}]}}),
        ("nextflow", {"analysisInput": {"inputs": [{"parameterCode": "a", "dataIds": None}]}}),
        ("nextflow", {"tags": None}),
        ("nextflow", {"tags": {"userTags": [1]}}),
        ("nextflow", {"pipelineId": None}),
        ("nextflow", {"logs": {"logsFolderPath": "a"}}),
        ("nextflow", {"analysisOutput": [{"sourcePath": "a", "targetPath": "b"}]}),
        ("nextflowJson", {"activationCodeDetailId": UUID}),
        ("nextflowJson", {"analysisInput": {"inputs": []}}),
        ("nextflowJson", {"inputFormValues": {"fields": None}}),
        ("nextflowJson", {"inputFormValues": {"groups": [{"values": []}]}}),
        ("cwl", {"analysisInput": {"inputs": []}}),
        ("cwl", {"analysisInput": {"objectType": "STRUCTURED"}}),
        ("cwl", {"analysisInput": {"objectType": "JSON"}}),
        ("cwl", {"analysisInput": {"objectType": "JSON", "inputJson": "{}", "inputs": []}}),
        ("cwl", {"analysisInput": {"objectType": "STRUCTURED", "inputs": [], "inputJson": "{}"}}),
        ("cwl", {"analysisInput": {"objectType": "JSON", "inputJson": {}}}),
    ],
)
def test_what_the_api_forbids_is_refused(kind: Kind, change: dict[str, Any]) -> None:
    whole = {**MINIMAL[kind], **change}
    assert not item_checker(kind).is_valid(whole)
    assert not STOCK[kind].is_valid(whole)


@pytest.mark.parametrize("word", ["OVERWRITE", "RENAME", "SKIP", "NO_SKIP", "SKIP\n", "skip", None])
def test_an_action_on_exist_is_a_whole_word(word: str | None) -> None:
    mapped = {"sourcePath": "a", "targetProjectId": "b", "targetPath": "c", "actionOnExist": word}
    whole = {**MINIMAL["nextflow"], "analysisOutput": [mapped]}
    assert item_checker("nextflow").is_valid(whole) == (word in ("OVERWRITE", "RENAME", "SKIP"))


@pytest.mark.parametrize("word", ["s3", "http", "basespace", "https", "s3\n", "S3"])
def test_a_type_of_external_data_is_a_whole_word(word: str) -> None:
    entry = {"parameterCode": "a", "externalData": [{"url": "u", "type": word}]}
    whole = {**MINIMAL["nextflow"], "analysisInput": {"inputs": [entry]}}
    assert item_checker("nextflow").is_valid(whole) == (word in ("s3", "http", "basespace"))


@pytest.mark.parametrize(
    ("entry", "valid"),
    [
        ({"value": "a", "multiValue": ["b"]}, False),
        ({"value": "a", "multiValue": []}, False),
        ({"value": "a", "multiValue": None}, True),
        ({"value": None, "multiValue": ["b"]}, True),
        ({}, True),
    ],
)
def test_a_parameter_has_a_value_or_values(entry: dict[str, Any], valid: bool) -> None:
    inputs = {"inputs": [], "parameters": [{"code": "c", **entry}]}
    assert item_checker("nextflow").is_valid({**MINIMAL["nextflow"], "analysisInput": inputs}) == valid


def test_a_whole_batch_is_described():
    body = {"nextflowItems": [MINIMAL["nextflow"]], "nextflowJsonItems": [], "cwlItems": [MINIMAL["cwl"]]}
    stock = jsonschema.Draft202012Validator(SCHEMA)
    assert stock.is_valid(body)
    assert not stock.is_valid({**body, "items": []})
    assert not stock.is_valid({"nextflowItems": [MINIMAL["cwl"]]})


def test_every_object_of_the_api_is_closed():
    """CwlAnalysisInput alone is open: each of the two shapes that it chooses from is closed."""
    objects = {name for name, each in SCHEMA["$defs"].items() if "object" in str(each.get("type"))}
    open_ones = {name for name in objects if SCHEMA["$defs"][name].get("additionalProperties") is not False}
    assert open_ones == {"CwlAnalysisInput"}
