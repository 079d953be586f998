"""Pieces of lockfiles for the tests of reports."""

from __future__ import annotations

from typing import Any

from manifest_runner.lockfile import LockedItem

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
    dates = {key: value for key, value in {"startDate": start, "endDate": end}.items() if value}
    found = None if analysis is None else {"id": f"an-{analysis}", "reference": "ref", "status": analysis, **dates}
    values = {"digest": "0" * 64, "kind": "nextflow", "revision": "1.1", "attempt": 0, "batch_id": "b1"}
    return LockedItem(**{**values, "status": status, "analysis": found, **more})
