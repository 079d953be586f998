"""Projects, storages and pipelines as the API shows them."""

from __future__ import annotations

from typing import Any

from manifest_runner.emulator.catalog.format import Parameter, Pipeline, Project, ReferenceSet, Scalar, Storage
from manifest_runner.emulator.protocol.identifiers import derive
from manifest_runner.emulator.views.common import format_view, region_view, stamped

_LANGUAGES = {"nextflow": "NEXTFLOW", "cwl": "CWL", "unknown": "UNKNOWN"}
_OLD_STATUSES = {"Draft": "DRAFT", "Released": "RELEASED"}


def project_view(project: Project) -> dict[str, Any]:
    """A Project."""
    return {
        **stamped("project"),
        "id": project.id,
        "name": project.name,
        "active": not project.hidden,
        "shortDescription": project.description or None,
        "region": region_view(project.region),
        "billingMode": "PROJECT",
        "tags": {"technicalTags": [], "userTags": []},
    }


def storage_view(storage: Storage, *, newer: bool) -> dict[str, Any]:
    """An AnalysisStorage."""
    plain = {"id": storage.id, "name": storage.name, "description": storage.description or None}
    return plain if newer else {**stamped("storage"), **plain}


def pipeline_view(pipeline: Pipeline, storage: Storage, *, newer: bool) -> dict[str, Any]:
    """A Pipeline; without a known language it has no type of input form."""
    view = {
        **stamped("pipeline", newer=newer),
        "id": pipeline.id,
        "urn": f"urn:ilmn:ica:pipeline:{pipeline.id}#{pipeline.code}",
        "code": pipeline.code,
        "description": pipeline.description or "A pipeline of the emulator",
        # The old enumeration does not have the newer statuses.
        "status": _OLD_STATUSES.get(pipeline.status),
        "language": _LANGUAGES[pipeline.language],
        "pipelineTags": {"technicalTags": []},
        "analysisStorage": storage_view(storage, newer=newer),
        "proprietary": pipeline.proprietary,
    }
    if pipeline.language != "unknown":
        view["inputFormType"] = "JSON" if pipeline.form is not None else "XML"
    if newer:
        view |= {"statusAsString": pipeline.status, "name": pipeline.name, "version": pipeline.version}
    return view


def project_pipeline_view(pipeline: Pipeline, storage: Storage, project: str, *, newer: bool) -> dict[str, Any]:
    """A ProjectPipeline."""
    bundles = [_bundle_view(pipeline.bundle)] if pipeline.bundle else []
    return {
        "pipeline": pipeline_view(pipeline, storage, newer=newer),
        "projectId": project,
        "bundleLinks": {"items": bundles},
    }


def input_views(pipeline: Pipeline) -> list[dict[str, Any]]:
    """The InputParameters of a pipeline."""
    return [
        {
            "id": derive("input", pipeline.id, each.code),
            "code": each.code,
            "required": each.required,
            "multiValue": each.multi_value,
        }
        for each in pipeline.inputs
    ]


def parameter_views(pipeline: Pipeline) -> list[dict[str, Any]]:
    """The PipelineConfigurationParameters of a pipeline."""
    return [
        {
            "code": each.code,
            "required": each.required,
            "multiValue": each.multi_value,
            "type": each.type,
            "settings": _settings(each),
        }
        for each in pipeline.parameters
    ]


def reference_set_view(reference_set: ReferenceSet) -> dict[str, Any]:
    """A ReferenceSet."""
    kind = {**stamped("reference type"), "name": "Reference"}
    data = [
        {
            **stamped("reference", reference_set.name, name),
            "name": name,
            "version": "1",
            "dataFormat": format_view("FASTA"),
            "species": {**stamped("species"), "name": "Homo sapiens"},
            "typeList": {"items": [kind]},
        }
        for name in reference_set.data
    ]
    plain = {"name": reference_set.name, "referenceDataList": {"items": data}}
    view = {**stamped("reference set", reference_set.name), **plain}
    return {**view, "id": reference_set.id} if reference_set.id else view


def _bundle_view(name: str) -> dict[str, Any]:
    return {
        **stamped("bundle", name),
        "name": name,
        "region": region_view("ZZ"),
        "releaseVersion": "1",
        "status": "RELEASED",
        "links": {},
    }


def _settings(parameter: Parameter) -> dict[str, Any]:
    """Whole numbers stay numbers, as they do on the platform; everything else is text."""
    given = parameter.default
    defaults = [] if given is None else given if isinstance(given, list) else [given]
    settings: dict[str, Any] = {"defaultValues": [_default(each) for each in defaults]}
    if parameter.options is not None:
        settings["options"] = [_text(each) for each in parameter.options]
    return settings


def _default(value: Scalar) -> str | int:
    return value if type(value) is int else _text(value)


def _text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
