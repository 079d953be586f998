"""The cells of one line of the page's table, for both the template and the script. Empty text is not shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from manifest_runner.report.rows import LaunchRow, Row
from manifest_runner.report.states import State
from manifest_runner.report.times import shown_duration, shown_time, sortable_time

_SHORT_ID = 8

BLANK: dict[str, Any] = {
    **dict.fromkeys("reference kind pipeline pipelineName notes state label status reason whole outputs".split(), ""),
    **dict.fromkeys("analysis short link rank started startedAt duration seconds price amount why".split(), ""),
    "earlier": [],
}


def page_row(row: Row, why: int | None, long_message: int, pipelines: Mapping[str, str]) -> dict[str, Any]:
    """``why`` is the number of the reason that the row failed for; ``pipelines`` has names by id."""
    launch = row.launch
    amount = launch.price.number if launch.price else None
    return {
        "reference": row.reference,
        "kind": row.kind,
        "pipeline": row.pipeline or "",
        "pipelineName": pipelines.get(row.pipeline or "") or _short(row.pipeline or ""),
        "notes": _notes(row),
        **_launch(launch, row.state, long_message),
        "rank": row.state.rank,
        "started": shown_time(launch.started),
        "startedAt": sortable_time(launch.started),
        "duration": shown_duration(launch.seconds),
        "seconds": launch.seconds,
        "price": f"{launch.price.amount} {launch.price.currency}" if launch.price else "",
        "amount": None if amount is None else float(amount),
        "why": "" if why is None else str(why),
        "earlier": [_launch(each, each.state, long_message) for each in row.earlier],
    }


def _launch(launch: LaunchRow, state: State, long_message: int) -> dict[str, Any]:
    reason = launch.reason
    # If the failed step is the reason, the API's own message is one click away.
    whole = reason if len(reason) > long_message else launch.message if launch.failure else None
    return {
        "state": state.value,
        "label": state.label,
        "status": launch.status if state in (State.ACCEPTED, State.REMOVED) else launch.detail,
        "reason": reason[:long_message] + "…" if len(reason) > long_message else reason,
        "whole": whole or "",
        "outputs": _outputs(launch),
        "analysis": launch.analysis_id or "",
        "short": _short(launch.analysis_id or ""),
        "link": launch.link or "",
    }


def _short(identifier: str) -> str:
    """The part of an id that people compare; the page has all of it for copying and searching."""
    return identifier if len(identifier) <= _SHORT_ID + 4 else f"{identifier[:_SHORT_ID]}…"


def _outputs(launch: LaunchRow) -> str:
    """``vcf: S1.vcf.gz (fil.1); bam: S1.bam (fil.2)``."""
    return "; ".join(
        f"{code}: " + ", ".join(f"{output.name} ({output.data_id})" for output in found)
        for code, found in launch.outputs.items()
        if found
    )


def _notes(row: Row) -> str:
    notes = [f"attempt {row.launch.attempt + 1}"] if row.launch.attempt else []
    notes += ["launched by someone else"] if row.adopted else []
    notes += [f"was {row.renamed_from}"] if row.renamed_from else []
    notes += ["accepted as it is"] if row.accepted else []
    return ", ".join(notes)
