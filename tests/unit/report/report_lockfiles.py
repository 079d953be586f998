"""Parts of lockfiles for the tests of reports."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import structs

from manifest_runner.lockfile.model import LockedAnalysis, LockedBatch, LockedItem, Lockfile
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
    launch = LockedItem("0" * 64, "nextflow", "1.1", 0, "b1", None, status, None, found)
    return structs.replace(launch, **more)


def requests(pipelines: dict[str, object]) -> str | None:
    """What the lockfile keeps of a batch that launched these pipelines, by userReference."""
    items = [{"userReference": name, "pipelineId": pipeline} for name, pipeline in pipelines.items()]
    return keep_requests(json.dumps({"nextflowItems": items}).encode())


@pytest.fixture
def empty() -> Lockfile:
    return Lockfile("germline", PROJECT, SERVER)


@pytest.fixture
def every_state(empty: Lockfile) -> Lockfile:
    empty.batches["b1"] = LockedBatch("mr1-" + "0" * 64, 12, "SUCCEEDED", "2026-11-23T10:00:00Z")
    empty.items |= {
        "s-running": locked(analysis="INPROGRESS", start="2026-11-23T10:05:00Z"),
        "s-good": locked(analysis="SUCCEEDED", start="2026-11-23T10:05:00Z", end="2026-11-23T12:10:30Z"),
        "s-bad": locked(analysis="FAILED_FINAL", start="2026-11-23T10:05:00Z", end="2026-11-23T10:06:00Z"),
        "s-aborted": locked(analysis="ABORTED"),
        "s-refused": locked("FAILED", message="Pipeline is not linked"),
        "s-requested": locked(analysis="REQUESTED"),
        "s-waiting": locked("WAITING_RESOURCES"),
        "s-creating": locked("RUNNING"),
        "s-odd": locked(analysis="THINKING"),
        "s-known": locked("FAILED", message="Known", failure_accepted=True),
        "s-gone": locked("FAILED", message="Old", removed=True),
    }
    return empty


@pytest.fixture
def evil(empty: Lockfile) -> Lockfile:
    empty.name = EVIL
    empty.batches[EVIL] = LockedBatch("k", 1, EVIL, EVIL, requests({EVIL: EVIL}))
    empty.items[EVIL] = locked("FAILED", message=EVIL, batch_id=EVIL)
    empty.items["=1+1"] = locked(analysis=EVIL, start=EVIL, message="@SUM(A1)")
    return empty
