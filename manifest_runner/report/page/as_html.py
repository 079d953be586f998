"""The report as one page that needs nothing else: no network, and no script to show the verdict and the failed items.

The page's content security policy allows its own style and script by their hashes and nothing more. All text is
escaped by Jinja; the data of the table is JSON in a data block, where ``<`` is written as an escape.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from functools import cache, partial
from hashlib import sha256
from importlib.resources import files
from typing import Any

import jinja2
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from manifest_runner.report.page.charts import axis, lane_chart, running_chart, state_bar
from manifest_runner.report.page.page_rows import BLANK, page_row
from manifest_runner.report.page.running import make_running
from manifest_runner.report.page.timeline import make_timeline
from manifest_runner.report.reasons import Reason, group_by_reason
from manifest_runner.report.source import ReportSource, command_for
from manifest_runner.report.summary import Summary
from manifest_runner.report.times import shown_duration, shown_time
from manifest_runner.text import counted

# Rows that are in the page itself, for readers without scripts: the first ones, that is, the failed ones.
_ROWS_WITHOUT_SCRIPT = 500
_MOST_REASONS = 10
_MOST_NAMED = 5
_LONG_MESSAGE = 300


def html_report(summary: Summary, source: ReportSource) -> str:
    """The whole page."""
    reasons = group_by_reason(summary.failed)
    rows = _rows(summary, reasons, source.pipeline_names)
    return _page().render(
        summary=summary,
        source=source,
        rows=rows[:_ROWS_WITHOUT_SCRIPT],
        blank=BLANK,
        data=_data(rows),
        columns=_columns(summary),
        constants=_constants(summary, source.pipeline_names),
        reasons=reasons[:_MOST_REASONS],
        most_named=_MOST_NAMED,
        long_message=_LONG_MESSAGE,
        other_reasons=len(reasons[_MOST_REASONS:]),
        running=make_running(summary),
        timeline=make_timeline(summary),
        bar=state_bar(summary),
        command=partial(_command, source, summary),
        style=Markup(_asset("page.css")),  # noqa: S704 - our own files
        script=Markup(_asset("page.js")),  # noqa: S704
        policy=_policy(),
    )


def _command(source: ReportSource, summary: Summary, name: str, *options: str) -> str:
    return command_for(name, source, summary.server, *options)


def _rows(summary: Summary, reasons: tuple[Reason, ...], pipelines: Mapping[str, str]) -> list[dict[str, Any]]:
    """Each row with the number of its reason on the page, None if it has none."""
    numbers = {row.reference: number for number, reason in enumerate(reasons) for row in reason.rows}
    return [page_row(row, numbers.get(row.reference), _LONG_MESSAGE, pipelines) for row in summary.rows]


def _constants(summary: Summary, pipelines: Mapping[str, str]) -> dict[str, str]:
    """Values that all items share appear once, in the header, and not in every row."""
    ids = {row.pipeline or "" for row in summary.rows}
    found = {"Kind": {row.kind for row in summary.rows}, "Pipeline": {pipelines.get(each, each) for each in ids}}
    return {name: next(iter(values)) for name, values in found.items() if len(values) == 1 and values != {""}}


def _columns(summary: Summary) -> list[tuple[str, str]]:
    """The columns of the table, as (key, heading)."""
    kinds, pipelines = ({getattr(row, name) for row in summary.rows} for name in ("kind", "pipeline"))
    has_price = any(row.launch.price for row in summary.rows)
    return [
        ("reference", "Item"),
        ("rank", "State"),
        ("reason", "Message"),
        *([("kind", "Kind")] if len(kinds) > 1 else []),
        *([("pipelineName", "Pipeline")] if len(pipelines) > 1 else []),
        ("startedAt", "Start (UTC)"),
        ("seconds", "Duration"),
        *([("amount", "Price")] if has_price else []),
        ("analysis", "Analysis"),
    ]


@cache
def _page() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(axis=axis, lane_chart=lane_chart, running_chart=running_chart, counted=counted)
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


def _data(rows: list[dict[str, Any]]) -> Markup:
    """Names once, then each row's values: a third less than a name for each value."""
    names = list(BLANK)
    data = {"names": names, "rows": [[row[name] for name in names] for row in rows]}
    return htmlsafe_json_dumps(data, dumps=partial(json.dumps, ensure_ascii=False, separators=(",", ":")))
