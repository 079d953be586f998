"""``init`` with the help of ICA: a starter for one pipeline, and the projects and pipelines to choose from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from manifest_runner.commands.setup.connection import connected
from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.options import DEFAULT_TIMEOUT, Target
from manifest_runner.commands.setup.target import server_of
from manifest_runner.commands.starters.pipeline_starter import PipelineStarter
from manifest_runner.commands.starters.starter import MODELINE, Written, name_for, rows_of, samplesheet_of, write_new
from manifest_runner.errors import UsageProblem
from manifest_runner.items.load import find_project
from manifest_runner.lockfile.workspace import Workspace
from manifest_runner.model import Name
from manifest_runner.names.failure import LookupFailure
from manifest_runner.names.model import Names, PipelineEntry
from manifest_runner.names.names_file import dump_names, names_path
from manifest_runner.templates.model import PLACEHOLDER

if TYPE_CHECKING:  # requests is imported only when something is asked
    from manifest_runner.ica.client import Client

NO_PROJECT = "-"


def write_pipeline_starter(path: Path, pipeline: str, target: Target, context: Context) -> Written:
    """Write a manifest, a samplesheet and a names file for the pipeline of a code or an id.

    Raises UsageProblem if one of the files exists already, or if there is no such pipeline.
    """
    from manifest_runner.names.lookup.pipeline_lookup import PipelineLookup

    project = find_project(target.project, None, context.env)
    with _client(path, target, project, context) as client:
        lookup = PipelineLookup(client, lambda _code, words: context.notify(words))
        record = lookup.record_of(pipeline)
        if isinstance(record, LookupFailure):
            raise UsageProblem(record.message)
        entry: PipelineEntry = lookup.entry_of(pipeline, record)
    samplesheet = samplesheet_of(path)
    starter = PipelineStarter(
        pipeline, entry, project, name_for(path), samplesheet.name, record.description, record.storage
    )
    names = Names(project, server_of(target, context)).with_entries({Name("pipelines", pipeline): entry})
    names_file = names_path(path, is_trial=target.emulator)
    names_file.parent.mkdir(exist_ok=True)  # of a trial
    files = write_new(
        {path: MODELINE + starter.manifest(), samplesheet: starter.samples(), names_file: dump_names(names).decode()}
    )
    marked = [f"each {PLACEHOLDER} in {path}"] if starter.has_placeholders else []
    return Written(files, (*marked, rows_of(samplesheet)))


def list_projects(path: Path, target: Target, context: Context) -> list[tuple[str, str]]:
    """The projects that the credential may see: their names and ids."""
    from manifest_runner.ica import name_endpoints as calls
    from manifest_runner.ica.name_responses import read_named

    with _client(path, target, NO_PROJECT, context) as client:
        return sorted((each.name, each.id) for each in client.pages(calls.search_projects(), read_named))


def list_pipelines(path: Path, target: Target, project: str, context: Context) -> list[str]:
    """The codes of the pipelines of a project."""
    from manifest_runner.ica import name_endpoints as calls
    from manifest_runner.ica.name_responses import read_pipelines

    with _client(path, target, project, context) as client:
        return sorted({each.code for each in client.ask(calls.list_pipelines(), read_pipelines) if each.code})


@contextmanager
def _client(path: Path, target: Target, project: str, context: Context) -> Iterator[Client]:
    deadline = context.deadline(min(DEFAULT_TIMEOUT, 60.0))
    with connected(Workspace.of(path), target, project, context, deadline) as client:
        yield client
