"""Pieces of lockfiles for the tests of reports."""

from __future__ import annotations

import json
from typing import Any

from msgspec import structs

from manifest_runner.launch.record import new_launch
from manifest_runner.lockfile.model import LockedAnalysis, LockedItem
from manifest_runner.lockfile.requests import keep_requests

SERVER = "https://ica.illumina.com/ica/rest"
PROJECT = "7595e8f2-32d3-4c76-a324-c6a85dae87b5"
EVIL = (
    """</script><script>alert(1)</script> `code` | **b** @everyone #1 <!-- & "quoted" \x1b[31m\n\u202e ]]> {{ 7*7 }}"""
)


def locked(
    status: str | None = "SUCCEEDED",
    analysis: str | None = None,
    *,
    start: str | None = None,
    end: str | None = None,
    **more: Any,
) -> LockedItem:
    """A launch as the lockfile has it; ``analysis`` is the status of its analysis, None where there is none."""
    found = None if analysis is None else LockedAnalysis(f"an-{analysis}", "ref", analysis, start, end)
    launch = new_launch("0" * 64, "nextflow", "1.1", 0, "b1", status=status, analysis=found)
    return structs.replace(launch, **more)


def requests(pipelines: dict[str, object]) -> str | None:
    """What the lockfile keeps of a batch that launched these pipelines, by userReference."""
    items = [{"userReference": name, "pipelineId": pipeline} for name, pipeline in pipelines.items()]
    return keep_requests(json.dumps({"nextflowItems": items}).encode())
