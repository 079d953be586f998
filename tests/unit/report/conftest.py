"""Lockfiles and their source for the tests of reports."""

from __future__ import annotations

import pytest
from report_lockfiles import SERVER, empty, every_state, evil

from manifest_runner.report import ReportSource, ica_web_url

__all__ = ["empty", "every_state", "evil"]


@pytest.fixture
def source() -> ReportSource:
    return ReportSource("germline.yaml", "2026-11-23T14:05:00Z", ica_web_url(SERVER))
