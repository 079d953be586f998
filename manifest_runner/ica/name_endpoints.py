"""Requests that look up names of pipelines, storages and projects; ``data_endpoints`` has those for data. Pure."""

from __future__ import annotations

import orjson

from manifest_runner.ica.endpoints import V4, Call, segment

OCTETS = "application/octet-stream"


def list_pipelines() -> Call:
    """All pipelines of the project, in one answer without pages."""
    return Call("GET", "/pipelines")


def search_pipelines(code: str) -> Call:
    """Pipelines with this code; servers before version 2.41 have no such call."""
    return Call("POST", "/pipelines:search", body=orjson.dumps({"name": {"equals": code}}))


def get_pipeline(pipeline_id: str) -> Call:
    """One pipeline; version 4 says more about its status."""
    return Call("GET", f"/pipelines/{segment(pipeline_id)}", V4, f"pipeline {pipeline_id}")


def list_inputs(pipeline_id: str) -> Call:
    """The inputs that a pipeline declares."""
    return Call("GET", f"/pipelines/{segment(pipeline_id)}/inputParameters")


def list_parameters(pipeline_id: str) -> Call:
    """The parameters that a pipeline declares."""
    return Call("GET", f"/pipelines/{segment(pipeline_id)}/configurationParameters")


def get_form(pipeline_id: str) -> Call:
    """The file with a pipeline's input form."""
    return Call("GET", f"/pipelines/{segment(pipeline_id)}/inputForm/inputFormFile", OCTETS)


def list_storages() -> Call:
    """The storage sizes of the project; this list has no version 3."""
    return Call("GET", "/analysisStorages", V4)


def search_projects(name: str | None = None) -> Call:
    """Projects that the credential may see, in pages; ``name`` narrows them as the server sees fit."""
    params = (("includeHiddenProjects", "true"), *([("search", name)] if name else []))
    return Call("GET", "/api/projects", params=params)


def get_project(project: str) -> Call:
    """One project."""
    return Call("GET", f"/api/projects/{segment(project)}", wanted=f"project {project}")
