"""Very large data are checked by their first values; left-out values do not count, and a fault is never missed."""

from __future__ import annotations

import pytest

from manifest_runner.validation.messages import MAX_KEYS
from manifest_runner.validation.validator import MAX_VALUES, row_checker

TEXT = {"type": "string"}
LATEST = "https://json-schema.org/draft/2020-12/schema"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"


def faults(schema: dict, data: object) -> list[tuple[tuple, str]]:
    return [(fault.path, fault.message) for fault in row_checker(schema).faults(data)]


@pytest.mark.parametrize("dialect", [LATEST, DRAFT_7])
@pytest.mark.parametrize("before", [5_000, MAX_VALUES + 10])
def test_a_fault_far_down_a_list_is_reported_at_its_place(dialect, before):
    data = {"a": ["x"] * before + [1] + ["x"] * 10}
    schema = {"$schema": dialect, "properties": {"a": {"items": TEXT}}}
    assert faults(schema, data) == [(("a", before), "expected text, got the number 1")]


def test_of_very_many_faults_those_of_the_first_values_are_reported():
    found = faults({"items": TEXT}, ["x", *range(3 * MAX_VALUES)])
    assert found[0] == ((1,), "expected text, got the number 0")
    assert len(found) < MAX_VALUES


def test_what_was_left_out_is_not_missing():
    schema = {"required": ["z"], "properties": {"a": {"items": TEXT, "minItems": MAX_VALUES}, "z": TEXT}}
    assert faults(schema, {"a": [1] + ["x"] * 2 * MAX_VALUES, "z": "x"}) == [
        (("a", 0), "expected text, got the number 1")
    ]


def test_of_many_unknown_keys_the_first_are_worded_and_the_others_counted():
    found = faults({"additionalProperties": False}, {f"k{number:03}": 1 for number in range(MAX_KEYS + 30)})
    assert len(found) == MAX_KEYS + 1
    assert found[-1] == ((f"k{MAX_KEYS:03}",), f'unknown key "k{MAX_KEYS:03}", and 29 more below')


def test_alternatives_of_large_lists_are_worded_by_the_nearest():
    schema = {"anyOf": [TEXT, {"type": "array", "items": {"required": ["code"]}}]}
    found = faults(schema, [{"code": 1}] * 500 + [{}] * 100)
    assert found == [((number,), '"code" is missing') for number in range(500, 600)]


def test_a_false_schema_of_elements_is_one_fault_each():
    assert len(faults({"prefixItems": [True], "items": False}, [1] * 500)) == 499


@pytest.mark.parametrize("depth", [190, 260, 400])
def test_data_that_is_nested_deeper_than_the_validator_goes_has_its_faults(depth):
    nested: list[object] = []
    for _ in range(depth):
        nested = [nested]
    checker = row_checker({"properties": {"a": TEXT}})
    assert [fault.path for fault in checker.faults({"a": nested})] == [("a",)]
    assert [path for path, _ in checker.traits({"a": nested})] == [("a",)]
