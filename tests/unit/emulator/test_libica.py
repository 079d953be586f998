"""The public SDK works against the emulator, unchanged: its models accept every answer.

It asks for version 3 everywhere and reads items and analyses as version 4, so those calls need another header.
"""

from __future__ import annotations

import lazy_libica as libica
import pytest

V3 = "application/vnd.illumina.v3+json"
V4 = "application/vnd.illumina.v4+json"


class Sdk:
    """The SDK's clients for one user: ``batches`` and ``analyses`` as they come, and reading version 4."""

    def __init__(self, url):
        configuration = libica.Configuration(host=f"{url}/ica/rest", api_key={"ApiKeyAuth": "a-key"})
        self.client = libica.ApiClient(configuration)
        self.newer = libica.ApiClient(configuration)
        self.newer.set_default_header("Accept", V4)
        self.batches = libica.ProjectAnalysisCreationBatchApi(self.client)
        self.items = libica.ProjectAnalysisCreationBatchApi(self.newer)
        self.analyses = libica.ProjectAnalysisApi(self.client)
        self.analyses_v4 = libica.ProjectAnalysisApi(self.newer)

    def close(self):
        for client in (self.client, self.newer):
            client.rest_client.pool_manager.clear()


@pytest.fixture(name="sdk")
def _sdk(client):
    sdk = Sdk(client.url)
    yield sdk
    sdk.close()


def request(*references):
    return libica.CreateAnalysisCreationBatch(
        nextflow_items=[
            libica.CreateNextflowAnalysis(
                user_reference=reference,
                pipeline_id="f606f580-d476-47a8-9679-9ddb39fcb0a8",
                tags=libica.CreateAnalysisTag(technical_tags=["sdk"], user_tags=[], reference_tags=[]),
                analysis_input=libica.NextflowAnalysisInput(
                    inputs=[libica.AnalysisDataInput(parameter_code="a", data_ids=["fil.1"])]
                ),
            )
            for reference in references
        ]
    )


@pytest.fixture(name="batch")
def _batch(sdk, project, clock):
    """The id of a batch of three items, which are created."""
    batch = sdk.batches.create_analysis_creation_batch(project, request("one", "two", "three"), "key")
    clock.advance(1)
    return str(batch.id)


def test_a_batch_is_created_replayed_and_read(sdk, project, clock):
    created = sdk.batches.create_analysis_creation_batch(project, request("one"), "key")
    assert sdk.batches.create_analysis_creation_batch(project, request("one"), "key") == created
    clock.advance(1)
    read = sdk.batches.get_analysis_creation_batch(project, str(created.id))
    assert (created.job.status, read.job.status) == ("INITIALIZED", "SUCCEEDED")


def test_another_body_under_a_used_key_raises_422_with_a_problem(sdk, project):
    sdk.batches.create_analysis_creation_batch(project, request("one"), "key")
    with pytest.raises(libica.ApiException) as caught:
        sdk.batches.create_analysis_creation_batch(project, request("two"), "key")
    assert caught.value.status == 422
    assert libica.Problem.from_json(caught.value.body).title == "Unprocessable Entity"


def test_items_are_listed_by_offset_and_by_cursor(sdk, project, batch):
    by_offset = sdk.items.get_analysis_creation_batch_items(project, batch, page_offset="0", page_size="2")
    first = sdk.items.get_analysis_creation_batch_items(project, batch, page_size="2")
    second = sdk.items.get_analysis_creation_batch_items(
        project, batch, page_size="2", page_token=first.next_page_token
    )
    assert by_offset.total_item_count == 3
    assert by_offset.items == first.items
    assert {i.request.user_reference for i in first.items + second.items} == {"one", "two", "three"}
    assert (first.remaining_records, second.remaining_records) == (1, 0)


def test_items_are_filtered_by_status(sdk, project, batch):
    done = sdk.items.get_analysis_creation_batch_items(project, batch, status=["SUCCEEDED", "FAILED"])
    rest = sdk.items.get_analysis_creation_batch_items(project, batch, status=["RUNNING", "WAITING_RESOURCES"])
    assert (len(done.items), len(rest.items)) == (3, 0)


def test_one_item_is_read_with_its_analysis(sdk, project, batch):
    listed = sdk.items.get_analysis_creation_batch_items(project, batch, page_size="1").items[0]
    read = sdk.items.get_analysis_creation_batch_item(project, batch, str(listed.id))
    assert read == listed
    assert read.created_analysis.tags.technical_tags == ["sdk"]


def test_analyses_are_searched_read_and_aborted(sdk, project, batch, clock):
    found = sdk.analyses.search_analyses(
        project,
        analysis_query_parameters_pipeline=libica.AnalysisQueryParametersPipeline(
            technical_tags=["sdk"], user_reference="two", user_tags=None
        ),
    )
    (analysis,) = found.items
    sdk.analyses.abort_analysis(project, str(analysis.id))
    clock.advance(2)
    assert sdk.analyses_v4.get_analysis(project, str(analysis.id)).status == "ABORTED"


def test_a_search_pages_by_cursor(sdk, project, batch):
    first = sdk.analyses.search_analyses(project, page_size="2")
    second = sdk.analyses.search_analyses(project, page_size="2", page_token=first.next_page_token)
    assert len({found.id for found in first.items + second.items}) == 3
    assert second.next_page_token == ""


def test_analyses_are_listed_in_version_3(sdk, project, batch):
    with pytest.deprecated_call(match="analyses is deprecated"):
        listed = sdk.analyses.get_analyses(project, technicaltag="sdk", sort="userReference desc")
    assert [found.user_reference for found in listed.items] == ["two", "three", "one"]


def test_the_models_accept_every_version_3_answer(client, batch):
    items = client.get(f"analysisCreationBatch/{batch}/items", accept=V3)
    created = libica.AnalysisCreationBatchItemPagedListV3.from_json(items.text).items[0].created_analysis
    analysis = libica.AnalysisV3.from_json(client.get(f"analyses/{created.id}", accept=V3).text)
    listed = libica.AnalysisPagedListV3.from_json(client.get("analyses", accept=V3, reference=created.reference).text)
    assert listed.items == [analysis] == [created]


def test_tokens_and_projects_are_given(sdk, project, batch):
    assert libica.TokenApi(sdk.client).create_jwt_token().token.count(".") == 2
    assert project in {str(found.id) for found in libica.ProjectApi(sdk.client).get_projects().items}
