"""Of what a large list or mapping holds wrongly the first are worded, each at its place, and the others counted."""

from __future__ import annotations

import pytest

from manifest_runner.validation.large_data import MAX_WORDED
from manifest_runner.validation.validator import row_checker

TEXT = {"type": "string"}
LATEST = "https://json-schema.org/draft/2020-12/schema"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"


def faults(schema: dict, data: object) -> list[tuple[tuple, str]]:
    return [(fault.path, fault.message) for fault in row_checker(schema).faults(data)]


@pytest.mark.parametrize("dialect", [LATEST, DRAFT_7])
def test_a_fault_far_down_a_list_is_reported_at_its_place(dialect):
    data = {"a": ["x"] * 5000 + [1] + ["x"] * 10}
    schema = {"$schema": dialect, "properties": {"a": {"items": TEXT}}}
    assert faults(schema, data) == [(("a", 5000), "expected text, got the number 1")]


def test_of_very_many_faults_in_a_list_the_first_are_reported_and_the_others_counted():
    found = faults({"items": TEXT}, ["x", *range(MAX_WORDED + 30)])
    assert [path for path, _ in found] == [(number,) for number in range(1, MAX_WORDED + 2)]
    assert found[-1][1] == "30 more have problems, starting with this one"


def test_the_same_holds_for_the_values_and_the_names_of_a_mapping():
    data = {f"k{number}": number for number in range(MAX_WORDED + 5)}
    values = faults({"additionalProperties": TEXT, "properties": {"k0": True}}, data)
    assert len(values) == MAX_WORDED + 1
    assert ((f"k{MAX_WORDED + 1}",), "4 more have problems, starting with this one") in values
    names = faults({"propertyNames": {"maxLength": 2}}, data)
    # k10 to k54 are too long, which is not enough to be counted
    assert [path for path, _ in names] == [(f"k{number}",) for number in range(10, MAX_WORDED + 5)]
    names = faults({"propertyNames": {"maxLength": 1}}, data)
    assert (len(names), names[0]) == (MAX_WORDED + 1, ((), "5 more have problems, starting with this one"))


def test_a_part_that_refers_to_definitions_is_checked_by_itself():
    schema = {"items": {"$ref": "#/$defs/text"}, "$defs": {"text": TEXT}}
    assert len(faults(schema, list(range(MAX_WORDED * 2)))) == MAX_WORDED + 1


@pytest.mark.parametrize(
    "schema",
    [
        {"items": {"$ref": "#/properties/a"}, "properties": {"a": TEXT}},
        {"prefixItems": [True], "items": TEXT},
        {"$schema": DRAFT_7, "items": [True, *[TEXT] * (MAX_WORDED * 2)]},
    ],
)
def test_a_part_that_means_nothing_by_itself_is_left_to_the_usual_check(schema):
    assert len(faults(schema, list(range(MAX_WORDED * 2)))) >= MAX_WORDED * 2 - 1


def test_alternatives_of_large_lists_are_worded_by_the_nearest():
    schema = {"anyOf": [TEXT, {"type": "array", "items": {"required": ["code"]}}]}
    found = faults(schema, [{"code": 1}] * 500 + [{}] * 100)
    assert found[0] == ((500,), '"code" is missing')
    assert len(found) == MAX_WORDED + 1


def test_a_false_schema_of_elements_is_one_fault():
    assert len(faults({"prefixItems": [True], "items": False}, [1] * 500)) == 1
