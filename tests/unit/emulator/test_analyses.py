"""Analyses: their statuses, searching, aborting."""

from __future__ import annotations

import uuid

import pytest

V3 = "application/vnd.illumina.v3+json"


def only_analysis(client, batch):
    return client.items(batch)["items"][0]["createdAnalysis"]


def current(client, analysis, **accept):
    return client.get(f"analyses/{analysis}", **accept).json()


@pytest.fixture(name="analysis")
def _analysis(client, clock):
    """The id of an analysis that has just been requested."""
    batch = client.create("one")
    while "createdAnalysis" not in client.items(batch)["items"][0]:
        clock.advance(0.01)
    return only_analysis(client, batch)["id"]


def test_an_analysis_goes_through_every_status_to_success(client, analysis, clock):
    seen = []
    for _ in range(90):
        status = current(client, analysis)["status"]
        seen += [status] if status not in seen else []
        clock.advance(0.1)
    assert seen == [
        "REQUESTED", "QUEUED", "INITIALIZING", "PREPARING_INPUTS", "IN_PROGRESS", "GENERATING_OUTPUTS", "SUCCEEDED",
    ]  # fmt: skip


def test_version_3_knows_fewer_statuses(client, analysis, clock):
    seen = []
    for _ in range(90):
        status = current(client, analysis, accept=V3)["status"]
        seen += [status] if status not in seen else []
        clock.advance(0.1)
    assert seen == ["REQUESTED", "INPROGRESS", "SUCCEEDED"]


def test_start_and_end_dates_follow_the_status(client, analysis, clock):
    dates = []
    for _ in range(3):
        found = current(client, analysis)
        dates.append((found["startDate"] is not None, found["endDate"] is not None))
        clock.advance(5)
    assert dates == [(False, False), (True, False), (True, True)]


def test_an_analysis_that_is_to_fail_fails_and_says_why(start, clock):
    client = start(fail_analysis="^bad")
    batch = client.create("bad-one")
    clock.advance(10)
    found = only_analysis(client, batch)
    assert found["status"] == "FAILED"
    assert found["summary"]


def test_an_analysis_that_is_to_be_aborted_ends_so_by_itself(start, clock):
    client = start(abort_analysis="^bad")
    batch = client.create("bad-one", "good")
    clock.advance(8)
    ending = {each["createdAnalysis"]["status"] for each in client.items(batch)["items"]}
    clock.advance(2)
    found = {each["userReference"]: each for each in client.search().json()["items"]}
    assert "ABORTING" in ending
    assert (found["bad-one"]["status"], found["good"]["status"]) == ("ABORTED", "SUCCEEDED")
    assert found["bad-one"]["summary"]
    assert client.found(status=["ABORTED"]) == ["bad-one"]


def test_a_search_lags_behind_what_is_known_of_an_analysis_by_its_id(start, clock):
    client = start(search_lag=30)
    batch = client.create("one")
    clock.advance(1)
    analysis = only_analysis(client, batch)["id"]
    clock.advance(28)
    assert client.found() == client.get("analyses", accept=V3).json()["items"] == []
    assert client.get(f"analyses/{analysis}").status_code == 200
    clock.advance(2)
    assert client.found() == ["one"]


def test_the_etag_changes_with_the_status_only(client, analysis, clock):
    tags = []
    for step in (0, 0.1, 8):
        clock.advance(step)
        tags.append(client.get(f"analyses/{analysis}").headers["etag"])
    assert tags[0] == tags[1] != tags[2]


def test_versions_differ_in_how_they_name_the_owner(client, analysis):
    new, old = current(client, analysis), current(client, analysis, accept=V3)
    assert new["owner"]["id"] == old["ownerId"]
    assert new["tenant"]["id"] == old["tenantId"]
    assert "ownerId" not in new
    assert "owner" not in old


def test_an_abort_shows_later_and_passes_through_aborting(client, analysis, clock):
    clock.advance(4)
    assert client.abort(analysis).status_code == 204
    before = current(client, analysis)["status"]
    clock.advance(0.5)
    during = current(client, analysis)["status"]
    clock.advance(1)
    after = current(client, analysis)
    assert (before, during, after["status"]) == ("IN_PROGRESS", "ABORTING", "ABORTED")
    assert after["endDate"]


def test_aborting_twice_is_once(client, analysis, clock):
    client.abort(analysis)
    clock.advance(0.5)
    assert client.abort(analysis).status_code == 204
    clock.advance(1)
    assert current(client, analysis)["status"] == "ABORTED"


def test_what_has_ended_cannot_be_aborted(client, analysis, clock):
    clock.advance(9)
    answer = client.abort(analysis)
    assert answer.status_code == 400
    assert current(client, analysis)["status"] == "SUCCEEDED"


