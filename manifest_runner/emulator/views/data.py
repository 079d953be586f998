"""Data as the API shows it."""

from __future__ import annotations

from typing import Any

from manifest_runner.emulator.catalog.data_rows import DataRow
from manifest_runner.emulator.catalog.format import Project
from manifest_runner.emulator.catalog.query import format_of
from manifest_runner.emulator.protocol.identifiers import derive
from manifest_runner.emulator.protocol.timestamps import timestamp
from manifest_runner.emulator.views.common import EPOCH, TENANT, format_view, region_view


def project_data_view(row: DataRow, asking: str, owner: Project) -> dict[str, Any]:
    """A ProjectData, as the project ``asking`` sees it."""
    return {"data": data_view(row, owner), "projectId": asking}


def data_view(row: DataRow, owner: Project) -> dict[str, Any]:
    """A Data of its owning project."""
    created = timestamp(row.created) if row.created else EPOCH
    details = {
        "timeCreated": created,
        "timeModified": created,
        "tenantId": TENANT,
        "tenantName": "emulator",
        "owningProjectId": owner.id,
        "owningProjectName": owner.name,
        "name": row.name,
        "path": row.path,
        "fileSizeInBytes": None if row.is_folder else row.size,
        "status": row.status,
        "tags": {
            "technicalTags": row.technical_tags,
            "userTags": row.user_tags,
            "connectorTags": [],
            "runInTags": [],
            "runOutTags": [],
            "referenceTags": [],
        },
        "format": format_view(format_of(row)),
        "dataType": "FOLDER" if row.is_folder else "FILE",
        "region": region_view(row.region or owner.region),
        "willBeArchivedAt": row.will_be_archived_at,
        "willBeDeletedAt": row.will_be_deleted_at,
    }
    if row.source_analysis:
        details["sourceAnalysisId"] = row.source_analysis
    view: dict[str, Any] = {"id": row.id, "urn": urn_of(row, owner), "details": details}
    if row.is_folder:
        view["folderDetails"] = {"nonIndexed": row.non_indexed}
    return view


def urn_of(row: DataRow, owner: Project) -> str:
    """The URN of data of this project: its region, its id and, for people, its path."""
    return f"urn:ilmn:ica:region:{derive('region', row.region or owner.region)}:data:{row.id}#{row.path}"
