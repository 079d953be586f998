"""The floor of rendering: the same CSV, the same items built with f-strings, orjson (sorted), SHA-256. Nothing else."""

from __future__ import annotations

import csv
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

REFERENCE = "fil.6f0c2f0d9a3e4b0f8b1c08d9a1b2c3d4"
BUILD = "hg38-alt_masked"
PROJECT = "7595e8f2-32d3-4c76-a324-c6a85dae87b5"


def item(cells: list[str]) -> dict[str, Any]:
    """What ``workload.MANIFEST`` makes of one row."""
    (
        sample,
        subject,
        study,
        site,
        run,
        lane,
        library,
        sex,
        coverage,
        panel,
        requester,
        _status,
        fastqs,
        indexes,
        bed,
        folder,
    ) = cells
    return {
        "userReference": f"{sample}-{run}-germline",
        "pipelineId": "f606f580-d476-47a8-9679-9ddb39fcb0a8",
        "outputParentFolderId": f"{folder}",
        "tags": {
            "userTags": ["germline", f"{study}"],
            "technicalTags": [f"run={run}", f"library={library}"],
            "referenceTags": [f"{subject}"],
        },
        "analysisInput": {
            "inputs": [
                {"parameterCode": "fastqs", "dataIds": fastqs.split(";")},
                {"parameterCode": "indexes", "dataIds": indexes.split(";")},
                {"parameterCode": "panel_bed", "dataIds": [f"{bed}"]},
                {"parameterCode": "ref_tar", "dataIds": [f"{REFERENCE}"]},
            ],
            "parameters": [
                {"code": "enable_sv", "value": "true"},
                {"code": "output_format", "value": "CRAM"},
                {"code": "output_prefix", "value": f"{sample}.{BUILD}"},
                {"code": "panel", "value": f"{panel}"},
                {"code": "read_group", "value": f"ID:{run}.{lane} SM:{sample} LB:{library}"},
                {"code": "report_title", "value": f"Study {study}, subject {subject}"},
                {"code": "requested_by", "value": f"{requester}"},
                {"code": "sample_id", "value": f"{sample}"},
                {"code": "sex", "value": f"{sex}"},
                {"code": "site", "value": f"{site}"},
                {"code": "target_coverage", "value": f"{coverage}"},
            ],
        },
        "analysisOutput": [
            {
                "sourcePath": "out/",
                "type": "FOLDER",
                "targetProjectId": f"{PROJECT}",
                "targetPath": f"/germline/{study}/{sample}-{run}/",
            }
        ],
    }


def main(path: str) -> None:
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        status = next(rows).index("status")
        for cells in rows:
            if cells[status] == "ready":
                sha256(orjson.dumps(item(cells), option=orjson.OPT_SORT_KEYS)).hexdigest()


if __name__ == "__main__":
    main(sys.argv[1])
