"""Ids in place of names: wherever the API wants an id, and never a digest of anything else."""

from __future__ import annotations

import copy

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_runner.model import Name
from manifest_runner.names.api_keys import NO_UUID, may_have_names
from manifest_runner.names.failure import LookupFailure
from manifest_runner.names.model import DataEntry, Names, PipelineEntry
from manifest_runner.names.pins import Pins

PIPELINE, STORAGE, PROJECT = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "123")
NAMES = Names(
    "p",
    "s",
    data={
        "/a": DataEntry("fil.a"),
        "/b": DataEntry("fil.b"),
        "/out/": DataEntry("fol.o"),
        "icav2://Lab/x#1": DataEntry("fil.x"),
    },
    pipelines={"Germline": PipelineEntry(PIPELINE)},
    projects={"Lab": PROJECT},
    storages={"Small": STORAGE},
)


def place(rendered, kind="nextflow", pins=None):
    pins = pins or Pins(NAMES)
    return pins.placed(rendered, pins.named(rendered), kind)


def item(**more):
    return {"analysisInput": {"inputs": []}, "pipelineId": PIPELINE, "userReference": "r", **more}


def with_ids(*ids):
    return item(analysisInput={"inputs": [{"dataIds": list(ids), "parameterCode": "c"}]})


def test_names_beside_ids_take_the_keys_of_the_api_in_their_order():
    rendered = {
        "analysisInput": {"inputs": []},
        "analysisOutput": [{"sourcePath": "x", "targetPath": "/y", "targetProject": "Lab", "type": "FILE"}],
        "analysisStorage": "Small",
        "outputParentFolder": "/out/",
        "pipeline": "Germline",
        "userReference": "r",
    }
    request = place(rendered).request
    assert request == {
        "analysisInput": {"inputs": []},
        "analysisOutput": [{"sourcePath": "x", "targetPath": "/y", "targetProjectId": PROJECT, "type": "FILE"}],
        "analysisStorageId": STORAGE,
        "outputParentFolderId": "fol.o",
        "pipelineId": PIPELINE,
        "userReference": "r",
    }
    assert list(request) == sorted(request)
    assert list(request["analysisOutput"][0]) == sorted(request["analysisOutput"][0])


@pytest.mark.parametrize(
    ("fields", "may_have"),
    [
        ({"pipelineId": PIPELINE, "analysisOutput": [{"targetProjectId": PROJECT}]}, False),
        ({"pipeline": "Germline"}, True),
        ({"outputParentFolder": "/out/"}, True),
        ({"analysisOutput": [{"targetProjectId": PROJECT}, {"targetProject": "Lab"}]}, True),
        ({"analysisOutput": [object()]}, True),  # a template
        ({"analysisOutput": object()}, True),
    ],
)
def test_names_are_expected_where_a_field_or_a_template_may_give_one(fields, may_have):
    assert may_have_names(fields) == may_have


def test_data_get_ids_in_inputs_mounts_forms_groups_and_folders():
    inputs = [{"dataIds": ["/a", "fil.z", "/b"], "mounts": [{"dataId": "icav2://Lab/x#1", "mountPath": "m"}]}]
    inputs[0]["parameterCode"] = "c"
    placed = place(item(analysisInput={"inputs": inputs}, logs={"logsFolderId": "/out/"})).request
    assert placed["analysisInput"]["inputs"][0]["dataIds"] == ["fil.a", "fil.z", "fil.b"]
    assert placed["analysisInput"]["inputs"][0]["mounts"] == [{"dataId": "fil.x", "mountPath": "m"}]
    assert placed["logs"] == {"logsFolderId": "fol.o"}
    cwl = {"dataIds": ["/a"], "inputJson": "{}", "mounts": [{"dataId": "/b", "mountPath": "m"}], "objectType": "JSON"}
    placed = place(item(analysisInput=cwl), "cwl").request["analysisInput"]
    assert (placed["dataIds"], placed["mounts"][0]["dataId"]) == (["fil.a"], "fil.b")
    field = {"dataValues": [{"dataId": "/a", "mountPath": "m"}, None], "id": "f"}
    form = {"fields": [field, {"id": "g", "values": ["/a"]}], "groups": [{"id": "g", "values": [{"values": [field]}]}]}
    placed = place({"inputFormValues": form, "pipelineId": PIPELINE, "userReference": "r"}, "nextflowJson")
    placed_form = placed.request["inputFormValues"]
    assert placed_form["fields"][0]["dataValues"] == [{"dataId": "fil.a", "mountPath": "m"}, None]
    assert placed_form["fields"][1]["values"] == ["/a"]  # text of a form is not data
    assert placed_form["groups"][0]["values"][0]["values"][0]["dataValues"][0]["dataId"] == "fil.a"


