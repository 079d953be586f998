"""The size of a schema with its references is counted before anything is compiled."""

from __future__ import annotations

import json

import pytest

from manifest_runner.validation.schema_size import schema_size
from manifest_runner.validation.validator import MAX_SCHEMA, SchemaProblem, row_checker


def doubling(levels: int, reference: str = "#/definitions/a%d") -> dict[str, object]:
    steps = {f"a{i}": {"allOf": [{"$ref": reference % (i + 1)}] * 2, "$anchor": f"a{i}"} for i in range(levels)}
    schema = {"allOf": [{"$ref": reference % 0}], "definitions": {**steps, f"a{levels}": {"$anchor": f"a{levels}"}}}
    return json.loads(json.dumps(schema))


@pytest.mark.parametrize("reference", ["#/definitions/a%d", "#a%d", "#/definitions/%%61%d"])
def test_references_that_double_at_each_level_are_counted_and_refused(reference):
    assert schema_size(doubling(3, reference)) < 200
    assert schema_size(doubling(40, reference)) > 2**40
    with pytest.raises(SchemaProblem, match=f"more than {MAX_SCHEMA:,} rules"):
        row_checker(doubling(40, reference))


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$ref": "#/nowhere"},
        {"$ref": "other.json#/a"},
        {"allOf": [{"$ref": "#/allOf/7"}, {"$ref": "#/allOf/0"}]},
        {"properties": {"a/b": {"$ref": "#/properties/a~1b"}}},
        {"$ref": 1, "$anchor": []} | {"$anchor": "x"},
        True,
        [],
    ],
)
def test_loops_and_references_to_nowhere_count_once(schema):
    assert schema_size(schema) < 10


def test_a_sheet_of_a_thousand_columns_may_have_a_schema():
    columns = {f"c{n}": {"$ref": "#/$defs/text"} for n in range(1000)}
    checker = row_checker({"properties": columns, "$defs": {"text": {"type": "string", "minLength": 1}}})
    assert not checker.is_valid({"c7": ""})
