"""A shorthand is the API's exact shape, written shorter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_runner.items.shorthands import shape_item, written_at
from manifest_runner.values import SpelledFloat, SpelledInt, jcs_sorted, spelled_json, text_of

CODES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6)
SCALARS = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=6),
    st.booleans(),
    st.integers(),
    st.sampled_from([SpelledFloat("0.10"), SpelledFloat("1E+2"), SpelledInt("-0")]),
)
VALUES = SCALARS | st.lists(SCALARS, max_size=3)


def text(value: object) -> object:
    return (
        [text(each) for each in value]
        if isinstance(value, list)
        else value
        if isinstance(value, str)
        else text_of(value)
    )


def texts(value: object) -> object:
    return text(value if isinstance(value, list) else [value])


def exact(mapping: dict[str, object], entry) -> list[object]:
    return [entry(code, mapping[code]) for code in jcs_sorted(mapping)]


@given(inputs=st.dictionaries(CODES, VALUES, max_size=4), parameters=st.dictionaries(CODES, VALUES, max_size=4))
@pytest.mark.parametrize("kind", ["nextflow", "cwl"])
def test_coded_inputs_and_parameters_are_lists_sorted_by_code(kind, inputs, parameters):
    written = {
        "inputs": exact(inputs, lambda code, value: {"parameterCode": code, "dataIds": texts(value)}),
        "parameters": exact(
            parameters,
            lambda code, value: {"code": code, "multiValue" if isinstance(value, list) else "value": text(value)},
        ),
    }
    implied = {"objectType": "STRUCTURED"} if kind == "cwl" else {}
    shaped = shape_item(kind, {"analysisInput": {"inputs": inputs, "parameters": parameters}})
    assert shaped == {"analysisInput": {**written, **implied}}
    assert shape_item(kind, {"analysisInput": {**written, **implied}}) == shaped


@given(references=st.dictionaries(CODES, SCALARS, max_size=4))
def test_reference_data_is_a_list_sorted_by_code(references):
    written = exact(references, lambda code, value: {"parameterCode": code, "referenceDataId": text(value)})
    shaped = shape_item("nextflow", {"analysisInput": {"referenceDataParameters": references}})
    assert shaped == {"analysisInput": {"referenceDataParameters": written}}
    assert shape_item("nextflow", shaped) == shaped


@given(fields=st.dictionaries(CODES, VALUES, max_size=4))
def test_fields_are_a_list_sorted_by_id(fields):
    written = exact(fields, lambda code, value: {"id": code, "values": texts(value)})
    shaped = shape_item("nextflowJson", {"inputFormValues": {"fields": fields}})
    assert shaped == {"inputFormValues": {"fields": written}}
    assert shape_item("nextflowJson", shaped) == shaped


@given(tags=st.dictionaries(CODES, SCALARS, max_size=4))
@pytest.mark.parametrize("sort", ["userTags", "technicalTags", "referenceTags"])
def test_tags_are_keys_and_values(sort, tags):
    shaped = shape_item("nextflow", {"tags": {sort: tags}})
    assert shaped == {"tags": {sort: exact(tags, lambda key, value: f"{key}={text(value)}")}}
    assert shape_item("nextflow", shaped) == shaped


NESTED = st.recursive(
    SCALARS | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(CODES, inner, max_size=3),
    max_leaves=8,
)


@given(mapping=st.dictionaries(CODES, NESTED, max_size=3))
def test_an_input_json_is_text_with_nulls_and_spellings(mapping):
    shaped = shape_item("cwl", {"analysisInput": {"inputJson": mapping}})
    assert shaped == {"analysisInput": {"inputJson": spelled_json(mapping), "objectType": "JSON"}}
    assert shape_item("cwl", shaped) == shaped


def test_an_input_json_in_text_stays_as_it_is():
    text = '{ "b": 1.0, "a": null }'
    assert shape_item("cwl", {"analysisInput": {"inputJson": text}})["analysisInput"]["inputJson"] == text


def test_what_contradicts_is_left_to_the_apis_rules():
    both = {"inputs": {"a": "x"}, "inputJson": {"b": 1}}
    assert "objectType" not in shape_item("cwl", {"analysisInput": both})["analysisInput"]
    given = {"objectType": "STRUCTURED", "inputJson": {"b": 1}}
    assert shape_item("cwl", {"analysisInput": given})["analysisInput"]["objectType"] == "STRUCTURED"


def test_a_null_is_left_out_and_removes_what_a_code_stands_for():
    fields = {
        "pipelineId": "urn:p",
        "activationCodeDetailId": None,
        "tags": {"userTags": {"a": None, "b": "x"}, "technicalTags": None},
        "analysisInput": {"inputs": {"c": None}, "parameters": {"d": None, "e": []}},
        "analysisOutput": [],
    }
    assert shape_item("nextflow", fields) == {
        "pipelineId": "urn:p",
        "tags": {"userTags": ["b=x"]},
        "analysisInput": {"inputs": [], "parameters": [{"code": "e", "multiValue": []}]},
        "analysisOutput": [],
    }


def test_lists_keep_their_order_and_their_nulls():
    assert shape_item("nextflow", {"tags": {"userTags": ["b", "a", None, 0.5]}}) == {
        "tags": {"userTags": ["b", "a", None, "0.5"]}
    }


def test_an_input_can_be_given_whole_under_its_code():
    inputs = {"r": {"mounts": [{"dataId": "d", "mountPath": "/m"}]}, "e": {"externalData": [{"url": "s3://b"}]}}
    assert shape_item("nextflow", {"analysisInput": {"inputs": inputs}})["analysisInput"]["inputs"] == [
        {"parameterCode": "e", "externalData": [{"url": "s3://b"}]},
        {"parameterCode": "r", "mounts": [{"dataId": "d", "mountPath": "/m"}]},
    ]


def test_a_field_can_hold_data():
    fields = {"f": {"dataValues": ["fil.1"]}, "s": SpelledFloat("0.10")}
    assert shape_item("nextflowJson", {"inputFormValues": {"fields": fields}})["inputFormValues"]["fields"] == [
        {"id": "f", "dataValues": ["fil.1"]},
        {"id": "s", "values": ["0.10"]},
    ]


def test_keys_of_an_item_are_sorted():
    shaped = shape_item("nextflow", {"userReference": "u", "analysisInput": {"inputs": []}, "pipelineId": "urn:p"})
    assert list(shaped) == sorted(shaped)


WRITTEN = {
    "tags": {"userTags": {"b": "x", "a": "y", "z": None}},
    "analysisInput": {"inputs": {"ref": "r", "fq": ["x", "y"]}, "parameters": [{"code": "c", "value": "v"}]},
}


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("tags", "userTags", 1), ("tags", "userTags", "b")),
        (("analysisInput", "inputs", 0, "dataIds", 1), ("analysisInput", "inputs", "fq", 1)),
        (("analysisInput", "inputs", 1, "dataIds", 0), ("analysisInput", "inputs", "ref")),
        (("analysisInput", "parameters", 0, "value"), ("analysisInput", "parameters", 0, "value")),
        (("analysisInput", "objectType"), ("analysisInput",)),
        (("pipelineId",), ()),
    ],
)
def test_a_place_of_an_item_leads_to_where_it_was_written(path, place):
    assert written_at(WRITTEN, path, shape_item("nextflow", WRITTEN)) == place


def test_a_place_is_right_where_a_row_left_out_what_comes_before_it():
    written = {"inputs": {"a": "x", "b": "y"}, "tags": {"userTags": {"k": "x", "l": "y"}}}
    item = {"inputs": [{"dataIds": ["y"], "parameterCode": "b"}], "tags": {"userTags": ["l=y"]}}
    assert written_at(written, ("inputs", 0, "dataIds", 0), item) == ("inputs", "b")
    assert written_at(written, ("tags", "userTags", 0), item) == ("tags", "userTags", "l")
