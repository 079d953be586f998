"""Requests against what their pipeline declares."""

from __future__ import annotations

import pytest

from manifest_runner.names.checks.pipeline_check import PipelineCheck
from manifest_runner.names.model import InputDeclaration, ParameterDeclaration, PipelineEntry

INPUTS = (InputDeclaration("fastqs", True, True), InputDeclaration("ref_tar", False, True))
PARAMETERS = (
    ParameterDeclaration("enable_cnv", False, "booleanType", ()),
    ParameterDeclaration("format", True, "optionsType", ("BAM", "CRAM"), ("CRAM",)),
    ParameterDeclaration("depth", True, "integerType", ()),
    ParameterDeclaration("purity", False, "doubleType", (), (), True),
    ParameterDeclaration("level", False, "stringType", ("1", "2.0")),
    ParameterDeclaration("odd", False, "somethingNew", ()),
)
ENTRY = PipelineEntry("id", "nextflow", INPUTS, PARAMETERS)


def faults(inputs, parameters=(("depth", "30"),), entry=ENTRY, kind="nextflow"):
    listed = [{"dataIds": list(ids), "parameterCode": code} for code, ids in inputs.items()]
    given = [
        {"code": code, "value": value} if isinstance(value, str) else {"code": code, "multiValue": list(value)}
        for code, value in parameters
    ]
    request = {"analysisInput": {"inputs": listed, "parameters": given}, "userReference": "r"}
    return [(fault.code, fault.message) for fault in PipelineCheck("Germline", entry).faults(request, kind)]


RIGHT = {"fastqs": ("fil.1", "fil.2"), "ref_tar": ("fil.3",)}


def test_a_request_that_fits_has_no_fault_however_often_it_is_asked():
    check = PipelineCheck("Germline", ENTRY)
    request = {
        "analysisInput": {
            "inputs": [{"dataIds": ids, "parameterCode": code} for code, ids in RIGHT.items()],
            "parameters": [{"code": "depth", "value": "30"}, {"code": "purity", "multiValue": ["0.1", "1e-3"]}],
        }
    }
    assert [*check.faults(request, "nextflow"), *check.faults(request, "nextflow")] == []


def test_parameters_that_are_null_or_have_no_code_are_left_to_the_api():
    given = {"inputs": [{"dataIds": ids, "parameterCode": code} for code, ids in RIGHT.items()]}
    given["parameters"] = [None, {"value": "x"}, {"code": "depth", "value": "30"}]
    assert PipelineCheck("Germline", ENTRY).faults({"analysisInput": given}, "nextflow") == []


def test_unknown_codes_are_named_with_the_nearest():
    found = faults({**RIGHT, "ref_tarr": ("fil.4",)}, [("depth", "3"), ("enable_cvn", "true")])
    assert found == [
        ("MR703", 'the pipeline "Germline" has no input "ref_tarr"; did you mean "ref_tar"?'),
        ("MR703", 'the pipeline "Germline" has no parameter "enable_cvn"; did you mean "enable_cnv"?'),
    ]


def test_a_parameter_among_the_inputs_is_said_to_be_one():
    ((code, message),) = faults({**RIGHT, "format": ("fil.4",)})
    assert code == "MR703"
    assert '"format" is one of its parameters, which belong in "parameters"' in message


def test_what_is_required_and_has_no_default_must_be_given():
    assert faults({"fastqs": ("fil.1",), "ref_tar": ()}, []) == [
        ("MR704", 'the pipeline "Germline" requires the input "ref_tar"'),
        ("MR704", 'the pipeline "Germline" requires the parameter "depth"'),
    ]


def test_a_mount_counts_as_data_once():
    placed = {"mounts": [{"dataId": "fil.3", "mountPath": "ref.tar"}], "parameterCode": "ref_tar"}
    fastqs = {"dataIds": ["fil.1"], "parameterCode": "fastqs"}
    parameters = [{"code": "depth", "value": "30"}]
    for ref, expected in (
        (placed, []),
        ({**placed, "dataIds": ["fil.3"]}, []),
        ({**placed, "dataIds": ["fil.4"]}, [2]),
    ):
        request = {"analysisInput": {"inputs": [fastqs, ref], "parameters": parameters}}
        found = PipelineCheck("Germline", ENTRY).faults(request, "nextflow")
        assert [int(fault.message[-1]) for fault in found] == expected


