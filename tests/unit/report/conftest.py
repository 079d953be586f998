"""A lockfile with an item of every state, and text that tries to break out of every format."""

from __future__ import annotations

import pytest
from report_lockfiles import EVIL, PROJECT, SERVER, locked, requests

from manifest_runner.lockfile.model import LockedBatch, Lockfile
from manifest_runner.report import ReportSource, ica_web_url


@pytest.fixture
def source() -> ReportSource:
    return ReportSource("germline.yaml", "2026-11-23T14:05:00Z", ica_web_url(SERVER))


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
