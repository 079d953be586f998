"""What a catalog lists exists; kinds of things that it does not mention are made up as usual."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from manifest_runner.emulator import CatalogError
from manifest_runner.emulator.catalog.braces import expand
from manifest_runner.emulator.catalog.read import read_catalog

V3 = "application/vnd.illumina.v3+json"
FULL = {"filePathMatchMode": "FULL_CASE_INSENSITIVE"}
HERE, THERE = "7595e8f2-32d3-4c76-a324-c6a85dae87b5", "11111111-2222-4333-8444-555555555555"

PIPELINES = """
pipelines:
  - code: DRAGEN-Germline-4-3-6
    id: f606f580-d476-47a8-9679-9ddb39fcb0a8
    version: 4.3.6
    storage: Large
    inputs:
      - {code: fastqs, required: true, multiValue: true}
      - {code: ref_tar}
    parameters:
      - {code: enable_cnv, type: booleanType, default: true}
      - {code: ploidy, type: integerType, default: [1, 2]}
      - {code: output_format, type: optionsType, required: true, default: CRAM, options: [BAM, CRAM, 012]}
    files: {main.nf: "workflow {}"}
  - code: Form
    form: {fields: [{id: sample, type: textbox, minValues: 1}]}
  - {code: Old, status: Archived, language: cwl, referenceSets: [{name: GRCh38, data: [hg38]}]}
  - {code: New, status: Draft}
  - {code: Twice}
  - {code: Twice, bundle: DRAGEN}
"""


@pytest.fixture(name="declared", scope="module")
def _declared(serve):
    return serve(PIPELINES)


@pytest.fixture(name="pipelines")
def _pipelines(declared, connect):
    return connect(declared)


def codes(client):
    return [each["pipeline"]["code"] for each in client.listed("pipelines")]


def test_the_pipelines_of_a_catalog_are_listed(pipelines):
    assert codes(pipelines) == ["DRAGEN-Germline-4-3-6", "Form", "Old", "New", "Twice", "Twice"]
    ids = {each["pipeline"]["id"] for each in pipelines.listed("pipelines")}
    assert len(ids) == 6


def test_a_pipeline_declares_its_inputs_and_parameters(pipelines):
    germline = "pipelines/f606f580-d476-47a8-9679-9ddb39fcb0a8"
    inputs = pipelines.listed(f"{germline}/inputParameters")
    parameters = pipelines.listed(f"{germline}/configurationParameters")
    assert [(each["code"], each["required"], each["multiValue"]) for each in inputs] == [
        ("fastqs", True, True), ("ref_tar", False, False),
    ]  # fmt: skip
    assert [each["settings"] for each in parameters] == [
        {"defaultValues": ["true"]},
        {"defaultValues": [1, 2]},
        {"defaultValues": ["CRAM"], "options": ["BAM", "CRAM", "012"]},
    ]


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        ("DRAGEN-Germline-4-3-6", ("NEXTFLOW", "XML", "RELEASED", "Released", "4.3.6")),
        ("Form", ("NEXTFLOW", "JSON", "RELEASED", "Released", "")),
        ("Old", ("CWL", "XML", None, "Archived", "")),
        ("New", ("NEXTFLOW", "XML", "DRAFT", "Draft", "")),
    ],
)
def test_a_pipeline_shows_its_kind_and_status(pipelines, code, seen):
    listed = pipelines.listed("pipelines", accept="application/vnd.illumina.v4+json")
    (found,) = [each["pipeline"] for each in listed if each["pipeline"]["code"] == code]
    assert tuple(found[name] for name in ("language", "inputFormType", "status", "statusAsString", "version")) == seen


def test_forms_files_and_reference_sets_are_served(pipelines):
    ids = {each["pipeline"]["code"]: each["pipeline"]["id"] for each in pipelines.listed("pipelines")}
    form = pipelines.get(f"pipelines/{ids['Form']}/inputForm/inputFormFile", accept="application/octet-stream")
    assert form.json()["fields"][0]["id"] == "sample"
    germline = f"pipelines/{ids['DRAGEN-Germline-4-3-6']}/files"
    (file,) = pipelines.listed(germline)
    assert pipelines.get(f"{germline}/{file['id']}/content", accept="*/*").text == "workflow {}"
    (reference_set,) = pipelines.listed(f"pipelines/{ids['Old']}/referenceSets")
    assert reference_set["referenceDataList"]["items"][0]["name"] == "hg38"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, 6),
        ({"name": {"equals": "Twice"}}, 2),
        ({"name": {"equals": "twice"}}, 0),
        ({"name": {"contains": "germ"}}, 1),
        ({"name": {"startsWith": "dragen"}, "version": {"equals": "4.3.6"}}, 1),
        ({"statuses": ["Draft", "Archived"]}, 2),
        ({"pipelineLanguage": "CWL"}, 1),
        ({"ids": ["F606F580-D476-47A8-9679-9DDB39FCB0A8"]}, 1),
    ],
)
def test_pipelines_are_searched(pipelines, query, found):
    answer = pipelines.session.post(f"{pipelines.home}/pipelines:search", json=query)
    assert len(answer.json()["items"]) == found


@pytest.mark.parametrize("query", [{"nam": {}}, {"name": {"like": "x"}}, {"ids": ["x"]}, {"owners": ["x"] * 11}, []])
def test_a_search_that_makes_no_sense_is_refused(pipelines, query):
    assert pipelines.session.post(f"{pipelines.home}/pipelines:search", json=query).status_code == 400


def test_what_is_not_in_the_catalog_does_not_exist(pipelines):
    assert pipelines.get("pipelines/00000000-0000-4000-8000-000000000000").status_code == 404
    # It says nothing of data and storages.
    assert pipelines.paths(filePath="/any.txt", **FULL) == ["/any.txt"]
    assert len(pipelines.listed("analysisStorages", accept="*/*")) == 6


PROJECTS = f"""
region: eu
projects:
  - {{name: study, id: {HERE}}}
  - {{name: reference data, id: {THERE}, region: us}}
  - {{name: secret, hidden: true}}
