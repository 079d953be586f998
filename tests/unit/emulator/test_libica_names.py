"""The public SDK reads projects, pipelines, data and outcomes from the emulator: its models accept every answer.

Calls that offer versions 3 and 4, or bytes, need another Accept header than the SDK sends by itself.
"""

from __future__ import annotations

from contextlib import closing
from typing import NamedTuple

import lazy_libica as libica
import pytest
import requests

from manifest_runner.emulator import EmulatorOptions, running

V3 = "application/vnd.illumina.v3+json"
V4 = "application/vnd.illumina.v4+json"
PROJECT = "7595e8f2-32d3-4c76-a324-c6a85dae87b5"
CATALOG = f"""
catalog: 1
projects: [{{name: study, id: {PROJECT}}}, {{name: other}}]
pipelines:
  - code: germline
    inputs: [{{code: fastqs, required: true, multiValue: true}}]
    parameters: [{{code: ploidy, type: integerType, default: 2}}, {{code: out, default: CRAM, options: [BAM, CRAM]}}]
    files: {{main.nf: "workflow {{}}"}}
    bundle: DRAGEN
  - {{code: any, id: {PROJECT}}}
  - {{code: form, form: {{fields: [{{id: sample, type: textbox}}]}}}}
  - {{code: cwl, language: cwl, referenceSets: [{{name: GRCh38, data: [hg38]}}]}}
data:
  - {{path: /fastq/a.fastq.gz, text: ACGT}}
  - {{path: /fastq/b.fastq.gz, size: 9, status: ARCHIVED}}
analyses:
  - {{userReference: bad, outcome: failed}}
"""


class Sdk(NamedTuple):
    """The SDK's clients by what they accept, and the URL."""

    plain: libica.ApiClient
    newer: libica.ApiClient
    octets: libica.ApiClient

    def close(self):
        for client in self:
            client.rest_client.pool_manager.clear()


def sdk_of(url):
    configuration = libica.Configuration(host=f"{url}/ica/rest", api_key={"ApiKeyAuth": "a-key"})
    plain, newer, octets = (libica.ApiClient(configuration) for _ in range(3))
    newer.set_default_header("Accept", V4)
    octets.set_default_header("Accept", "application/octet-stream")
    return Sdk(plain, newer, octets)


@pytest.fixture(name="sdk", scope="module")
def _sdk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("catalog")
    (folder / "catalog.yaml").write_text(CATALOG, encoding="utf-8")
    options = EmulatorOptions(
        database=folder / "emulator.db", catalog=folder / "catalog.yaml", creation_delay=0.0, analysis_duration=0.0
    )
    with running(options) as url, closing(sdk_of(url)) as sdk:
        for kind, reference in (("nextflowItems", "good"), ("nextflowItems", "bad"), ("nextflowJsonItems", "form")):
            create(url, kind, reference)
        create(url, "cwlItems", "cwl")
        yield sdk


def create(url, kind, reference):
    given = {
        "nextflowItems": {"analysisInput": {"inputs": []}},
        "nextflowJsonItems": {"inputFormValues": {"fields": [{"id": "sample", "values": ["S1"]}]}},
        "cwlItems": {"analysisInput": {"objectType": "JSON", "inputJson": "{}"}},
    }[kind]
    item = {"userReference": reference, "pipelineId": PROJECT, **given}
    answer = requests.post(
        f"{url}/ica/rest/api/projects/{PROJECT}/analysisCreationBatch",
        json={kind: [item]},
        headers={"Content-Type": V3, "X-API-Key": "a-key"},
        timeout=10,
    )
    assert answer.status_code == 201, answer.text


@pytest.fixture(name="pipelines")
def _pipelines(sdk):
    listed = libica.ProjectPipelineApi(sdk.newer).get_project_pipelines(PROJECT)
    return {each.pipeline.code: each.pipeline for each in listed.items}


@pytest.fixture(name="analyses")
def _analyses(sdk):
    return {
        each.user_reference: str(each.id)
        for each in libica.ProjectAnalysisApi(sdk.plain).search_analyses(PROJECT).items
    }


