"""The charts of the page as SVG. Positions are percentages, so that they fit any width without a script."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from manifest_runner.report.page.running import Block, Running
from manifest_runner.report.page.timeline import Lane, Span, Tick
from manifest_runner.report.summary import Summary

_THINNEST = 0.4  # per cent; anything shorter would be invisible


def state_bar(summary: Summary) -> Markup:
    """All items as one bar, a part for each state."""
    parts: list[Markup] = []
    at = 0.0
    for state, count in summary.counts.items():
        width = 100 * count / len(summary.rows)
        part = '<rect data-state="{}" x="{:.3f}%" width="{:.3f}%" height="100%"><title>{}: {}</title></rect>'
        parts.append(Markup(part).format(state.value, at, width, state.label, f"{count:,}"))  # noqa: S704
        at += width
    svg = '<svg class="bar" role="img" aria-label="{}">{}</svg>'
    return Markup(svg).format(summary.in_words, Markup().join(parts))  # noqa: S704


def running_chart(running: Running) -> Markup:
    """The number of analyses that ran at a time, stacked by outcome. Its caption is beside it."""
    return Markup('<svg class="running" aria-hidden="true">{}</svg>').format(Markup().join(map(_block, running.blocks)))


def _block(block: Block) -> Markup:
    rect = '<rect data-state="{}" x="{:.3f}%" width="{:.3f}%" y="{:.2f}%" height="{:.2f}%"/>'
    # A little wider, so that rounding leaves no gap between neighbors.
    width, height = 100 * (block.end - block.start) + 0.1, 100 * (block.high - block.low)
    return Markup(rect).format(block.state.value, 100 * block.start, width, 100 - 100 * block.high, height)  # noqa: S704


def lane_chart(lane: Lane) -> Markup:
    """A lane without text: its times are beside it."""
    spans = Markup().join(map(_span, lane.spans))
    mark = "" if lane.mark is None else Markup('<circle cx="{:.3f}%" cy="50%" r="4"/>').format(100 * lane.mark)
    return Markup('<svg class="lane" aria-hidden="true">{}{}</svg>').format(spans, mark)


def _span(span: Span) -> Markup:
    width = max(100 * (span.end - span.start), _THINNEST)
    start = min(100 * span.start, 100 - width)
    rect = '<rect data-state="{}" x="{:.3f}%" width="{:.3f}%" y="{:.1f}%" height="{:.1f}%"/>'
    height = 100 * span.height
    return Markup(rect).format(span.state.value, start, width, 100 - height, height)  # noqa: S704


def axis(ticks: Iterable[Tick]) -> Markup:
    """The times above the lanes; labels at the edges stay inside."""
    marks = Markup().join(_tick(tick) for tick in ticks)
    return Markup('<svg class="axis" aria-hidden="true">{}</svg>').format(marks)


def _tick(tick: Tick) -> Markup:
    at = f"{100 * tick.at:.3f}%"
    anchor = "start" if tick.at < 0.06 else "end" if tick.at > 0.94 else "middle"
    text = '<line x1="{0}" x2="{0}" y1="70%" y2="100%"/><text x="{0}" y="60%" text-anchor="{1}">{2}</text>'
    return Markup(text).format(at, anchor, tick.label)  # noqa: S704
