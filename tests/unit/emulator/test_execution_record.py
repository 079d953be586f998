"""The record that tests read beside the server: requests by endpoint, users, and how much ran at once."""

from __future__ import annotations

from manifest_runner.emulator import execution_record


def test_requests_are_counted_by_endpoint_and_status(start):
    client = start()
    batch = client.create("one")
    client.batch(batch)
    client.batch(batch)
    client.batch("00000000-0000-4000-8000-000000000000")
    client.get("analyses", accept="text/html")
    get_batch = "GET /api/projects/{projectId}/analysisCreationBatch/{batchId}"
    assert execution_record.requests(client.database) == {
        "POST /api/projects/{projectId}/analysisCreationBatch": 1,
        get_batch: 3,
        "GET /api/projects/{projectId}/analyses": 1,
    }
    assert execution_record.requests(client.database, status=404) == {get_batch: 1}


def test_endpoints_have_the_names_of_the_contract():
    from manifest_runner.emulator.routes import ENDPOINTS

    names = {endpoint.name for endpoint in ENDPOINTS}
    assert "GET /api/data/{dataUrn}" in names
    assert "GET /api/projects/{projectId}/pipelines/{pipelineId}/files/{fileId}/content" in names
    assert "POST /api/projects/{projectId}/data/{dataId}:createDownloadUrl" in names
    assert len(names) == len(ENDPOINTS)


def test_an_execution_has_its_user_whatever_credential_was_used(start):
    client = start()
    client.create("one")
    minted = client.session.post(f"{client.api}/tokens").json()["token"]
    del client.session.headers["X-API-Key"]
    client.session.headers["Authorization"] = f"Bearer {minted}"
    client.create("two")
    client.session.headers["Authorization"] = "Bearer another"
    client.create("three")
    one, two, three = (each.owner for each in execution_record.executions(client.database))
    assert one == two != three


def test_what_runs_at_once_is_known_from_the_timetable(start, clock):
    client = start(creation_delay=0.0, analysis_duration=10.0, fail_creation="^bad")
    client.create("a", "b", "bad")
    clock.advance(9)
    client.create("c")
    clock.advance(1)
    client.create("d")
    assert execution_record.most_unfinished(client.database, client.project) == 3
    assert execution_record.most_unfinished(client.database) == 3
    assert execution_record.most_unfinished(client.database, "another") == 0
    ended = {run.user_reference: run.ended - run.begun for run in execution_record.runs(client.database)}
    assert ended == {"a": 10.0, "b": 10.0, "bad": 0.0, "c": 10.0, "d": 10.0}


def test_an_abort_ends_a_run_early(start, clock):
    client = start(creation_delay=0.0, analysis_duration=100.0)
    client.create("a")
    (analysis,) = client.search().json()["items"]
    clock.advance(10)
    client.abort(analysis["id"])
    (run,) = execution_record.runs(client.database)
    assert 10 < run.ended - run.begun < 100