@pytest.mark.parametrize("status", ["get", "abort"])
def test_an_unknown_analysis_is_not_found(client, status):
    unknown = str(uuid.uuid4())
    answer = client.get(f"analyses/{unknown}") if status == "get" else client.abort(unknown)
    assert answer.status_code == 404


def test_an_analysis_is_found_only_once_its_item_is_created(client, clock):
    client.create("one")
    assert client.found() == []
    clock.advance(1)
    assert client.found() == ["one"]


def test_items_that_failed_are_never_found(start, clock):
    client = start(fail_creation="bad")
    client.create("bad", "good")
    clock.advance(1)
    assert client.found() == ["good"]


@pytest.fixture(name="tagged")
def _tagged(client, clock):
    client.create("one", tags={"technicalTags": ["x", "y"], "userTags": ["u"], "referenceTags": ["r"]})
    client.create("two", tags={"technicalTags": ["x"], "userTags": ['quo"te']})
    client.create("three")
    clock.advance(1)
    return client


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, ["one", "three", "two"]),
        ({"technicalTags": ["x"]}, ["one", "two"]),
        ({"technicalTags": ["x", "y"]}, ["one"]),
        ({"technicalTags": ["u"]}, []),
        ({"userTags": ["u"]}, ["one"]),
        ({"userTags": ['quo"te']}, ["two"]),
        ({"userTags": ["quo"]}, []),
        ({"referenceTags": ["r"]}, ["one"]),
        ({"userReference": "three"}, ["three"]),
        ({"userReference": "thre"}, []),
        ({"userReference": None, "technicalTags": None, "userTags": [None]}, ["one", "three", "two"]),
        ({"userReference": "two", "technicalTags": ["x"]}, ["two"]),
        ({"status": ["REQUESTED", None]}, ["one", "three", "two"]),
        ({"status": ["SUCCEEDED", "ABORTED"]}, []),
    ],
)
def test_a_search_keeps_what_meets_every_filter(tagged, filters, found):
    assert tagged.found(**filters) == found


def test_a_search_finds_an_analysis_by_its_reference(tagged):
    analyses = tagged.search().json()["items"]
    for analysis in analyses:
        assert tagged.found(reference=analysis["reference"]) == [analysis["userReference"]]


def test_a_search_needs_no_body(tagged):
    assert len(tagged.session.post(f"{tagged.home}/analysis:search").json()["items"]) == 3


def test_a_search_gives_version_4_under_the_media_type_of_version_3(tagged):
    answer = tagged.search()
    assert answer.headers["content-type"] == V3
    assert "owner" in answer.json()["items"][0]


def test_a_search_pages_by_cursor_across_batches(tagged):
    token, found = "", []
    for _ in range(3):
        page = tagged.search({}, pageSize=1, pageToken=token).json()
        found += [analysis["userReference"] for analysis in page["items"]]
        token = page["nextPageToken"]
    assert sorted(found) == ["one", "three", "two"]
    assert token == ""


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("userReference", ["one", "three", "two"]),
        ("userReference desc", ["two", "three", "one"]),
        ("status, userReference asc", ["one", "three", "two"]),
        ("pipeline,userReference desc", ["two", "three", "one"]),
    ],
)
def test_a_search_by_offset_can_be_sorted(tagged, sort, order):
    page = tagged.search({}, pageOffset=0, sort=sort).json()
    assert [analysis["userReference"] for analysis in page["items"]] == order
    assert page["totalItemCount"] == 3


@pytest.mark.parametrize("query", [{"sort": "colour"}, {"sort": "status sideways"}, {"sort": "status,"}])
def test_an_unknown_sort_is_refused(tagged, query):
    assert tagged.search({}, **query).status_code == 400


def test_sorting_and_cursors_do_not_go_together(tagged):
    token = tagged.search({}, pageSize=1).json()["nextPageToken"]
    assert tagged.search({}, pageToken=token, sort="status").status_code == 400


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["one", "three", "two"]),
        ({"userreference": "one"}, ["one"]),
        ({"technicaltag": "x"}, ["one", "two"]),
        ({"usertag": "u", "referencetag": "r"}, ["one"]),
        ({"status": "REQUESTED"}, ["one", "three", "two"]),
        ({"status": "SUCCEEDED"}, []),
    ],
)
def test_the_list_of_version_3_filters_in_its_query_string(tagged, query, found):
    answer = tagged.get("analyses", accept=V3, **query)
    assert sorted(analysis["userReference"] for analysis in answer.json()["items"]) == found


def test_the_list_of_version_3_finds_all_that_it_calls_in_progress(tagged, clock):
    clock.advance(4)
    assert len(tagged.get("analyses", accept=V3, status="INPROGRESS").json()["items"]) == 3
    assert tagged.get("analyses", accept=V3, status="WALKING").status_code == 400
