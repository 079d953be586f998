"""What the manifest schema accepts and rejects, and the messages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from manifest_runner.model import KINDS
from manifest_runner.validation import shipped_schemas
from manifest_runner.validation.messages import Fault, by_path
from manifest_runner.validation.shipped_schemas import schema_text
from manifest_runner.values import SpelledFloat, SpelledInt

T = "{{ row.x }}"
SCHEMA = json.loads(schema_text("manifest"))


def manifest(*analyses: Any, **top: Any) -> dict[str, Any]:
    return {"manifest": 1, "name": "m", "analyses": list(analyses) or [{"kind": "nextflow"}], **top}


def analysis(kind: str = "nextflow", **fields: Any) -> dict[str, Any]:
    return manifest({"kind": kind, **fields})


def manifest_faults(data: Any) -> list[Fault]:
    """What is wrong with a manifest and its analyses."""
    found = shipped_schemas.manifest_faults(data)
    listed = data.get("analyses") if isinstance(data, dict) else None
    for index, each in enumerate(listed if isinstance(listed, list) else ()):
        found += [replace(one, path=("analyses", index, *one.path)) for one in shipped_schemas.analysis_faults(each)]
    return sorted(found, key=by_path)


def said(data: Any) -> list[tuple[str, str]]:
    """Faults as (dotted path, message)."""
    return [(".".join(map(str, fault.path)), fault.message) for fault in manifest_faults(data)]


# -- taken

EXAMPLE = manifest(
    {
        "kind": "nextflow",
        "forEach": {"csv": "samples.csv", "where": "row.status == 'ready'", "schema": "samples.schema.json"},
        "revision": 1,
        "userReference": "{{ row.sample }}-germline",
        "tags": {"userTags": ["germline"], "technicalTags": ["run={{ env.RUN_ID }}"]},
        "analysisInput": {
            "inputs": {"fastqs": "{{ row.fastqs | split(';') }}", "ref_tar": "{{ vars.reference }}"},
            "parameters": {"enable_sv": True, "output_format": "CRAM", "depth": SpelledFloat("0.10")},
        },
        "analysisOutput": [
            {"sourcePath": "out/", "type": "FOLDER", "targetProjectId": "{{ project }}", "targetPath": "/a/"}
        ],
    },
    project="7595e8f2-32d3-4c76-a324-c6a85dae87b5",
    revision=1,
    batchSize=500,
    stamp=True,
    maxLaunches=1000,
    env=["RUN_ID"],
    vars={"reference": "fil.6f0c", "samples": [{"a": 1}]},
    defaults={"pipelineId": "f606f580", "inputFormValues": {}, "analysisInput": {"objectType": "JSON"}},
)


def test_the_manifest_of_the_manual_is_valid():
    assert manifest_faults(EXAMPLE) == []


@pytest.mark.parametrize(
    "inputs",
    [
        {"A": "fil.1", "B": ["fil.1", T], "C": T, "D": None, "E": {"dataIds": ["fil.1"]}},
        {"A": {"mounts": [{"dataId": "fil.1", "mountPath": "a"}], "externalData": T}},
        {"A": {"externalData": [{"url": "u", "type": "s3", "s3Details": {"storageCredentialsId": "x"}}]}},
        [{"parameterCode": "A", "dataIds": ["fil.1"], "mounts": None}, T, None],
        [
            {
                "parameterCode": 5,
                "externalData": [{"url": "u", "type": T, "basespaceDetails": {"pathPrefix": 1}}],
            }
        ],
        [],
        {},
    ],
)
@pytest.mark.parametrize("kind", ["nextflow", "cwl"])
def test_inputs_can_be_a_mapping_or_the_apis_list(kind: str, inputs: Any) -> None:
    assert manifest_faults(analysis(kind, analysisInput={"inputs": inputs})) == []


@pytest.mark.parametrize(
    "given",
    [
        {"parameters": {"A": True, "B": [1, SpelledFloat("0.10")], "C": None, "D": T}},
        {"parameters": [{"code": "A", "value": 1}, {"code": "B", "multiValue": ["a", None]}, T]},
        {"referenceDataParameters": {"A": "ref", "B": T}},
        {"referenceDataParameters": [{"parameterCode": "A", "referenceDataId": "ref"}]},
    ],
)
def test_parameters_can_be_a_mapping_or_the_apis_list(given: Any) -> None:
    assert manifest_faults(analysis(analysisInput=given)) == []


@pytest.mark.parametrize(
    "given",
    [
        {
            "objectType": "JSON",
            "inputJson": '{"a": 1}',
            "dataIds": ["fil.1"],
            "mounts": [],
            "externalData": None,
        },
        {"inputJson": {"a": {"b": [None, 1]}}},
        {"inputJson": T},
        {"objectType": T, "inputs": T},
    ],
)
def test_a_cwl_input_can_be_json(given: Any) -> None:
    assert manifest_faults(analysis("cwl", analysisInput=given)) == []


@pytest.mark.parametrize(
    "given",
    [
        {
            "fields": {
                "A": "x",
                "B": ["x", 1],
                "C": {"dataValues": [{"dataId": "fil.1"}]},
                "D": {"values": ["x"]},
            }
        },
        {"fields": [{"id": "A", "values": ["x"]}, {"id": "B", "externalDataValues": T}]},
        {"groups": [{"id": "G", "values": [{"values": [{"id": "A", "values": [1]}]}, {"values": {"A": "x"}}]}]},
    ],
)
def test_a_form_can_be_a_mapping_or_the_apis_list(given: Any) -> None:
    assert manifest_faults(analysis("nextflowJson", inputFormValues=given)) == []


@pytest.mark.parametrize(
    "source",
    [
        {"csv": "a.csv", "section": "BCLConvert_Data"},
        {"tsv": "a.tsv", "section": "Data", "where": T},
        {"json": "a.json"},
        {"yaml": "a.yaml", "schema": None},
        {"rows": [{"a": 1, "b": [1], "c": {"d": None}}, T]},
        {"rows": []},
        {"rows": "{{ vars.samples }}"},
        {"matrix": {"a": [1, "x"], "b": "{{ vars.samples }}"}},
    ],
)
def test_rows_come_from_one_source(source: Any) -> None:
    assert manifest_faults(analysis(forEach=source)) == []


OF_ANOTHER_KIND = {"$ref": "#/definitions/notOfThisKind"}
FIELDS = sorted(SCHEMA["definitions"]["analysisOfUnknownKind"]["properties"].keys() - {"kind"})


@pytest.mark.parametrize("value", [None, T, "{% if row.x %}a{% endif %}"])
@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_null_or_a_template_can_stand_for_any_field(kind: str, field: str, value: Any) -> None:
    known = SCHEMA["definitions"][f"{kind}Analysis"]["properties"]
    is_rendered = field not in {"forEach", "require"}
    of_this_kind = field in known and known[field] != OF_ANOTHER_KIND and (is_rendered or value is None)
    if of_this_kind or (field in known and value is None):
        assert manifest_faults(analysis(kind, **{field: value})) == []
    if is_rendered:
        assert manifest_faults(manifest(defaults={field: value})) == []


def _lists_and_mappings(node: Any) -> list[dict[str, Any]]:
    """Every schema below ``definitions`` that wants a list or a mapping, and so may be given a template."""
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
    below = [each for child in children for each in _lists_and_mappings(child)]
    types = node.get("type") if isinstance(node, dict) else None
    return [node, *below] if isinstance(types, list) and {"array", "object"} & {*types} else below


def test_every_list_or_mapping_of_an_analysis_can_be_a_template_and_no_other_text():
    nodes = [
        each
        for name, definition in SCHEMA["definitions"].items()
        if name not in {"forEach", "require", "table"} and not name.endswith("Source")
        for each in _lists_and_mappings(definition)
    ]
    json_text = SCHEMA["definitions"]["cwlInput"]["properties"]["inputJson"]
    assert len(nodes) > 30
    for node in nodes:
        takes_any_text = "number" in node["type"] or node is json_text
        assert {"string", "null"} <= {*node["type"]}
        assert jsonschema.Draft7Validator({**SCHEMA, **node}).is_valid(T)
        assert jsonschema.Draft7Validator({**SCHEMA, **node}).is_valid("text") == takes_any_text


# -- refused


@pytest.mark.parametrize(
    ("top", "fault"),
    [
        ({"manifest": 2}, ("manifest", "expected the number 1, got the number 2")),
        ({"manifest": True}, ("manifest", "expected the number 1, got true")),
        ({"revision": 0}, ("revision", "expected at least 1, got the number 0")),
        ({"revision": T}, ("revision", 'expected a whole number, got text "{{ row.x }}"')),
        ({"batchSize": 5001}, ("batchSize", "expected at most 5000, got the number 5001")),
        ({"batchSize": SpelledInt("-0")}, ("batchSize", "expected at least 1, got the number -0")),
        ({"batchSize": SpelledFloat("1.5")}, ("batchSize", "expected a whole number, got the number 1.5")),
        ({"maxLaunches": -1}, ("maxLaunches", "expected at least 0, got the number -1")),
        ({"stamp": "no"}, ("stamp", 'expected true or false, got text "no"')),
        ({"env": ["A", "B", "A"]}, ("env.2", '"A" is listed twice')),
        ({"env": {"A": 1}}, ("env", 'expected a list, got a mapping; an element of a list starts with "- "')),
        (
            {"defaults": {"kind": "cwl"}},
            ("defaults.kind", '"kind" belongs in an analysis, not in the defaults'),
        ),
        ({"analyses": []}, ("analyses", "must not be empty")),
        ({"analyses": {}}, ("analyses", 'expected a list, got a mapping; an element of a list starts with "- "')),
        ({"anaylses": []}, ("anaylses", 'unknown key "anaylses"; did you mean "analyses"?')),
    ],
)
def test_a_fault_at_the_top_is_worded(top: dict[str, Any], fault: tuple[str, str]) -> None:
    assert said(manifest(**top)) == [fault]


@pytest.mark.parametrize("name", ["a", "0", "germline-2026w47", "a.b_c-d", "a" * 64])
def test_a_name_is_taken(name: str) -> None:
    assert manifest_faults(manifest(name=name)) == []


@pytest.mark.parametrize("name", ["", "A", "-a", "a b", "a\n", "a" * 65, 5, None, T])
def test_a_name_is_refused(name: Any) -> None:
    assert [fault.path for fault in manifest_faults(manifest(name=name))] == [("name",)]


@pytest.mark.parametrize("project", ["", "-a", "a/b", "a\n", T, 5, None, "00000000-0000-0000-0000-000000000000"])
def test_a_project_is_refused(project: Any) -> None:
    assert [fault.path for fault in manifest_faults(manifest(project=project))] == [("project",)]


@pytest.mark.parametrize("name", ["1a", "a-b", "", "a\n", "ä"])
def test_names_of_variables_are_identifiers(name: str) -> None:
    (fault,) = manifest_faults(manifest(vars={name: 1}))
    assert (fault.path, fault.at_key) == (("vars", name), True)
    assert [fault.path for fault in manifest_faults(manifest(env=[name]))] == [("env", 0)]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (manifest("x"), ("analyses.0", 'expected a mapping, got text "x"')),
        (manifest({}), ("analyses.0", '"kind" is missing')),
        (
            analysis("nextfow"),
            (
                "analyses.0.kind",
                'expected "nextflow", "nextflowJson" or "cwl", got text "nextfow"; did you mean "nextflow"?',
            ),
        ),
        (
            analysis(userRefrence="x"),
            ("analyses.0.userRefrence", 'unknown key "userRefrence"; did you mean "userReference"?'),
        ),
        (
            analysis(inputFormValues={}),
            (
                "analyses.0.inputFormValues",
                '"inputFormValues" is for kind nextflowJson, but this analysis is nextflow',
            ),
        ),
        (
            analysis("nextflowJson", activationCodeDetailId="x"),
            (
                "analyses.0.activationCodeDetailId",
                '"activationCodeDetailId" is for kind nextflow and cwl, but this analysis is nextflowJson',
            ),
        ),
        (
            analysis(analysisInput={"inputJson": {}}),
            ("analyses.0.analysisInput.inputJson", '"inputJson" is for kind cwl, but this analysis is nextflow'),
        ),
        (
            analysis(analysisInput={"inputs": "fil.1"}),
            ("analyses.0.analysisInput.inputs", 'expected a list, a mapping or a template, got text "fil.1"'),
        ),
        (
            analysis(analysisInput={"inputs": [5]}),
            ("analyses.0.analysisInput.inputs.0", "expected a mapping or a template, got the number 5"),
        ),
        (
            analysis(analysisInput={"inputs": [{"dataIds": []}]}),
            ("analyses.0.analysisInput.inputs.0", '"parameterCode" is missing'),
        ),
        (
            analysis(analysisInput={"parameters": {"A": {"B": 1}}}),
            ("analyses.0.analysisInput.parameters.A", "expected a list or a single value, got a mapping"),
        ),
        (
            analysis(analysisOutput=[{"sourcePath": "", "targetProjectId": "", "targetPath": "", "type": "folder"}]),
            (
                "analyses.0.analysisOutput.0.type",
                'expected "FILE" or "FOLDER", got text "folder"; did you mean "FOLDER"?',
            ),
        ),
        (analysis(userReference=["x"]), ("analyses.0.userReference", "expected a single value, got a list")),
        (
            analysis(revision="x"),
            ("analyses.0.revision", 'expected a whole number or a template, got text "x"'),
        ),
        (
            analysis("cwl", analysisInput={"inputJson": [1]}),
            ("analyses.0.analysisInput.inputJson", "expected a mapping or text, got a list"),
        ),
    ],
)
def test_a_fault_in_an_analysis_is_worded(data: Any, fault: tuple[str, str]) -> None:
    assert said(data) == [fault]


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ({}, ("", 'one of "csv", "tsv", "xlsx", "json", "yaml", "rows", "matrix" or "launched" is missing')),
        ({"csv": "a", "rows": []}, ("", '"csv" and "rows" exclude each other; keep one of them')),
        ({"json": "a", "section": "Data"}, ("", '"section" needs "csv" or "tsv"')),
        ({"csv": ""}, (".csv", "must not be empty")),
        ({"csv": None}, (".csv", "expected a list or text, got null")),
        (
            {"rows": {"a": 1}},
            (".rows", 'expected a list or a template, got a mapping; an element of a list starts with "- "'),
        ),
        ({"rows": [1]}, (".rows.0", "expected a mapping or a template, got the number 1")),
        ({"matrix": {}}, (".matrix", "must not be empty")),
        ({"matrix": {"a": []}}, (".matrix.a", "must not be empty")),
        ({"matrix": {"a": "x"}}, (".matrix.a", 'expected a list or a template, got text "x"')),
        ({"csv": "a", "wher": "x"}, (".wher", 'unknown key "wher"; did you mean "where"?')),
    ],
)
def test_a_fault_in_the_source_of_rows_is_worded(source: Any, fault: tuple[str, str]) -> None:
    assert said(analysis(forEach=source)) == [("analyses.0.forEach" + fault[0], fault[1])]


def test_all_faults_are_shown_in_order_and_once():
    data = manifest(
        {"kind": "nextflow", "zzz": 1, "tags": {"userTag": []}},
        {"kind": "oops", "xxx": 1, "tags": {"userTag": []}},
        {"analysisInput": {"inputs": 5}},
        env=["1", "1"],
        zzz=1,
    )
    assert [fault.path for fault in manifest_faults(data)] == [
        ("analyses", 0, "tags", "userTag"),
        ("analyses", 0, "zzz"),
        ("analyses", 1, "kind"),
        ("analyses", 1, "tags", "userTag"),
        ("analyses", 1, "xxx"),
        ("analyses", 2),
        ("analyses", 2, "analysisInput", "inputs"),
        ("env", 0),
        ("env", 1),
        ("env", 1),
        ("zzz",),
    ]


@pytest.mark.parametrize("data", [None, "x", 5, [], True])
def test_a_manifest_is_a_mapping(data: Any) -> None:
    (fault,) = manifest_faults(data)
    assert (fault.path, fault.message.startswith("expected a mapping, got ")) == ((), True)


def test_a_bare_manifest_misses_its_keys():
    assert [(fault.path, fault.lacks, fault.message.partition(";")[0]) for fault in manifest_faults({})] == [
        ((), key, f'"{key}" is missing') for key in ("analyses", "manifest", "name")
    ]


# -- the schema itself


def test_the_schema_is_valid_draft_07():
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"


def _resolved(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule as an editor shows it: what stands beside a reference wins."""
    target = rule.get("$ref", "").removeprefix("#/definitions/")
    return {**SCHEMA["definitions"][target], **rule} if target else rule


