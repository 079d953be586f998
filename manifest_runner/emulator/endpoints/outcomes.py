"""The endpoints for the outcome of an analysis."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import Response

from manifest_runner.emulator.api import Api, Call
from manifest_runner.emulator.endpoints.analyses import find_analysis
from manifest_runner.emulator.outcomes.analysis import Outcome
from manifest_runner.emulator.outcomes.analysis_data import state_of
from manifest_runner.emulator.outcomes.details import read_details
from manifest_runner.emulator.protocol.problems import Problem
from manifest_runner.emulator.store.item_queries import ItemRow
from manifest_runner.emulator.views.data import data_view
from manifest_runner.emulator.views.outcomes import output_views, step_views


async def list_outputs(api: Api, call: Call) -> Response:
    """GET outputs: all at once, and none before the analysis has succeeded."""
    _, outcome = _outcome(api, call)
    return call.answer({"items": output_views(outcome, call.project)})


async def list_steps(api: Api, call: Call) -> Response:
    """GET steps, including those of the platform."""
    row, outcome = _outcome(api, call)
    owner = api.world.project(call.project)
    return call.answer({"items": step_views(outcome, row.analysis, state_of(row, call.now), owner)})


async def get_usage(api: Api, call: Call) -> Response:
    """GET usage: the price of an analysis that succeeded or failed, some time after its end."""
    row, outcome = _outcome(api, call)
    state = state_of(row, call.now)
    ready = state.ended is not None and call.now >= state.ended + api.options.usage_delay
    if not ready or state.status == "ABORTED" or outcome.price is None:
        raise Problem(404, f"The usage of the analysis {row.analysis} is not available.")
    return call.answer({"price": {"amount": outcome.price, "currency": "iCredit"}})


async def get_logs(api: Api, call: Call) -> Response:
    """GET logs: the folder with the logs, once there is one."""
    _, outcome = _outcome(api, call)
    folder = outcome.logs_folder
    return call.answer({} if folder is None else {"logsFolder": data_view(folder, api.world.project(call.project))})


async def list_reports(api: Api, call: Call) -> Response:
    """GET reports: the HTML files among the outputs."""
    _, outcome = _outcome(api, call)
    pages = [row for row in outcome.rows.values() if row.name.endswith(".html")]
    data = [{"dataId": row.id, "format": "HTML", "name": row.name} for row in pages]
    return call.answer({"items": [{"reportTitle": "Report", "reportData": data}] if data else []})


async def get_output_json(api: Api, call: Call) -> Response:
    """GET cwl/outputJson, only for a CWL analysis."""
    row, outcome = _outcome(api, call)
    if row.kind != "cwl":
        raise Problem(404, f"The analysis {row.analysis} is not a CWL analysis.")
    return call.answer({"outputJson": _output_json(outcome)})


async def get_raw_output(api: Api, call: Call) -> Response:
    """GET rawOutput: the outputs by code as text."""
    _, outcome = _outcome(api, call)
    return call.answer({"rawOutput": _output_json(outcome)})


async def list_form_values(api: Api, call: Call) -> Response:
    """GET inputFormValues, only for a pipeline with a JSON form."""
    row = find_analysis(api, call)
    form = read_details(row.details).form
    if form is None:
        raise Problem(404, f"The analysis {row.analysis} has no input form.")
    fields = form.get("fields") or []
    return call.answer({"items": [_field(field) for field in fields]})


def _outcome(api: Api, call: Call) -> tuple[ItemRow, Outcome]:
    row = find_analysis(api, call)
    return row, api.outcomes.of(row, call.now)


def _output_json(outcome: Outcome) -> str:
    return orjson.dumps(outcome.outputs).decode()


def _field(given: dict[str, Any]) -> dict[str, Any]:
    members = ("id", "values", "dataValues")
    return {name: given[name] for name in members if given.get(name) is not None}
