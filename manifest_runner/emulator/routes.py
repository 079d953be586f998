"""The paths of the endpoints, and the media types of their answers."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from starlette.responses import Response

from manifest_runner.emulator.api import Api, Call
from manifest_runner.emulator.endpoints import analyses, batches, data, outcomes, pipelines, projects, tokens
from manifest_runner.emulator.options import FaultTarget
from manifest_runner.emulator.protocol.media import OCTETS, V3, V4

BASE = "/ica/rest"
_PROJECT = "/api/projects/{project}"
_BATCH = _PROJECT + "/analysisCreationBatch"
_ANALYSIS = _PROJECT + "/analyses/{analysis:uuid}"
_PIPELINE = _PROJECT + "/pipelines/{pipeline:uuid}"
_DATA = _PROJECT + "/data/{data}"
_BOTH = (V3, V4)


class Endpoint(NamedTuple):
    """``offers`` are the media types of its answers (oldest first), ``target`` is its name in faults.

    ``is_open`` if it examines the credential itself.
    """

    method: str
    path: str
    handle: Callable[[Api, Call], Awaitable[Response]]
    offers: tuple[str, ...] = (V3,)
    target: FaultTarget = "get"
    is_open: bool = False

    @property
    def name(self) -> str:
        """Method and path as in the API's specification: ``GET /api/projects/{projectId}/data``."""
        path = re.sub(r"\{(\w+?)(?:Urn)?(?::\w+)?\}", r"{\1Id}", self.path)
        return f"{self.method} {path}".replace("/api/data/{dataId}", "/api/data/{dataUrn}")


ENDPOINTS = (
    Endpoint("POST", _BATCH, batches.create_batch, target="post"),
    Endpoint("GET", _BATCH + "/{batch:uuid}", batches.get_batch),
    Endpoint("GET", _BATCH + "/{batch:uuid}/items", batches.list_batch_items, _BOTH),
    Endpoint("GET", _BATCH + "/{batch:uuid}/items/{item:uuid}", batches.get_batch_item, _BOTH),
    Endpoint("POST", _PROJECT + "/analysis:search", analyses.search_analyses, target="search"),
    Endpoint("GET", _PROJECT + "/analyses", analyses.list_analyses),
    Endpoint("GET", _ANALYSIS, analyses.get_analysis, _BOTH),
    # Its answer has no body, so any Accept header will do.
    Endpoint("POST", _ANALYSIS + ":abort", analyses.abort_analysis, (), target="abort"),
    Endpoint("GET", _ANALYSIS + "/outputs", outcomes.list_outputs),
    Endpoint("GET", _ANALYSIS + "/steps", outcomes.list_steps),
    Endpoint("GET", _ANALYSIS + "/usage", outcomes.get_usage),
    Endpoint("GET", _ANALYSIS + "/logs", outcomes.get_logs),
    Endpoint("GET", _ANALYSIS + "/reports", outcomes.list_reports),
    Endpoint("GET", _ANALYSIS + "/rawOutput", outcomes.get_raw_output),
    Endpoint("GET", _ANALYSIS + "/cwl/outputJson", outcomes.get_output_json),
    Endpoint("GET", _ANALYSIS + "/inputFormValues", outcomes.list_form_values, (V4,)),
    Endpoint("GET", "/api/projects", projects.list_projects),
    Endpoint("GET", _PROJECT, projects.get_project),
    Endpoint("GET", _PROJECT + "/analysisStorages", projects.list_storages, (V4,)),
    Endpoint("GET", _PROJECT + "/pipelines", pipelines.list_pipelines, _BOTH),
    Endpoint("POST", _PROJECT + "/pipelines:search", pipelines.search_pipelines),
    Endpoint("GET", _PIPELINE, pipelines.get_pipeline, _BOTH),
    Endpoint("GET", _PIPELINE + "/inputParameters", pipelines.list_inputs),
    Endpoint("GET", _PIPELINE + "/configurationParameters", pipelines.list_parameters),
    Endpoint("GET", _PIPELINE + "/referenceSets", pipelines.list_reference_sets),
    Endpoint("GET", _PIPELINE + "/files", pipelines.list_files),
    Endpoint("GET", _PIPELINE + "/files/{file:uuid}/content", pipelines.get_file, (OCTETS,)),
    Endpoint("GET", _PIPELINE + "/inputForm/inputFormFile", pipelines.get_input_form, (OCTETS,)),
    Endpoint("GET", _PROJECT + "/data", data.list_data),
    Endpoint("POST", _PROJECT + "/data:createDownloadUrls", data.create_download_urls),
    Endpoint("POST", _DATA + ":createDownloadUrl", data.create_download_url),
    Endpoint("GET", _DATA, data.get_data),
    Endpoint("GET", _DATA + "/children", data.list_children, _BOTH),
    Endpoint("GET", "/api/data/{dataUrn:path}", data.get_data_by_urn),
    Endpoint("GET", "/api/system/info", projects.get_system_info),
    Endpoint("POST", "/api/tokens", tokens.create_token, target="token", is_open=True),
    Endpoint("POST", "/api/tokens:refresh", tokens.refresh_token, target="token", is_open=True),
)
