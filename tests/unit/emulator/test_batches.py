"""Batches, their items and jobs, as they go through the timetable."""

from __future__ import annotations

import uuid

import pytest

from manifest_runner.emulator.execution_record import Execution, executions


def statuses(client, batch):
    return {found["processing"]["status"] for found in client.items(batch)["items"]}


def job(client, batch):
    return client.batch(batch).json()["job"]


def test_a_new_batch_is_answered_with_201_and_an_initialized_job(client, make_item):
    answer = client.post([make_item()])
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/vnd.illumina.v3+json"
    assert answer.json()["job"]["status"] == "INITIALIZED"
    assert answer.json()["job"]["subjectId"] == answer.json()["id"]


def test_items_wait_then_run_then_succeed_within_the_creation_delay(client, clock):
    batch = client.create(*(f"item-{n}" for n in range(50)))
    assert statuses(client, batch) == {"WAITING_RESOURCES"}
    clock.advance(0.4)
    assert "RUNNING" in statuses(client, batch)
    clock.advance(0.35)
    assert {"RUNNING", "SUCCEEDED"} <= statuses(client, batch)
    clock.advance(0.25)
    assert statuses(client, batch) == {"SUCCEEDED"}


def test_a_job_is_initialized_then_runs_then_succeeds_with_its_times(client, clock):
    batch = client.create("one")
    seen = [job(client, batch)]
    for _ in range(2):
        clock.advance(0.5)
        seen.append(job(client, batch))
    assert [j["status"] for j in seen] == ["INITIALIZED", "RUNNING", "SUCCEEDED"]
    assert [j["timeStarted"] is None for j in seen] == [True, False, False]
    assert [j["timeFinished"] is None for j in seen] == [True, True, False]


@pytest.mark.parametrize(
    ("expression", "status"),
    [("^nothing$", "SUCCEEDED"), ("^one$", "PARTIALLY_SUCCEEDED"), (".", "FAILED")],
)
def test_the_job_shows_how_many_items_failed(start, clock, expression, status):
    client = start(fail_creation=expression)
    batch = client.create("one", "two")
    clock.advance(1)
    assert job(client, batch)["status"] == status


def test_an_item_that_failed_says_so_and_has_no_analysis(start, clock):
    client = start(fail_creation="bad")
    batch = client.create("this-is-bad", "good")
    clock.advance(1)
    found = {i["request"]["userReference"]: i for i in client.items(batch)["items"]}
    assert found["this-is-bad"]["processing"]["status"] == "FAILED"
    assert found["this-is-bad"]["processing"]["additionalStatusInformation"]
    assert "createdAnalysis" not in found["this-is-bad"]
    assert found["good"]["processing"] == {"status": "SUCCEEDED", "additionalStatusInformation": None}
    assert found["good"]["createdAnalysis"]["userReference"] == "good"


def test_without_delays_everything_is_final_at_the_first_look(start):
    client = start(creation_delay=0, analysis_duration=0)
    batch = client.create("one")
    (found,) = client.items(batch)["items"]
    assert job(client, batch)["status"] == "SUCCEEDED"
    assert found["createdAnalysis"]["status"] == "SUCCEEDED"


def test_an_item_shows_what_was_requested(client):
    batch = client.create("one", tags={"technicalTags": ["a", None], "userTags": ["b"], "referenceTags": None})
    assert client.items(batch)["items"][0]["request"] == {
        "userReference": "one",
        "pipelineId": "f606f580-d476-47a8-9679-9ddb39fcb0a8",
        "tags": {"technicalTags": ["a"], "userTags": ["b"], "referenceTags": []},
    }


def test_items_do_not_come_in_the_order_of_the_request(client):
    wanted = [f"item-{n:02}" for n in range(40)]
    listed = [found["request"]["userReference"] for found in client.items(client.create(*wanted))["items"]]
    assert listed != wanted
    assert sorted(listed) == wanted


def test_one_item_is_the_same_as_in_the_list(client, clock):
    batch = client.create("one", "two")
    clock.advance(1)
    for listed in client.items(batch)["items"]:
        single = client.get(f"analysisCreationBatch/{batch}/items/{listed['id'].upper()}")
        assert single.json() == listed


def test_a_batch_of_all_three_kinds_has_an_item_for_each(client, make_item, clock):
    plain = {"pipelineId": "urn:p"}
    body = {
        "cwlItems": [{**plain, "userReference": "c", "analysisInput": {"objectType": "JSON", "inputJson": "{}"}}],
        "nextflowItems": [make_item("n")],
        "nextflowJsonItems": [{**plain, "userReference": "j", "inputFormValues": {}}],
    }
    batch = client.post(body).json()["id"]
    clock.advance(1)
    languages = {
        found["request"]["userReference"]: found["createdAnalysis"]["pipeline"]["language"]
        for found in client.items(batch)["items"]
    }
    assert languages == {"c": "CWL", "n": "NEXTFLOW", "j": "NEXTFLOW"}


def test_every_reference_is_unique_and_holds_the_user_reference(client, clock):
    batches = [client.create("same"), client.create("same"), client.create("x" * 255)]
    clock.advance(1)
    found = [client.items(batch)["items"][0]["createdAnalysis"]["reference"] for batch in batches]
    assert len(set(found)) == 3
    assert found[0].startswith("same-")
    assert found[2].startswith("x" * 200)
    assert len(found[2]) == 255


@pytest.mark.parametrize("path", ["{}", "{}/items", "{}/items/{}"])
def test_an_unknown_batch_or_item_is_not_found(client, path):
    unknown = str(uuid.uuid4())
    answer = client.get(f"analysisCreationBatch/{path.format(unknown, unknown)}", accept="*/*")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_batch_of_another_project_is_not_found(client):
    batch = client.create("one")
    client.project = str(uuid.uuid4())
    assert client.batch(batch).status_code == 404


def test_a_colleague_sees_the_batches_of_the_project(client, other_user):
    assert other_user.batch(client.create("one")).status_code == 200


def test_the_record_has_one_entry_an_item_executed_with_its_technical_tags(client, project):
    batch = client.create("one", tags={"technicalTags": ["t1", "t2"]})
    owner = client.batch(batch).json()["job"]["owner"]["id"]
    assert Execution(project, batch, "one", ("t1", "t2"), owner) in executions(client.database)