@given(st.lists(st.lists(st.sampled_from(["/a", "/b", "icav2://Lab/x#1", "fil.a", "fil.b"]), max_size=4), max_size=3))
def test_a_path_and_its_id_make_the_same_bytes_and_nothing_is_changed_in_place(inputs):
    def request(listed):
        coded = [{"dataIds": ids, "parameterCode": f"c{i}"} for i, ids in enumerate(listed)]
        return item(analysisInput={"inputs": coded})

    by_name = request(inputs)
    before = copy.deepcopy(by_name)
    by_id = request([[NAMES.id_of(Name("data", each)) or each for each in ids] for ids in inputs])
    assert orjson.dumps(place(by_name).request) == orjson.dumps(place(by_id).request)
    assert by_name == before


def test_a_request_with_ids_only_is_the_very_same_object():
    rendered = with_ids("fil.a1", "fol.b2")
    assert place(rendered).request is rendered


def test_what_is_not_known_is_unresolved_and_leaves_the_rest_fit_to_be_checked():
    rendered = {**with_ids("/new", "/a"), "analysisStorage": "Huge", "pipeline": "Somatic"}
    del rendered["pipelineId"]
    placed = place(rendered)
    assert placed.unresolved == (Name("data", "/new"), Name("pipelines", "Somatic"), Name("storages", "Huge"))
    assert placed.faults == ()
    assert placed.request["analysisStorageId"] == NO_UUID
    assert placed.request["analysisInput"]["inputs"][0]["dataIds"] == ["/new", "fil.a"]


def test_a_uuid_in_the_place_of_a_name_is_an_id():
    rendered = {**item(), "analysisStorage": STORAGE, "pipeline": PIPELINE}
    del rendered["pipelineId"]
    placed = place(rendered)
    assert placed.unresolved == ()
    assert (placed.request["pipelineId"], placed.request["analysisStorageId"]) == (PIPELINE, STORAGE)


def test_what_is_not_data_is_a_fault_at_its_place():
    placed = place(with_ids("fil.a", "s3://b/x", ""))
    assert [(fault.path[-1], fault.code) for fault in placed.faults] == [(1, "MR504"), (2, "MR504")]
    (fault,) = place(item(pipelineId="Germline")).faults
    assert (fault.path, fault.code) == (("pipelineId",), "MR505")


def test_a_file_in_the_place_of_a_folder_is_a_fault():
    (fault,) = place(item(outputParentFolderId="/a")).faults
    assert fault.message == 'expected a folder, found the file "/a" (fil.a)'


def test_of_what_was_looked_up_in_vain_only_the_chosen_items_are_at_fault():
    failures = {Name("data", "/new"): LookupFailure("MR701", "no data")}
    faulty = {"fil.a": LookupFailure("MR707", "gone"), "/a": LookupFailure("MR707", "gone")}
    pins = Pins(NAMES, failures, faulty=faulty)
    assert [fault.code for fault in place(with_ids("/new", "/a", "fil.a"), pins=pins).faults] == [
        "MR701",
        "MR707",
        "MR707",
    ]
    assert not place(with_ids("/new", "/a"), pins=Pins(NAMES, failures, faulty=faulty, only={"other"})).faults


def test_a_request_like_one_before_it_gets_the_same_ids_the_short_way():
    pins = Pins(NAMES)
    rendered = {
        **with_ids("/a", "fil.z1"),
        "analysisStorage": "Small",
        "outputParentFolder": "/out/",
        "pipeline": "Germline",
    }
    rendered["analysisOutput"] = [{"sourcePath": "x", "targetPath": "/y", "targetProject": "Lab", "type": "FILE"}]
    del rendered["pipelineId"]
    first, second = place(rendered, pins=pins), place(rendered, pins=pins)
    assert first == second
    assert second.request["outputParentFolderId"] == "fol.o"
    assert place({**rendered, "analysisStorage": "Huge"}, pins=pins).unresolved == (Name("storages", "Huge"),)
    other = [{**rendered["analysisOutput"][0], "targetProject": "Elsewhere"}]
    assert place({**rendered, "analysisOutput": other}, pins=pins).unresolved == (Name("projects", "Elsewhere"),)
    assert place({**rendered, "outputParentFolder": "/a"}, pins=pins).faults[0].code == "MR504"
    assert place(with_ids("fil." + "0" * 32), pins=pins).faults[0].code == "MR504"


@pytest.mark.parametrize("ids", [[""], ["fil.1", ""], ["", "fil.1"], ["fil.1\nfil.2"], ["fil.1\n"], [f"fil.{0:032}"]])
def test_ids_are_looked_at_together_and_none_hides_another(ids):
    assert [fault.code for fault in place(with_ids(*ids)).faults] == ["MR504"]
    pins = Pins(NAMES)
    assert place(with_ids("fil.1"), pins=pins).faults == ()  # so that the next one takes the short way
    assert [fault.code for fault in place(with_ids(*ids), pins=pins).faults] == ["MR504"]
