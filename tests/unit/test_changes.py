"""What changed between two requests, field by field, and how little of a launch has to be kept to tell."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_runner.changes import MAX_KEPT, Change, changes, flatten, keep_batch, launched_fields

STAMPS = ["manifest-runner:0123", "manifest-runner-name:study"]


def request(reference="alpha", **fields):
    return {"userReference": reference, "pipelineId": "p", **fields}


def body(*requests):
    return json.dumps({"nextflowItems": requests}).encode()


def kept(*requests):
    """The fields of each launch of a batch, as the lockfile gives them back after its JSON was read again."""
    batch = keep_batch(body(*requests))
    shared, names, own = orjson.loads(orjson.dumps([batch.shared, batch.names, batch.own]))
    return {reference: launched_fields(shared, names, own[reference]) for reference in own}


def difference(before, after):
    return [str(change) for change in changes(kept(before)["alpha"], after)]


@pytest.mark.parametrize(("fields", "flat"), [
    ({"pipelineId": "p"}, {"pipelineId": "p"}),
    ({"a": {"b": {"c": 1}}}, {"a.b.c": 1}),
    ({"parameters": [{"code": "sv", "value": "true"}]}, {"parameters[sv]": "true"}),
    ({"parameters": [{"code": "x", "multiValue": ["1", "2"]}]}, {"parameters[x]": ["1", "2"]}),
    ({"inputs": [{"parameterCode": "bam", "dataIds": ["fil.1"]}]}, {"inputs[bam]": ["fil.1"]}),
    ({"inputs": [{"parameterCode": "bam", "dataIds": [], "mounts": [{"dataId": "d", "mountPath": "m"}]}]},
     {"inputs[bam].dataIds": [], "inputs[bam].mounts[0].dataId": "d", "inputs[bam].mounts[0].mountPath": "m"}),
    ({"fields": [{"id": "f", "values": ["v"]}]}, {"fields[f]": ["v"]}),
    ({"analysisOutput": [{"sourcePath": "out/", "type": "FOLDER"}]},
     {"analysisOutput[0].sourcePath": "out/", "analysisOutput[0].type": "FOLDER"}),
    ({"tags": {"technicalTags": ["run=1", *STAMPS]}}, {"tags.technicalTags": ["run=1"]}),
    ({"tags": {"technicalTags": STAMPS}}, {}),
    ({"list": [], "mixed": [1, {"a": 2}]}, {"list": [], "mixed": [1, {"a": 2}]}),
])  # fmt: skip
def test_a_field_has_the_name_that_a_person_would_give_it(fields, flat):
    assert flatten(fields) == flat


def test_a_change_shows_both_values_as_json():
    before = request(parameters=[{"code": "sv", "value": "true"}, {"code": "old", "value": "größe"}])
    after = request(parameters=[{"code": "sv", "value": "false"}, {"code": "new", "multiValue": ["a", "b"]}])
    assert difference(before, after) == [
        'parameters[new]: (none) → ["a", "b"]',
        'parameters[old]: "größe" → (none)',
        'parameters[sv]: "true" → "false"',
    ]


def test_neither_stamps_nor_the_order_of_coded_lists_are_changes():
    sv, caller = {"code": "sv", "value": "1"}, {"code": "caller", "value": "x"}
    assert difference(request(p=[sv, caller], tags={"technicalTags": STAMPS}), request(p=[caller, sv])) == []


def test_a_long_text_is_kept_as_its_hash_which_tells_that_it_changed():
    long = "x" * (MAX_KEPT + 1)
    assert difference(request(json=long), request(json=long)) == []
    (change,) = difference(request(json=long), request(json=long[:-1] + "y"))
    assert len(change) < 2 * MAX_KEPT
    assert len(json.dumps(kept(request(json=long))["alpha"])) < MAX_KEPT


def test_what_all_items_share_is_kept_once():
    batch = keep_batch(body(*(request(f"s{n}", bam=f"fil.{n}", caller="fast") for n in range(3))))
    assert batch.shared == {"pipelineId": "p", "caller": "fast"}
    assert (batch.names, batch.own) == (("bam",), {f"s{n}": [f"fil.{n}"] for n in range(3)})


def test_a_kind_may_miss_a_field_that_another_has():
    batch = {"cwlItems": [request("c", inputJson="{}")], "nextflowItems": [request("n", sv="1")]}
    held = keep_batch(json.dumps(batch).encode())
    fields = {each: launched_fields(held.shared, held.names, held.own[each]) for each in held.own}
    assert fields == {"c": {"pipelineId": "p", "inputJson": "{}"}, "n": {"pipelineId": "p", "sv": "1"}}


codes = st.text("abc", min_size=1, max_size=2)
values = st.text(max_size=5) | st.text(min_size=MAX_KEPT, max_size=MAX_KEPT + 20)
coded = st.dictionaries(codes, values, max_size=3).map(lambda each: [{"code": c, "value": v} for c, v in each.items()])
requests = st.fixed_dictionaries({}, optional={"x": st.fixed_dictionaries({"parameters": coded}), "text": values})


@given(st.lists(requests, min_size=1, max_size=4), requests)
def test_a_launch_differs_from_a_request_exactly_where_their_fields_do(launched, now):
    sent = [request(f"s{number}", **fields) for number, fields in enumerate(launched)]
    for each in sent:
        after = request("later", **now)
        found = {change.field for change in changes(kept(*sent)[each["userReference"]], after)}
        one, other = flatten(each), flatten(after)
        differing = {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}
        assert found == differing - {"userReference"}


def test_a_change_from_nothing_is_told_apart_from_an_empty_text():
    assert str(Change("f", None, "")) == 'f: (none) → ""'