def _properties(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every property at every depth, with its path; a key of ``properties`` is not a keyword."""
    if isinstance(node, list):
        for i, each in enumerate(node):
            yield from _properties(each, f"{path}/{i}")
    elif isinstance(node, dict):
        for key, rule in node.get("properties", {}).items():
            yield f"{path}/properties/{key}", rule
            yield from _properties(rule, f"{path}/properties/{key}")
        for name, rule in node.get("definitions", {}).items():
            yield from _properties(rule, f"{path}/definitions/{name}")
        for keyword in node.keys() - {"properties", "definitions", "examples", "default", "enum", "const", "required"}:
            yield from _properties(node[keyword], f"{path}/{keyword}")


PROPERTIES = dict(_properties(SCHEMA))
NEVER_WRITTEN = {"/definitions/analysisOfUnknownKind/properties/kind"}
WITH_VALUES = {"examples", "default", "enum", "const"}


def test_every_property_is_found():
    assert {
        "/properties/project",
        "/definitions/analysis/properties/kind",
        "/definitions/analysis/allOf/3/if/properties/kind",
        "/definitions/externalData/items/properties/basespaceDetails/properties/pathPrefix",
        "/definitions/formGroup/properties/values/items/properties/values",
    } <= PROPERTIES.keys()


@pytest.mark.parametrize("path", PROPERTIES)
def test_an_editor_can_explain_every_property(path: str) -> None:
    rule = _resolved(PROPERTIES[path])
    assert [word for word in ("title", "description") if not rule.get(word, "").strip()] == []


@pytest.mark.parametrize("path", sorted(PROPERTIES.keys() - NEVER_WRITTEN))
def test_every_property_that_one_writes_shows_a_value(path: str) -> None:
    rule = PROPERTIES[path]
    assert rule == OF_ANOTHER_KIND or WITH_VALUES & _resolved(rule).keys()


@pytest.mark.parametrize("path", PROPERTIES)
def test_the_values_that_a_property_shows_are_right(path: str) -> None:
    rule = _resolved(PROPERTIES[path])
    validator = jsonschema.Draft7Validator({**rule, "definitions": SCHEMA["definitions"]})
    shown = [*rule.get("examples", []), *([rule["default"]] if "default" in rule else [])]
    assert [value for value in shown if not validator.is_valid(value)] == []


def test_the_fields_of_all_kinds_can_have_defaults():
    of_kinds = {key for kind in KINDS for key in SCHEMA["definitions"][f"{kind}Analysis"]["properties"]}
    assert SCHEMA["properties"]["defaults"]["properties"].keys() == of_kinds - {"kind", "forEach"}
    assert SCHEMA["definitions"]["analysisOfUnknownKind"]["properties"].keys() == of_kinds


PAYLOAD = json.loads(schema_text("payload"))["$defs"]
NAMES = {"pipeline", "analysisStorage", "outputParentFolder", "targetProject"}  # which stand for ids of the API
PAIRS = [
    ("nextflowAnalysis", "CreateNextflowAnalysis"),
    ("nextflowJsonAnalysis", "CreateNextflowJsonAnalysis"),
    ("cwlAnalysis", "CreateCwlAnalysis"),
    ("nextflowInput", "NextflowAnalysisInput"),
    ("codedDataInput", "AnalysisDataInput"),
    ("formField", "InputFormFieldValues"),
    ("formGroup", "InputFormGroup"),
    ("inputFormValues", "NextflowJsonAnalysisInput"),
    ("outputMapping", "AnalysisOutputMapping"),
    ("tags", "CreateAnalysisTag"),
    ("logs", "CreateAnalysisLogs"),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_a_manifest_has_the_fields_of_the_api(ours: str, theirs: str) -> None:
    rules = SCHEMA["definitions"][ours]["properties"]
    own = {key for key in rules if rules[key] != OF_ANOTHER_KIND} - {"kind", "forEach", "revision", "require"} - NAMES
    assert own == PAYLOAD[theirs]["properties"].keys()


def test_a_cwl_input_has_the_fields_of_both_of_the_apis_shapes():
    both = PAYLOAD["CwlAnalysisStructuredInput"]["properties"] | PAYLOAD["CwlAnalysisJsonInput"]["properties"]
    assert SCHEMA["definitions"]["cwlInput"]["properties"].keys() == both.keys()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("mounts", "AnalysisInputDataMount"),
        ("externalData", "AnalysisInputExternalData"),
        ("parameters", "AnalysisParameterInput"),
        ("referenceDataParameters", "AnalysisReferenceDataParameter"),
        ("dataValues", "InputFormData"),
    ],
)
def test_the_elements_of_a_list_have_the_fields_of_the_api(ours: str, theirs: str) -> None:
    items = SCHEMA["definitions"][ours]["items"]
    assert items["properties"].keys() == PAYLOAD[theirs]["properties"].keys()
    assert items.get("required", []) == PAYLOAD[theirs].get("required", [])


@pytest.mark.parametrize("number", [SpelledFloat("1e400"), SpelledFloat("-1e400"), SpelledInt("-0"), 10**400])
def test_a_number_beyond_a_double_is_a_number(number: Any) -> None:
    data = analysis(analysisInput={"parameters": {"a": number}})
    assert manifest_faults(data) == []
    assert said({**data, "batchSize": SpelledFloat("0.5"), "x": 1})[0][0] == "batchSize"


def test_of_many_unknown_keys_fifty_are_worded_and_the_others_counted():
    faults = said(manifest(**{f"k{number}": 1 for number in range(5_000)}))
    assert len(faults) == 51
    assert ("k50", 'unknown key "k50", and 4,949 more below') in faults


@pytest.mark.parametrize("kind", KINDS)
def test_an_editor_offers_an_analysis_only_the_keys_of_its_kind(kind: str) -> None:
    """Editors complete with each branch whose ``if`` holds, and a ``const`` holds for them where the text begins it."""
    chosen = [
        rule["then"]["$ref"].rpartition("/")[2]
        for rule in SCHEMA["definitions"]["analysis"]["allOf"]
        if "then" in rule and re.search(rule["if"]["properties"]["kind"]["pattern"], kind)
    ]
    assert chosen == [f"{kind}Analysis"]
    assert SCHEMA["definitions"]["notOfThisKind"]["doNotSuggest"]
