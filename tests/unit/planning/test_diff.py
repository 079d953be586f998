"""What changed between two requests, field by field, and what is kept of a launch for that."""

from __future__ import annotations

import json
import resource
import zlib
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_runner.lockfile.requests import MAX_BODY, keep_requests, sent_requests
from manifest_runner.planning.diff import MAX_SHOWN, Change, changes, flatten, with_names

STAMPS = ["manifest-runner:0123", "manifest-runner-name:study"]


def request(reference="alpha", **fields):
    return {"userReference": reference, "pipelineId": "urn:p", **fields}


def body(*requests):
    return json.dumps({"nextflowItems": requests}).encode()


def kept(*requests):
    """The requests of a batch by userReference, as the lockfile gives them back."""
    return decoded(keep_requests(body(*requests)))


def decoded(text):
    return {reference: sent.decoded() for reference, sent in sent_requests(text).items()}


def difference(before, after):
    return [str(change) for change in changes(kept(before)["alpha"], after)]


@pytest.mark.parametrize(("fields", "flat"), [
    ({"pipelineId": "urn:p"}, {"pipelineId": "urn:p"}),
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


def test_a_long_text_is_shown_with_its_hash_which_shows_that_it_changed():
    long = "x" * (MAX_SHOWN + 1)
    assert difference(request(json=long), request(json=long)) == []
    (change,) = difference(request(json=long), request(json=long[:-1] + "y"))
    before, after = change.split(" → ")
    assert before.removeprefix("json: ") != after
    assert len(change) < MAX_SHOWN


def test_a_batch_of_items_that_are_alike_takes_little():
    alike = [request(f"s{n}", bam=f"fil.{n:032}", caller="fast", out="/a/long/path/of/the/study/") for n in range(100)]
    assert len(keep_requests(body(*alike))) < len(body(*alike)) / 4


def test_requests_of_all_kinds_are_kept():
    batch = {"cwlItems": [request("c", inputJson="{}")], "nextflowItems": [request("n", sv="1")]}
    held = decoded(keep_requests(json.dumps(batch).encode()))
    assert held == {"c": request("c", inputJson="{}"), "n": request("n", sv="1")}


def test_what_is_larger_than_any_batch_is_not_kept():
    assert keep_requests(b"[" + b" " * MAX_BODY + b"]") is None


@given(st.text() | st.binary().map(lambda raw: b64encode(zlib.compress(raw)).decode()))
def test_what_somebody_wrote_there_is_distinguished_from_what_was_kept(text):
    with pytest.raises(ValueError, match="not the requests of a batch"):
        sent_requests(text)


@pytest.mark.parametrize("document", [{}, {"a": [1]}, {"a": 1}, {"a": [{}]}, [], 1])
def test_other_json_holds_no_requests(document):
    text = b64encode(zlib.compress(json.dumps(document).encode())).decode()
    try:
        assert sent_requests(text) == {}
    except ValueError:
        assert document != {}


def test_a_bomb_is_not_inflated():
    bomb = b64encode(zlib.compress(b" " * (4 * MAX_BODY))).decode()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match="not the requests of a batch"):
        sent_requests(bomb)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 3 * MAX_BODY / 1024


codes = st.text("abc", min_size=1, max_size=2)
values = st.text(max_size=5) | st.text(min_size=MAX_SHOWN, max_size=MAX_SHOWN + 20)
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


def test_a_change_from_nothing_differs_from_one_from_an_empty_text():
    assert str(Change("f", None, "")) == 'f: (none) → ""'


def test_names_stand_for_the_ids_that_they_are_known_by():
    names = {"fil.1": "/a", "fil.2": "/b", "p-1": "RNA"}
    found = [Change("inputs[reads]", ["fil.1", "fil.9"], [{"dataId": "fil.2"}]), Change("pipelineId", None, "p-1")]
    assert with_names(found, names) == [
        Change("inputs[reads]", ["/a", "fil.9"], [{"dataId": "/b"}]),
        Change("pipelineId", None, "RNA"),
    ]
