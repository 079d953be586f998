"""Requests about the outcomes of analyses, as values. Pure. All of them exist in version 3 only, without pages."""

from __future__ import annotations

from manifest_runner.ica.endpoints import Call, segment


def list_outputs(analysis_id: str) -> Call:
    """List the data that an analysis made, by output code."""
    return _of_analysis(analysis_id, "outputs")


def list_steps(analysis_id: str) -> Call:
    """List the steps of an analysis, with their exit codes and logs."""
    return _of_analysis(analysis_id, "steps")


def get_usage(analysis_id: str) -> Call:
    """Read the price of an analysis: 404 until it is known, some minutes after the end."""
    return _of_analysis(analysis_id, "usage")


def _of_analysis(analysis_id: str, what: str) -> Call:
    return Call("GET", f"/analyses/{segment(analysis_id)}/{what}", wanted=f"analysis {analysis_id}")