def test_a_blank_does_not_count_as_a_required_value():
    assert ("MR704", 'the pipeline "Germline" requires the parameter "depth", found a blank') in faults(
        {"fastqs": ("fil.1",), "ref_tar": ("fil.2",)}, [("depth", "")]
    )
    at = ("fields", 0)
    assert form_faults([value("sample", ""), REF]) == [
        (at, "MR704", 'the form requires the field "sample", found a blank')
    ]


def test_several_values_where_one_is_allowed_are_a_fault():
    assert faults({**RIGHT, "ref_tar": ("fil.3", "fil.4")}, [("depth", ["1", "2"])]) == [
        ("MR705", 'the input "ref_tar" takes one file or folder, found 2'),
        ("MR705", 'the parameter "depth" takes one value, found 2'),
    ]


@pytest.mark.parametrize(
    ("code", "value", "words"),
    [
        ("enable_cnv", "true", None),
        ("enable_cnv", "False", None),
        ("enable_cnv", "yes", "takes true or false"),
        ("format", "CRMA", 'takes "BAM" or "CRAM", found "CRMA"; did you mean "CRAM"?'),
        ("depth", "-30", None),
        ("depth", "3.5", "takes a whole number"),
        ("purity", "1e-3", None),
        ("purity", "half", "takes a number"),
        ("level", "2", None),
        ("level", "1.0", None),
        ("level", "3", 'takes "1" or "2.0"'),
        ("odd", "anything", None),
        ("enable_cnv", "", None),
    ],
)
def test_values_must_be_options_or_of_their_type_read_leniently(code, value, words):
    given = [("depth", "1"), (code, value)] if code != "depth" else [(code, value)]
    found = faults(RIGHT, given)
    assert [message for _, message in found if words] == [message for _, message in found]
    assert (words is None) == (found == [])
    assert all(words in message for _, message in found)


def test_a_pipeline_of_another_kind_is_one_fault_and_nothing_else_is_checked():
    assert faults({}, kind="cwl") == [
        ("MR702", 'the pipeline "Germline" is of kind nextflow, but this analysis is cwl'),
    ]


@pytest.mark.parametrize("entry", [PipelineEntry("id"), PipelineEntry("id", "nextflow", (), ())])
def test_a_pipeline_that_declares_nothing_is_not_checked_for_codes(entry):
    assert faults({"whatever": ("fil.1",)}, [("x", "y")], entry) == []


FORM = (
    {"id": "sample", "type": "textbox", "minValues": 1, "maxLength": 4, "regex": "[A-Z0-9]+"},
    {"id": "depth", "type": "integer", "min": "10", "max": 100},
    {"id": "mode", "type": "select", "choices": [{"value": "a"}, {"value": "b", "disabled": True}, {"value": 3}]},
    {"id": "ref", "type": "data", "minValues": 1, "maxValues": 1},
    {"id": "secret", "type": "textbox", "minValues": 1, "hidden": True},
    {"id": "note", "type": "section"},
    {"id": "many", "type": "textbox", "maxValues": "3"},
    {"id": "flag", "type": "checkbox"},
    {"id": "pairs", "type": "fieldgroup", "fields": [{"id": "x", "type": "number", "minValues": 1}]},
)


def form_faults(fields, groups=(), form=FORM):
    values = {"fields": [dict(each) for each in fields], "groups": list(groups)}
    entry = PipelineEntry("id", "nextflowJson", form=form)
    request = {"inputFormValues": values, "userReference": "r"}
    return [
        (fault.path[1:], fault.code, fault.message)
        for fault in PipelineCheck("Form", entry).faults(request, "nextflowJson")
    ]


def value(name, *values):
    return {"id": name, "values": list(values)}


REF = {"id": "ref", "dataValues": [{"dataId": "fil.1", "mountPath": "m"}]}


def test_a_filled_form_has_no_fault():
    group = {"id": "pairs", "values": [{"values": [value("x", "1.5")]}]}
    fields = [value("sample", "S1"), value("depth", "30"), value("mode", "3"), value("many", "a", "b", "c"), REF]
    assert form_faults([*fields, value("flag", "true")], [group]) == []


