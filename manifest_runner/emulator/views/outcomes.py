"""Outputs, steps, logs and prices of analyses as the API shows them."""

from __future__ import annotations

from typing import Any

from manifest_runner.emulator.catalog.format import Project, Step
from manifest_runner.emulator.catalog.query import format_of
from manifest_runner.emulator.outcomes.analysis import Outcome
from manifest_runner.emulator.protocol.identifiers import derive
from manifest_runner.emulator.protocol.timestamps import timestamp
from manifest_runner.emulator.store.timetable import AnalysisState
from manifest_runner.emulator.views.common import format_view
from manifest_runner.emulator.views.data import data_view


def output_views(outcome: Outcome, project: str) -> list[dict[str, Any]]:
    """The AnalysisOutputs: everything at the top of the analysis's folder, with its content."""
    return [
        {"code": code, "projectId": _project(outcome, paths, project), "data": _tree(outcome, "", paths)}
        for code, paths in outcome.outputs.items()
    ]


def _tree(outcome: Outcome, folder: str, paths: tuple[str, ...]) -> list[dict[str, Any]]:
    inside = dict.fromkeys(_first_part(folder, path) for path in paths if path != folder)
    return [_analysis_data(outcome, path, paths) for path in inside]


def _project(outcome: Outcome, paths: tuple[str, ...], project: str) -> str:
    """The project to which an output was sent, by its first file."""
    return next((outcome.rows[path].owner for path in paths), project)


def _analysis_data(outcome: Outcome, path: str, paths: tuple[str, ...]) -> dict[str, Any]:
    row = outcome.rows[path]
    view: dict[str, Any] = {
        "dataId": row.id,
        "name": row.name,
        "dataType": "FOLDER" if row.is_folder else "FILE",
        "format": format_view(format_of(row)),
    }
    if row.is_folder:
        view["children"] = _tree(outcome, path, tuple(each for each in paths if each.startswith(path)))
    return view


def _first_part(folder: str, path: str) -> str:
    """The file or folder directly in ``folder`` that leads to ``path``."""
    name, slash, _ = path.removeprefix(folder).partition("/")
    return folder + name + slash


def step_views(outcome: Outcome, analysis: str, state: AnalysisState, owner: Project) -> list[dict[str, Any]]:
    """The AnalysisSteps; while a step runs its logs are streams, afterwards files."""
    count = len(outcome.steps)
    views = []
    for index, step in enumerate(outcome.steps):
        times = _times(state, index / count, (index + 1) / count)
        views.append(_step(outcome, step, derive(analysis, "step", str(index)), times, owner))
    return views


def _step(
    outcome: Outcome, step: Step, step_id: str, times: tuple[str | None, str | None], owner: Project
) -> dict[str, Any]:
    logs: dict[str, Any] = {}
    for member, stream in (("stdOut", "stdout"), ("stdErr", "stderr")):
        row = outcome.log(step, stream)
        if row is not None:
            logs[f"{member}Data"] = data_view(row, owner)
        running = step.status == "RUNNING"
        logs[f"{member}Stream"] = f"wss://127.0.0.1/logs/{step_id}/{stream}" if running else None
    begun, ended = times if step.status != "WAITING" else (None, None)
    view = {
        "id": step_id,
        "name": step.name,
        "status": step.status,
        "queueDate": begun,
        "startDate": begun,
        "endDate": ended,
        "technical": step.technical,
        "logs": logs,
    }
    return view if step.exit_code is None else {**view, "exitCode": step.exit_code}


def _times(state: AnalysisState, first: float, last: float) -> tuple[str | None, str | None]:
    if state.started is None:
        return None, None
    if state.ended is None:
        return timestamp(state.started), None
    lasted = state.ended - state.started
    return timestamp(state.started + first * lasted), timestamp(state.started + last * lasted)
