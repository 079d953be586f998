"""The number of analyses that ran at a time, by outcome: the values of a stacked chart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import accumulate, groupby

import msgspec

from manifest_runner.report.page.timeline import Scale, Tick, time_scale, time_ticks
from manifest_runner.report.rows import Row
from manifest_runner.report.states import State
from manifest_runner.report.summary import Summary
from manifest_runner.timestamps import moment

BINS = 120
# From the bottom of the chart to its top.
OUTCOMES = (State.SUCCEEDED, State.RUNNING, State.ABORTED, State.ANALYSIS_FAILED)


class Block(msgspec.Struct, frozen=True):
    """``start`` to ``end`` of the time axis and ``low`` to ``high`` of the most that ran at once, each from 0 to 1."""

    state: State
    start: float
    end: float
    low: float
    high: float


class Running(msgspec.Struct, frozen=True):
    """``most`` is the largest number that ran at the same time."""

    blocks: tuple[Block, ...]
    ticks: tuple[Tick, ...]
    most: int


_Span = tuple[float, float, State]


def make_running(summary: Summary) -> Running | None:
    """None if fewer than two analyses have a start: then there is nothing to show."""
    scale = time_scale(summary)
    if scale is None:
        return None
    spans = list(_spans(summary.rows, scale))
    if len(spans) < 2:
        return None
    most = _most_at_once(spans)
    return Running(tuple(_blocks(spans, most)), tuple(time_ticks(scale)), most)


def _spans(rows: Iterable[Row], scale: Scale) -> Iterator[_Span]:
    """A launch without an end lasts until the last known time."""
    for launch in (each for row in rows for each in (row.launch, *row.earlier)):
        start, end = moment(launch.started), moment(launch.ended)
        if start is not None:
            first, last = scale.at(start), _at(end, scale)
            yield first, max(first, last), launch.state if launch.state in OUTCOMES else State.RUNNING


def _at(time: datetime | None, scale: Scale) -> float:
    return 1.0 if time is None else scale.at(time)


def _most_at_once(spans: Sequence[_Span]) -> int:
    """An analysis that ends at the moment another one starts does not overlap with it."""
    changes = sorted([(start, 1) for start, _, _ in spans] + [(max(end, start + 1e-9), -1) for start, end, _ in spans])
    return max(accumulate(change for _, change in changes))


def _blocks(spans: Sequence[_Span], most: int) -> Iterator[Block]:
    """For each outcome, the average number in each of `BINS` parts of the time, on top of the outcomes below."""
    floor = [0.0] * BINS
    for outcome in OUTCOMES:
        running = _averages((start * BINS, end * BINS) for start, end, state in spans if state is outcome)
        roof = [low + share / most for low, share in zip(floor, running, strict=True)]
        yield from _merged(outcome, floor, roof)
        floor = roof


def _averages(spans: Iterable[tuple[float, float]]) -> list[float]:
    """The average number of these spans, which are given in bins, for each bin."""
    edges, changes = [0.0] * BINS, [0] * (BINS + 1)
    for start, end in spans:
        first, last = min(int(start), BINS - 1), min(int(end), BINS - 1)
        if first == last:
            edges[first] += end - start
        else:  # a part of the first bin, a part of the last, and all of those between them
            edges[first] += first + 1 - start
            edges[last] += end - last
            changes[first + 1] += 1
            changes[last] -= 1
    return [edge + whole for edge, whole in zip(edges, accumulate(changes[:BINS]), strict=True)]


def _merged(state: State, floor: list[float], roof: list[float]) -> Iterator[Block]:
    """Neighbours of the same height are one block."""
    heights = [(round(low, 4), round(high, 4)) for low, high in zip(floor, roof, strict=True)]
    for (low, high), same in groupby(range(BINS), heights.__getitem__):
        bins = list(same)
        if high > low:
            yield Block(state, bins[0] / BINS, (bins[-1] + 1) / BINS, low, min(high, 1.0))
