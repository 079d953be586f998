"""The report as one page that needs nothing else: no network, and no script for totals and failed items.

The page's content security policy allows its own style and script by their hashes and nothing more. All text is
escaped by Jinja; the data of the table is JSON in a data block, where ``<`` is written as an escape.
"""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache, partial
from hashlib import sha256
from importlib.resources import files
from typing import Any

import jinja2
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from manifest_runner.report.charts import axis, lane_chart, state_bar
from manifest_runner.report.source import ReportSource
from manifest_runner.report.states import State
from manifest_runner.report.summary import Launch, Row, Summary, counted
from manifest_runner.report.timeline import make_timeline
from manifest_runner.report.times import shown_duration, shown_time

# Rows that stand in the page itself, for readers without a script: the first ones, so the failed ones.
_ROWS_WITHOUT_SCRIPT = 500
_MOST_REASONS = 10
_LONG_MESSAGE = 300
_MOST_LANES_UNFOLDED = 26


def html_report(summary: Summary, source: ReportSource) -> str:
    """The whole page."""
    rows = [_row(row) for row in summary.rows]
    return _page().render(
        summary=summary,
        source=source,
        rows=rows[:_ROWS_WITHOUT_SCRIPT],
        blank=_BLANK,
        data=_data(rows),
        has_pipelines=any(row.pipeline for row in summary.rows),
        reasons=summary.reasons[:_MOST_REASONS],
        long_message=_LONG_MESSAGE,
        other_reasons=len(summary.reasons[_MOST_REASONS:]),
        timeline=make_timeline(summary),
        most_lanes_unfolded=_MOST_LANES_UNFOLDED,
        bar=state_bar(summary),
        style=Markup(_asset("page.css")),  # noqa: S704 - our own files
        script=Markup(_asset("page.js")),  # noqa: S704
        policy=_policy(),
    )


@cache
def _page() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    helpers = {"axis": axis, "lane_chart": lane_chart, "counted": counted}
    environment.globals.update(helpers)
    environment.filters.update(time=shown_time, duration=shown_duration)
    return environment.from_string(_asset("page.html"))


@cache
def _asset(name: str) -> str:
    return files(__package__ or "").joinpath(name).read_text("utf-8")


def _policy() -> str:
    def hashed(name: str) -> str:
        return f"'sha256-{b64encode(sha256(_asset(name).encode()).digest()).decode()}'"

    return (
        f"default-src 'none'; style-src {hashed('page.css')}; script-src {hashed('page.js')}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _row(row: Row) -> dict[str, Any]:
    """What one line of the table shows, for the template and for the script alike. Empty text is not shown."""
    launch = row.launch
    return {
        "reference": row.reference,
        "kind": row.kind,
        "pipeline": row.pipeline or "",
        "notes": _notes(row),
        **_launch(launch, row.state),
        "rank": row.state.rank,
        "started": shown_time(launch.started),
        "startedAt": launch.started or "",
        "duration": shown_duration(launch.seconds),
        "seconds": launch.seconds,
        "earlier": [_launch(each, each.state) for each in row.earlier],
    }


def _launch(launch: Launch, state: State) -> dict[str, Any]:
    reason = launch.reason
    is_long = len(reason) > _LONG_MESSAGE
    return {
        "state": state.value,
        "label": state.label,
        # The API's word, where the label has not said it already.
        "status": "" if launch.status.lower() in state.label.lower().split() else launch.status,
        "reason": reason[:_LONG_MESSAGE] + "…" if is_long else reason,
        "whole": reason if is_long else "",
        "analysis": launch.analysis_id or "",
        "link": launch.link or "",
    }


def _notes(row: Row) -> str:
    notes = [f"attempt {row.launch.attempt + 1}"] if row.launch.attempt else []
    notes += ["launched by someone else"] if row.adopted else []
    return ", ".join(notes)


_BLANK: dict[str, Any] = {
    **dict.fromkeys("reference kind pipeline notes state label status reason whole analysis link".split(), ""),
    **dict.fromkeys("rank started startedAt duration seconds".split(), ""),
    "earlier": [],
}


def _data(rows: list[dict[str, Any]]) -> Markup:
    """Names once, then each row's values: a third less than a name for each value."""
    names = list(_BLANK)
    data = {"names": names, "rows": [[row[name] for name in names] for row in rows]}
    return htmlsafe_json_dumps(data, dumps=partial(json.dumps, ensure_ascii=False, separators=(",", ":")))
