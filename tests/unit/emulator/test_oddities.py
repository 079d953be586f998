"""Servers that are older, stricter or less helpful than the usual one."""

from __future__ import annotations

import pytest

from manifest_runner.emulator import Oddities, parse_oddities

V3 = "application/vnd.illumina.v3+json"
V4 = "application/vnd.illumina.v4+json"
FULL = {"filePathMatchMode": "FULL_CASE_INSENSITIVE"}
CATALOG = """
projects: [{name: study, id: PROJECT}, {name: other}]
pipelines: [{code: a}, {code: b, id: f606f580-d476-47a8-9679-9ddb39fcb0a8}]
data: ["/f/{1..9}.txt"]
"""


def test_oddities_are_read_from_texts():
    parsed = parse_oddities(["no-v4", " max-url=2000 ", "short-pages=10", "downloads=cut"])
    assert parsed == Oddities(no_v4=True, longest_url=2000, longest_page=10, downloads="cut")


@pytest.mark.parametrize("text", ["", "no-v5", "no-v4=1", "max-url", "max-url=0", "max-url=x", "downloads=late"])
def test_what_is_not_an_oddity_is_explained(text):
    with pytest.raises(ValueError, match="is not an oddity; write one of ignore-filters"):
        parse_oddities([text])


def test_filters_can_be_ignored(start, project):
    client = start(catalog=CATALOG.replace("PROJECT", project), oddities=["ignore-filters"])
    assert len(client.paths(filePath="/f/1.txt", **FULL)) == 10
    search = client.session.post(f"{client.home}/pipelines:search", json={"name": {"equals": "a"}})
    assert len(search.json()["items"]) == 2
    assert len(client.session.get(f"{client.api}/projects", params={"search": "study"}).json()["items"]) == 2


def test_pages_can_be_shorter_than_asked(start, project):
    client = start(catalog=CATALOG.replace("PROJECT", project), oddities=["short-pages=2"], creation_delay=0.0)
    client.create("one", "two", "three")
    page = client.get("data", accept=V3, pageSize=1000).json()
    assert (len(page["items"]), page["remainingRecords"], bool(page["nextPageToken"])) == (2, 8, True)
    assert len(client.search(pageSize=1000).json()["items"]) == 2


def test_a_server_can_lack_version_4(start):
    client = start(oddities=["no-v4"], creation_delay=0.0)
    batch = client.create("one")
    items = f"analysisCreationBatch/{batch}/items"
    assert (client.get(items, accept=V4).status_code, client.get(items, accept=V3).status_code) == (400, 200)
    assert client.listed("analysisStorages")[0]["name"] == "Small"


def test_a_long_url_can_be_refused(start):
    client = start(oddities=["max-url=500"])
    long = client.get("data", accept=V3, filePath=["/f/1.txt"] * 50, **FULL)
    assert (long.status_code, long.headers["content-type"]) == (414, "application/problem+json")
    assert client.get("data", accept=V3, filePath="/f/1.txt", **FULL).status_code == 200


def test_nobody_may_be_allowed_to_look_at_pipelines(start):
    client = start(oddities=["forbid-pipelines"])
    pipeline = "pipelines/f606f580-d476-47a8-9679-9ddb39fcb0a8"
    paths = ("pipelines", pipeline, f"{pipeline}/inputParameters")
    assert [client.get(path, accept=V3).status_code for path in paths] == [403, 403, 403]
    assert client.session.post(f"{client.home}/pipelines:search", json={}).status_code == 403


def test_a_search_for_pipelines_may_not_exist(start):
    client = start(oddities=["no-pipeline-search"])
    assert client.session.post(f"{client.home}/pipelines:search", json={}).status_code == 404
    assert client.listed("pipelines") == []


def test_a_key_may_not_be_exchanged_and_is_good_as_it_is(start):
    client = start(oddities=["no-tokens"])
    assert client.session.post(f"{client.api}/tokens").status_code == 403
    assert client.search().status_code == 200


def test_a_folder_may_be_found_only_with_its_slash(start):
    client = start(oddities=["exact-slashes"])
    assert (client.paths(filePath="/f", **FULL), client.paths(filePath="/f/", **FULL)) == ([], ["/f/"])
    assert client.paths(filePath="/f.txt", **FULL) == ["/f.txt"]
