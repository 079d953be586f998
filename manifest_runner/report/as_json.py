"""The report for programs, one JSON document. Within a ``reportVersion`` members are added, never changed.

| member | is |
| --- | --- |
| ``reportVersion`` | 1 |
| ``manifest``, ``generatedAt`` | the manifest's file name, and when the report was made (RFC 3339) |
| ``dataAsOf`` | the newest time in the lockfile: the report's data is at least that recent |
| ``name``, ``project``, ``server`` | the lockfile's |
| ``totals`` | ``items``, its parts ``failed``, ``open``, ``succeeded``, ``accepted`` (failures), ``removed``,
``states``: each one's count, and ``prices``: the sum of all known prices by currency |
| ``batches`` | oldest first: ``id``, ``status``, ``submittedAt``, ``items`` |
| ``items`` | by state, failed first, then by userReference; each a launch (the members below) with ``userReference``,
``kind``, ``pipeline``, ``adopted``, ``removed``, ``accepted``, ``renamedFrom``, and ``earlier``: its replaced launches,
newest first |
| a launch | ``state``, ``status`` (the batch item's), ``message``, ``attempt``, ``revision``, ``batchId``, ``itemId``,
``durationSeconds``, ``link``; ``analysis``: null or ``id``, ``reference``, ``status``, ``startDate``, ``endDate``;
``outputs`` by code, each ``dataId``, ``name``, ``type``, ``projectId``; ``price``: null or ``amount``, ``currency``;
``failure``: null or ``step``, ``exitCode``, ``line`` |

Unknown values are null. Texts are on one line: control characters are written as escapes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from manifest_runner.lockfile.model import LockedFailure, LockedOutput
from manifest_runner.report.rows import LaunchRow, Row
from manifest_runner.report.source import ReportSource
from manifest_runner.report.states import State
from manifest_runner.report.summary import BatchRow, Summary

REPORT_VERSION = 1


def json_report(summary: Summary, source: ReportSource) -> str:
    document = {
        "reportVersion": REPORT_VERSION,
        "manifest": source.manifest,
        "generatedAt": source.generated_at,
        "dataAsOf": summary.as_of,
        "name": summary.name,
        "project": summary.project,
        "server": summary.server,
        "totals": _totals(summary),
        "batches": [_batch(batch) for batch in summary.batches],
    }
    return "".join(_pieces(_indented(document).removesuffix("\n}"), summary))


def _pieces(head: str, summary: Summary) -> Iterator[str]:
    """The document's text. An item as an object takes several times the memory of its text: there is one at a time."""
    yield f'{head},\n  "items": ['
    for index, row in enumerate(summary.rows):
        yield ",\n" if index else "\n"
        yield _indented(_item(row), "    ")
    yield "\n  ]\n}\n" if summary.rows else "]\n}\n"


def _indented(value: object, margin: str = "") -> str:
    """JSON with its members on lines of their own; there are no other line ends in it."""
    return margin + json.dumps(value, ensure_ascii=False, indent=2).replace("\n", f"\n{margin}")


def _totals(summary: Summary) -> dict[str, Any]:
    return {
        "items": len(summary.rows),
        "failed": summary.total("failed"),
        "open": summary.total("open"),
        "succeeded": summary.total("succeeded"),
        "accepted": summary.total("accepted"),
        "removed": summary.total("removed"),
        "states": {state.value: summary.counts.get(state, 0) for state in State},
        "prices": {currency: str(amount) for currency, amount in summary.prices.items()},
    }


def _batch(batch: BatchRow) -> dict[str, Any]:
    return {"id": batch.id, "status": batch.status, "submittedAt": batch.submitted_at, "items": batch.items}


def _item(row: Row) -> dict[str, Any]:
    return {
        "userReference": row.reference,
        "kind": row.kind,
        "pipeline": row.pipeline,
        **_launch(row.launch),
        "state": row.state,
        "adopted": row.adopted,
        "removed": row.removed,
        "accepted": row.accepted,
        "renamedFrom": row.renamed_from,
        "earlier": [_launch(launch) for launch in row.earlier],
    }


def _launch(launch: LaunchRow) -> dict[str, Any]:
    return {
        "state": launch.state,
        "status": launch.creation,
        "message": launch.message,
        "attempt": launch.attempt,
        "revision": launch.revision,
        "batchId": launch.batch_id,
        "itemId": launch.item_id,
        "durationSeconds": launch.seconds,
        "link": launch.link,
        "analysis": _analysis(launch),
        "outputs": {code: [_output(output) for output in found] for code, found in launch.outputs.items()},
        "price": launch.price and {"amount": launch.price.amount, "currency": launch.price.currency},
        "failure": launch.failure and _failure(launch.failure),
    }


def _analysis(launch: LaunchRow) -> dict[str, Any] | None:
    if launch.analysis_id is None:
        return None
    return {
        "id": launch.analysis_id,
        "reference": launch.analysis_reference,
        "status": launch.analysis_status,
        "startDate": launch.started,
        "endDate": launch.ended,
    }


def _output(output: LockedOutput) -> dict[str, Any]:
    return {"dataId": output.data_id, "name": output.name, "type": output.type, "projectId": output.project_id}


def _failure(failure: LockedFailure) -> dict[str, Any]:
    return {"step": failure.step, "exitCode": failure.exit_code, "line": failure.line}