def test_projects_are_searched_and_read(sdk):
    (found,) = (
        libica.ProjectApi(sdk.plain).get_projects(search="study", include_hidden_projects=True, page_size="1000").items
    )
    assert libica.ProjectApi(sdk.plain).get_project(str(found.id)).name == "study"


def test_pipelines_are_listed_read_and_searched(sdk, pipelines):
    api = libica.ProjectPipelineApi(sdk.plain)
    assert set(pipelines) == {"germline", "any", "form", "cwl"}
    read = libica.ProjectPipelineApi(sdk.newer).get_project_pipeline(PROJECT, str(pipelines["germline"].id))
    assert (read.pipeline, read.bundle_links.items[0].name) == (pipelines["germline"], "DRAGEN")
    query = libica.PipelineQuery(name=libica.StringQuery(equals="form"))
    (searched,) = api.search_pipelines(PROJECT, pipeline_query=query, page_size="10").items
    assert searched == pipelines["form"]


def test_version_3_of_the_pipelines_fits_its_model(sdk):
    headers = {"Accept": V3, "X-API-Key": "a-key"}
    url = f"{sdk.plain.configuration.host}/api/projects/{PROJECT}/pipelines"
    listed = libica.ProjectPipelineList.from_json(requests.get(url, headers=headers, timeout=10).text)
    assert {each.pipeline.code for each in listed.items} == {"germline", "any", "form", "cwl"}


def test_what_pipelines_declare_is_read(sdk, pipelines):
    api, octets = libica.ProjectPipelineApi(sdk.plain), libica.ProjectPipelineApi(sdk.octets)
    germline, form, cwl = (str(pipelines[code].id) for code in ("germline", "form", "cwl"))
    (given,) = api.get_project_pipeline_input_parameters(PROJECT, germline).items
    parameters = api.get_project_pipeline_configuration_parameters(PROJECT, germline).items
    (file,) = api.get_project_pipeline_files(PROJECT, germline).items
    (reference_set,) = api.get_project_pipeline_reference_sets(PROJECT, cwl).items
    assert (given.code, given.required, given.multi_value) == ("fastqs", True, True)
    assert [each.code for each in parameters] == ["ploidy", "out"]
    assert bytes(octets.download_project_pipeline_file_content(PROJECT, germline, str(file.id))) == b"workflow {}"
    assert b'"textbox"' in bytes(octets.download_input_form_file_content(PROJECT, form))
    assert reference_set.reference_data_list.items[0].name == "hg38"


def test_storages_are_listed(sdk):
    listed = libica.ProjectAnalysisStorageApi(sdk.newer).get_project_analysis_storage_options(PROJECT)
    assert [each.name for each in listed.items][:2] == ["Small", "Medium"]


def test_data_is_listed_read_and_opened(sdk):
    api = libica.ProjectDataApi(sdk.plain)
    listed = api.get_project_data_list(
        PROJECT, parent_folder_path="/fastq/", type="FILE", status=["AVAILABLE", "ARCHIVED"], page_size="1"
    )
    second = api.get_project_data_list(
        PROJECT, parent_folder_path="/fastq/", page_size="1", page_token=listed.next_page_token
    )
    (file,), (other,) = listed.items, second.items
    assert (file.data.details.path, other.data.details.status) == ("/fastq/a.fastq.gz", "ARCHIVED")
    assert api.get_project_data(PROJECT, file.data.id) == file
    assert libica.DataApi(sdk.plain).get_data(file.data.urn).id == file.data.id


def test_a_folder_has_children_in_both_versions(sdk):
    (folder,) = libica.ProjectDataApi(sdk.plain).get_project_data_list(PROJECT, filename=["fastq"], type="FOLDER").items
    paged = libica.ProjectDataApi(sdk.newer).get_project_data_children(PROJECT, folder.data.id, page_size="1")
    assert isinstance(paged, libica.ProjectDataPagedList)
    assert (len(paged.items), paged.remaining_records) == (1, 1)