def test_a_form_demands_what_it_requires_unless_it_is_hidden():
    found = form_faults([])
    assert [message for _, _, message in found] == [
        'the form requires the field "sample"',
        'the form requires the field "ref"',
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (value("sampel", "S1"), 'has no field "sampel"; did you mean "sample"?'),
        (value("sample", "SAMPLE"), "at most 4 characters"),
        (value("sample", "s1"), "text that matches [A-Z0-9]+"),
        (value("depth", "5"), "at least 10"),
        (value("depth", "500"), "at most 100"),
        (value("depth", "12.5"), "a whole number"),
        (value("depth", "x"), "a number"),
        (value("depth", "nan"), "a number"),
        (value("depth", "1_0"), "a number"),
        (value("mode", "b"), 'one of "a", "3"'),
        (value("many", "a", "b", "c", "d"), "at most 3 values, found 4"),
        (value("ref", "fil.1"), "dataValues"),
        (value("flag", "maybe"), "true or false"),
        ({"id": "mode", "dataValues": [{"dataId": "fil.1"}]}, 'takes values, not dataValues: write "mode: VALUE"'),
    ],
)
def test_fields_of_a_form_are_checked_for_choices_ranges_patterns_and_data(given, words):
    filled = [each for each in (value("sample", "S1"), REF) if each["id"] != given["id"]]
    (found,) = form_faults([*filled, given])
    assert words in found[2]


def test_groups_of_a_form_are_checked_like_fields():
    rows = [{"values": [value("x", "one")]}, {"values": [value("y", "1")]}]
    found = form_faults([value("sample", "S1"), REF], [{"id": "pairs", "values": rows}, {"id": "pears", "values": []}])
    assert [(path[:1], code) for path, code, _ in found] == [
        (("groups",), "MR706"),
        (("groups",), "MR703"),
        (("groups",), "MR704"),
        (("groups",), "MR703"),
    ]


def test_a_group_is_demanded_and_counted_like_a_field():
    group = {"id": "pairs", "type": "fieldgroup", "minValues": 1, "maxValues": 2, "fields": [{"id": "x"}]}
    row = {"values": [value("x", "1")]}
    assert form_faults([], [], [group]) == [(("groups",), "MR704", 'the form requires the group "pairs"')]
    assert form_faults([], [], [{**group, "hidden": True}]) == []
    assert form_faults([], [], [{**group, "fields": [{"id": "x", "value": 1}]}]) == []
    assert form_faults([], [{"id": "pairs", "values": [row]}], [group]) == []
    inner = [{"id": "x"}, {"id": "y", "minValues": 1}]
    assert form_faults([], [{"id": "pairs", "values": [row]}], [{**group, "fields": inner}]) != []
    assert form_faults([], [{"id": "pairs", "values": [row]}], [{**group, "fields": inner, "disabled": True}]) == []
    for rows, words in ((3, "at most 2 values, found 3"), (1, "at least 2 values, found 1")):
        given = [{"id": "pairs", "values": [row] * rows}]
        ((_, _, message),) = form_faults([], given, [{**group, "minValues": 2}])
        assert words in message


def test_the_value_of_a_sensitive_field_is_not_shown():
    field = {"id": "key", "type": "textbox", "regex": "[0-9]+", "sensitive": True}
    ((_, _, message),) = form_faults([value("key", "hunter2")], (), [field])
    assert message == 'the field "key" takes text that matches [0-9]+'


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ({"choices": [{"value": True}, {"value": 1.50}]}, ["true"]),
        ({"choices": [{"value": True}, {"value": 1.50}]}, ["1.5"]),
        ({"minValues": 1, "value": 0}, None),
        ({"minValues": 1, "value": False}, None),
        ({"minValues": 1, "values": ["a"]}, None),
        ({"minValues": 1, "choices": [{"value": "a", "selected": True}]}, None),
        ({"minValues": 1, "emptyValuesAllowed": True}, [""]),
        ({"minValues": 2}, ["a", "b"]),
        ({"maxValues": 0}, ["a"]),
        ({"maxValues": -1}, ["a", "b"]),
    ],
)
def test_a_form_is_read_leniently(field, given):
    fields = [] if given is None else [value("f", *given)]
    assert form_faults(fields, (), [{"id": "f", "type": "textbox", **field}]) == []
    section = {"id": "s", "type": "disclosureSection", "fields": [{"id": "f", "type": "textbox", **field}]}
    assert form_faults(fields, (), [section]) == []
    if given is None:
        assert form_faults([], (), [{"id": "f", "minValues": 1}]) != []
