"""``init``: a manifest to start from, plain, for one pipeline, or from an existing launch request."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.options import Target
from manifest_runner.errors import UsageProblem

if TYPE_CHECKING:
    from manifest_runner.commands.starters.starter import Written


def init(path: Path, pipeline: str | None, payload: Path | None, target: Target, context: Context) -> Written:
    """Write the files. Raises UsageProblem if one of them exists; InvalidManifest."""
    check_sources(pipeline, payload)
    # Import only what is needed: a pipeline needs HTTP, a payload needs everything that reads manifests.
    if payload is not None:
        from manifest_runner.commands.starters.from_payload import write_from_payload

        return write_from_payload(path, payload, target.project)
    if pipeline is not None:
        from manifest_runner.commands.starters.from_pipeline import write_pipeline_starter

        return write_pipeline_starter(path, pipeline, target, context)
    from manifest_runner.commands.starters.starter import write_starter

    return write_starter(path, target.project)


def check_sources(pipeline: str | None, payload: Path | None) -> None:
    if pipeline is not None and payload is not None:
        raise UsageProblem("use either --pipeline or --from-payload, not both")