def test_download_urls_are_made_by_id_and_by_path(sdk):
    api = libica.ProjectDataApi(sdk.plain)
    wanted = libica.DataIdOrPathList(data_paths=["/fastq/a.fastq.gz"])
    (made,) = api.create_download_urls_for_data(PROJECT, wanted).items
    single = api.create_download_url_for_data(PROJECT, made.data_id)
    assert [requests.get(url, timeout=10).text for url in (made.url, single.url)] == ["ACGT", "ACGT"]


def test_outcomes_of_analyses_are_read(sdk, analyses):
    api = libica.ProjectAnalysisApi(sdk.plain)
    good, bad = analyses["good"], analyses["bad"]
    assert [each.code for each in api.get_analysis_outputs(PROJECT, good).items] == ["results", "report"]
    assert [each.status for each in api.get_analysis_steps(PROJECT, bad).items] == ["DONE", "FAILED"]
    assert api.get_analysis_usage_details(PROJECT, good).price.currency == "iCredit"
    assert api.get_analysis_logs(PROJECT, bad).logs_folder.details.data_type == "FOLDER"
    assert api.get_analysis_reports(PROJECT, good).items[0].report_data[0].name == "report.html"
    with pytest.deprecated_call():
        assert "results" in api.get_raw_analysis_output(PROJECT, good).raw_output
    assert "results" in api.get_cwl_output_json(PROJECT, analyses["cwl"]).output_json
    values = libica.ProjectAnalysisApi(sdk.newer).get_project_analysis_input_form_values(PROJECT, analyses["form"])
    assert values.items[0].values == ["S1"]


def test_the_system_is_asked_and_a_token_cannot_be_refreshed(sdk):
    assert libica.SystemApi(sdk.plain).get_system_info().version
    token = libica.TokenApi(sdk.plain).create_jwt_token().token
    configuration = libica.Configuration(host=sdk.plain.configuration.host, access_token=token)
    with pytest.raises(libica.ApiException) as caught:
        libica.TokenApi(libica.ApiClient(configuration)).refresh_jwt_token()
    assert caught.value.status == 400


NOWHERE = "00000000-0000-4000-8000-000000000000"
CALLS = {
    "ProjectApi": {"get_project": 1},
    "ProjectAnalysisStorageApi": {"get_project_analysis_storage_options": 1},
    "ProjectDataApi": {
        "get_project_data_list": 1,
        "get_project_data": 2,
        "get_project_data_children": 2,
        "create_download_url_for_data": 2,
    },
    "ProjectPipelineApi": {
        "get_project_pipelines": 1,
        "search_pipelines": 1,
        "get_project_pipeline": 2,
        "get_project_pipeline_input_parameters": 2,
        "get_project_pipeline_configuration_parameters": 2,
        "get_project_pipeline_files": 2,
        "get_project_pipeline_reference_sets": 2,
        "download_input_form_file_content": 2,
        "download_project_pipeline_file_content": 3,
    },
    "ProjectAnalysisApi": {
        "search_analyses": 1,
        "get_analysis": 2,
        "abort_analysis": 2,
        "get_analysis_outputs": 2,
        "get_analysis_steps": 2,
        "get_analysis_usage_details": 2,
        "get_analysis_logs": 2,
        "get_analysis_reports": 2,
        "get_cwl_output_json": 2,
        "get_project_analysis_input_form_values": 2,
    },
}
NEWER = {"get_project_analysis_storage_options", "get_project_analysis_input_form_values"}
OCTETS = {"download_input_form_file_content", "download_project_pipeline_file_content"}


@pytest.mark.parametrize("api", CALLS)
def test_what_does_not_exist_is_a_problem_of_the_sdk(sdk, api):
    for name, ids in CALLS[api].items():
        of = sdk.newer if name in NEWER else sdk.octets if name in OCTETS else sdk.plain
        arguments = [NOWHERE] if ids == 1 else [PROJECT, *[NOWHERE] * (ids - 1)]
        with pytest.raises(libica.ApiException) as caught:
            getattr(getattr(libica, api)(of), name)(*arguments)
        problem = libica.Problem.from_json(caught.value.body)
        assert (caught.value.status, problem.status) == (404, 404), name
        assert caught.value.headers["Content-Type"] == "application/problem+json"
