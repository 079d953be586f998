"""Projects, pipelines, storages and data without a catalog: everything exists if it is named in full."""

from __future__ import annotations

import uuid

import pytest

V3 = "application/vnd.illumina.v3+json"
V4 = "application/vnd.illumina.v4+json"
FULL = {"filePathMatchMode": "FULL_CASE_INSENSITIVE"}


def rows(client, **query):
    return client.listed("data", **query)


def search_pipelines(client, **body):
    return client.session.post(f"{client.home}/pipelines:search", json=body, headers={"Accept": V3})


def test_every_project_name_is_found_by_a_search_and_leads_back_from_its_id(client):
    found = client.session.get(f"{client.api}/projects", params={"search": "my study"}).json()["items"]
    (named,) = [each for each in found if each["name"] == "my study"]
    client.project = named["id"]
    assert client.session.get(client.home).json()["name"] == "my study"


def test_every_pipeline_code_exists_for_a_search_that_equals_it_and_by_its_id(client):
    assert client.get("pipelines").json() == {"items": []}
    (found,) = search_pipelines(client, name={"equals": "DRAGEN 4.3"}).json()["items"]
    (again,) = search_pipelines(client, ids=[found["id"]]).json()["items"]
    read = client.get(f"pipelines/{found['id']}").json()
    assert found["code"] == found["name"] == read["pipeline"]["code"] == again["code"] == "DRAGEN 4.3"
    assert search_pipelines(client, name={"contains": "DRAGEN"}).json()["items"] == []


def test_a_pipeline_that_nobody_declared_declares_nothing(client):
    pipeline = f"pipelines/{uuid.uuid4()}"
    for part in ("inputParameters", "configurationParameters", "referenceSets", "files"):
        assert client.get(f"{pipeline}/{part}", accept=V3).json() == {"items": []}
    assert client.get(f"{pipeline}/inputForm/inputFormFile", accept="*/*").status_code == 404
    assert client.get(pipeline).json()["pipeline"]["language"] == "UNKNOWN"


def test_an_analysis_shows_the_code_of_its_pipeline_once_it_was_looked_up(client, clock):
    (found,) = search_pipelines(client, name={"equals": "looked up"}).json()["items"]
    client.create("one", pipelineId=found["id"])
    clock.advance(1)
    (analysis,) = client.search().json()["items"]
    assert (analysis["pipeline"]["code"], analysis["pipeline"]["language"]) == ("looked up", "NEXTFLOW")


def test_there_are_the_six_usual_storages(client):
    items = client.get("analysisStorages").json()["items"]
    assert [each["name"] for each in items] == ["Small", "Medium", "Large", "XLarge", "2XLarge", "3XLarge"]
    assert client.get("analysisStorages", accept=V3).status_code == 400


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("/fastq/S1.fastq.gz", "/fastq/S1.fastq.gz"),
        ("/fastq", "/fastq/"),
        ("/fastq/", "/fastq/"),
        ("/run.1/", "/run.1/"),
        ("/a b/100%/#1?+ä.txt", "/a b/100%/#1?+ä.txt"),
    ],
)
def test_every_path_exists_for_a_full_match_and_by_its_id(client, asked, path):
    (row,) = rows(client, filePath=asked, **FULL)
    assert row["data"]["details"]["path"] == path
    assert row["data"]["id"].startswith("fol." if path.endswith("/") else "fil.")
    assert rows(client, id=row["data"]["id"]) == [row]
    assert client.get(f"data/{row['data']['id']}", accept=V3).json() == row


def test_both_spellings_of_a_folder_give_the_same_one_row(client):
    assert len(rows(client, filePath=["/fastq", "/fastq/"], **FULL)) == 1


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"filePath": "/fastq/"},
        {"parentFolderPath": "/fastq/"},
        {"parentFolderId": "fol.1"},
        {"filePath": "/fastq/a.txt", "type": "FOLDER", **FULL},
        {"filePath": "/fastq/a.txt", "status": "ARCHIVED", **FULL},
        {"filePath": ["/", "", "x", "//x"], **FULL},
        {"id": "something"},
    ],
)
def test_lists_and_what_names_nothing_in_full_are_empty(client, query):
    assert rows(client, **query) == []


def test_a_name_in_a_folder_is_as_good_as_a_path(client):
    query = {"parentFolderPath": "/fastq/", "filename": ["a.txt", "b.txt"], "filenameMatchMode": "EXACT"}
    assert client.paths(**query) == ["/fastq/a.txt", "/fastq/b.txt"]


def test_an_id_that_nobody_has_looked_up_exists_too(client):
    assert client.paths(id=["fil.abc", "fol.def"]) == ["/fil.abc", "/fol.def/"]


def test_ids_differ_by_project_and_belong_to_it(client):
    (row,) = rows(client, filePath="/a.txt", **FULL)
    client.project = str(uuid.uuid4())
    (other,) = rows(client, filePath="/a.txt", **FULL)
    assert row["data"]["id"] != other["data"]["id"]
    assert rows(client, id=row["data"]["id"]) == []


def test_ids_are_the_same_in_every_emulator(client, start):
    other = start()
    other.project = client.project
    assert (
        rows(other, filePath="/a.txt", **FULL)[0]["data"]["id"]
        == rows(client, filePath="/a.txt", **FULL)[0]["data"]["id"]
    )


def test_only_the_projects_of_the_options_are_found(start, project):
    client = start(projects=(project,))
    listed = client.session.get(f"{client.api}/projects", params={"search": "another"}).json()["items"]
    assert listed == []


@pytest.mark.parametrize(
    "query",
    [
        {"filePathMatchMode": "WHOLE"}, {"filenameMatchMode": "LIKE"}, {"type": "LINK"}, {"status": "GONE"},
        {"parentFolderPath": "/fastq"}, {"creationDateAfter": "yesterday"}, {"nonIndexedFolders": "perhaps"},
    ],
)  # fmt: skip
def test_values_that_no_filter_has_are_refused(client, query):
    assert client.get("data", accept=V3, **query).status_code == 400


def test_unknown_parameters_of_a_query_are_ignored(client):
    assert len(rows(client, filePath="/a.txt", page_size=1, colour="red", **FULL)) == 1


def test_the_system_says_what_it_is(client):
    info = client.session.get(f"{client.api}/system/info", headers={"Accept": V3}).json()
    assert set(info) == {"name", "version"}