pipelines:
  - {{code: everywhere}}
  - {{code: only there, projects: [reference data]}}
storages: [Tiny, {{name: Huge, description: of many cores}}]
data:
  - /fastq/S{{01..12}}_R{{1,2}}.fastq.gz
  - {{path: /Case.txt, text: upper}}
  - {{path: /case.txt, text: lower}}
  - {{path: /twice.txt, size: 1}}
  - {{path: /twice.txt, size: 2, status: PARTIAL}}
  - {{path: /old/archived.bam, size: 99, status: ARCHIVED, userTags: [done]}}
  - {{path: /far/away.bam, region: us}}
  - {{path: /raw/, nonIndexed: true}}
  - {{path: /genomes/GRCh38/ref.fa, project: reference data, linkedTo: [study]}}
  - {{path: /bed/, project: reference data, linkedTo: [study]}}
  - {{path: /bed/exome.bed, project: reference data}}
  - {{path: /private.txt, project: reference data, id: fil.private}}
"""


@pytest.fixture(name="listed", scope="module")
def _listed(serve):
    return serve(PROJECTS)


@pytest.fixture(name="projects")
def _projects(listed, connect):
    return connect(listed, HERE)


def find_projects(client, **query):
    listed = client.session.get(f"{client.api}/projects", params=query).json()["items"]
    return [each["name"] for each in listed]


def test_the_projects_of_a_catalog_are_listed_hidden_ones_on_demand(projects):
    assert find_projects(projects) == ["study", "reference data"]
    assert find_projects(projects, includeHiddenProjects="true") == ["study", "reference data", "secret"]
    assert find_projects(projects, search="DATA") == ["reference data"]
    assert find_projects(projects, search="nothing") == []


def test_a_project_that_is_not_in_the_catalog_does_not_exist(projects):
    projects.project = "00000000-0000-4000-8000-000000000000"
    assert projects.session.get(projects.home).status_code == 404


def test_pipelines_can_be_of_one_project_alone(projects):
    assert codes(projects) == ["everywhere"]
    projects.project = THERE
    assert codes(projects) == ["everywhere", "only there"]


def test_storages_are_those_of_the_catalog(projects):
    assert [each["name"] for each in projects.listed("analysisStorages", accept="*/*")] == ["Tiny", "Huge"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"parentFolderPath": "/fastq/", "pageSize": 2}, ["/fastq/S01_R1.fastq.gz", "/fastq/S01_R2.fastq.gz"]),
        ({"parentFolderPath": "/", "type": "FOLDER"}, ["/bed/", "/far/", "/fastq/", "/genomes/", "/old/", "/raw/"]),
        ({"filePath": "/CASE.txt", **FULL}, ["/Case.txt", "/case.txt"]),
        ({"filePath": "/twice.txt", **FULL}, ["/twice.txt", "/twice.txt"]),
        ({"filePath": "/twice.txt", "status": "AVAILABLE", **FULL}, ["/twice.txt"]),
        ({"filePath": ["/old", "/far/"], **FULL}, ["/far/", "/old/"]),
        ({"filePath": ["/old/a", "/far/"]}, ["/far/", "/far/away.bam", "/old/archived.bam"]),
        ({"filename": "s12_r2", "type": "FILE"}, ["/fastq/S12_R2.fastq.gz"]),
        ({"filename": "case.txt", "filenameMatchMode": "EXACT"}, ["/case.txt"]),
        ({"filename": ["fastq", "txt", "bam"], "filenameMatchMode": "EXCLUDE", "parentFolderPath": "/old/"},
         ["/old/archived.bam"]),
        ({"status": "ARCHIVED"}, ["/old/archived.bam"]),
        ({"userTag": "done", "userTagMatchMode": "EXACT"}, ["/old/archived.bam"]),
        ({"formatCode": "BAM"}, ["/far/away.bam", "/old/archived.bam"]),
        ({"fullText": "archived"}, ["/old/archived.bam"]),
        ({"nonIndexedFolders": "true"}, ["/raw/"]),
        ({"owningProjectId": THERE, "type": "FILE"}, ["/bed/exome.bed", "/genomes/GRCh38/ref.fa"]),
        ({"parentFolderPath": "/genomes/GRCh38/"}, ["/genomes/GRCh38/ref.fa"]),
        ({"parentFolderPath": "/bed/"}, []),
        ({"filePath": "/bed/"}, ["/bed/", "/bed/exome.bed"]),
        ({"filePath": "/private.txt", **FULL}, []),
        ({"id": "fil.private"}, []),
        ({"sampleId": "x"}, []),
    ],
)  # fmt: skip
def test_data_is_filtered(projects, query, found):
    assert projects.paths(**query) == found


def test_what_is_in_a_linked_folder_is_found_by_the_folders_id(projects):
    (folder,) = projects.listed("data", filePath="/bed/", **FULL)
    folder_id = folder["data"]["id"]
    assert projects.paths(parentFolderId=folder_id) == ["/bed/exome.bed"]
    (child,) = projects.listed(f"data/{folder_id}/children", accept="application/vnd.illumina.v4+json")
    (plain,) = projects.listed(f"data/{folder_id}/children")
    assert child["data"] == plain
    assert (child["projectId"], plain["details"]["owningProjectId"]) == (HERE, THERE)


def test_a_row_shows_where_it_is_and_how_large(projects):
    (row,) = projects.listed("data", filePath="/far/away.bam", **FULL)
    (text,) = projects.listed("data", filePath="/case.txt", filename="case.txt", filenameMatchMode="EXACT", **FULL)
    assert row["data"]["details"]["region"]["code"] == "us"
    assert (text["data"]["details"]["region"]["code"], text["data"]["details"]["fileSizeInBytes"]) == ("eu", 5)


def test_a_long_list_pages_by_cursor_and_by_offset(projects):
    query = {"parentFolderPath": "/fastq/", "pageSize": 10}
    found, token, remaining = [], "", []
    while True:
        page = projects.get("data", accept=V3, **query, **({"pageToken": token} if token else {})).json()
        found += [row["data"]["id"] for row in page["items"]]
        remaining.append(page["remainingRecords"])
        if not (token := page["nextPageToken"]):
            break
    assert (len(set(found)), remaining) == (24, [14, 4, 0])
    by_offset = projects.get("data", accept=V3, **query, pageOffset=20, sort="name desc").json()
    assert (len(by_offset["items"]), by_offset["totalItemCount"]) == (4, 24)
    assert by_offset["items"][-1]["data"]["details"]["name"] == "S01_R1.fastq.gz"


def test_data_is_found_by_its_urn(projects):
    (row,) = projects.listed("data", filePath="/case.txt", filename="case.txt", filenameMatchMode="EXACT", **FULL)
    found = projects.session.get(f"{projects.api}/data/{row['data']['urn'].replace('#', '%23')}")
    assert found.json() == row["data"]
    assert row["data"]["details"]["region"]["id"] in row["data"]["urn"]
    assert projects.session.get(f"{projects.api}/data/urn:x").status_code == 404


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("/a.txt", ["/a.txt"]),
        ("/{1..3}", ["/1", "/2", "/3"]),
        ("/{08..10}", ["/08", "/09", "/10"]),
        ("/{a,b}/{1..2}", ["/a/1", "/a/2", "/b/1", "/b/2"]),
        ("/x{,_old}", ["/x", "/x_old"]),
        ("/{3..1}", []),
        ("/{a}", ["/{a}"]),
    ],
)
def test_braces_stand_for_many_paths(text, paths):
    assert list(expand(text)) == paths


@pytest.mark.parametrize(
    ("catalog", "message"),
    [
        ("x: [\n", ":3: not YAML: "),
        ("pipelines:\n  - {cod: x}", ':3: pipelines[0]: unknown key "cod"; did you mean "code"?'),
        ("pipelines:\n  - {}", ':3: pipelines[0]: the key "code" is missing'),
        ("pipelines:\n  - code: x\n    status: Gone", ":4: pipelines[0].status: invalid enum value 'Gone'"),
        ("pipelines:\n  - code: 4", ":3: pipelines[0].code: expected text, found a whole number"),
        ("data: [{path: /a, size: many}]", ":2: data[0].size: expected a whole number or null, found text"),
        ("projects: x", ":2: projects: expected a list or null, found text"),
        ("pipelines: [{code: x, id: y}]", ":2: the id 'y' must be a UUID"),
        ("data:\n  - fastq/a", ":3: the path 'fastq/a' must start with /"),
        ("data:\n  - {path: /a, project: nowhere}", ":3: there is no project 'nowhere' in projects"),
        ("data: [{path: /a, size: 1, text: x}]", ":2: size and text exclude each other"),
        ("data: [{path: /a/, size: 1}]", ":2: a folder has no size"),
        ("data: [{path: /a/, id: fil.1}]", ":2: the id 'fil.1' must start with fol."),
        ("data: ['/{1..2000000}']", "more than 1,000,000 files"),
        ("analyses: [{userReference: '('}]", ":2: '(' is not a regular expression"),
        ("analyses: [{times: 0}]", ":2: times must be at least 1"),
        ("analyses: [{outputs: {a: [/x]}}]", ":2: the path '/x' must be relative"),
    ],
)
def test_a_mistake_in_a_catalog_is_named_with_its_line(start, catalog, message):
    with pytest.raises(CatalogError) as caught:
        start(catalog=catalog)
    assert message in str(caught.value)


def test_a_catalog_may_write_languages_and_statuses_as_the_api_does_and_leave_its_version_out(tmp_path):
    path = tmp_path / "catalog.yaml"
    path.write_text("pipelines: [{code: x, language: CWL, status: DEPRECATED}]", encoding="utf-8")
    (pipeline,) = read_catalog(path).pipelines
    assert (pipeline.language, pipeline.status) == ("cwl", "Deprecated")


def test_the_catalog_in_the_documentation_works(start, clock):
    page = (Path(__file__).parents[3] / "docs" / "emulator.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    client = start(catalog=example.removeprefix("catalog: 1\n"), creation_delay=0.0)
    client.project = HERE
    assert len(client.paths(parentFolderPath="/fastq/run42/", type="FILE")) == 201
    assert client.paths(filePath="/reference/GRCh38.tar", **FULL) == ["/reference/GRCh38.tar"]
    (germline, _) = client.listed("pipelines")
    (tar,) = client.listed("data", filePath="/reference/GRCh38.tar", **FULL)
    data = {"dataIds": [tar["data"]["id"]]}
    given = {"inputs": [{"parameterCode": "fastqs", **data}, {"parameterCode": "ref_tar", **data}]}
    launch = {"pipelineId": germline["pipeline"]["id"], "analysisInput": given}
    client.create("S001", "S042", "S050", **launch)
    clock.advance(8)
    assert client.found(status=["FAILED"]) == ["S042", "S050"]
    client.create("S050", **launch)
    clock.advance(8)
    assert client.found(status=["SUCCEEDED"]) == ["S001", "S050"]
