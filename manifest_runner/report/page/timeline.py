"""The times of batches and analyses, as lanes with spans between 0 (the first known time) and 1 (the last)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

import msgspec

from manifest_runner.report.rows import Row
from manifest_runner.report.states import State
from manifest_runner.report.summary import BatchRow, Summary
from manifest_runner.report.times import seconds_between
from manifest_runner.text import counted
from manifest_runner.timestamps import moment, moment_or_first

# Up to this many analyses each have a lane; with more, each batch shows how many ran at a time.
MOST_ANALYSES = 40
MOST_BATCHES = 40
BINS = 120
_MOST_TICKS = 5
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_STEPS = (1, 5, 15, 30, _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, _HOUR, 2 * _HOUR, 4 * _HOUR, 12 * _HOUR, _DAY)


class Span(msgspec.Struct, frozen=True):
    """``height`` is 1 for a single analysis, otherwise the share of the maximum. ``state`` decides the colour."""

    start: float
    end: float
    state: State
    height: float = 1.0


class Lane(msgspec.Struct, frozen=True):
    """A batch with its ``mark`` (when it was sent) or one analysis. Times are RFC 3339 text."""

    label: str
    note: str
    is_batch: bool
    started: str | None
    ended: str | None
    mark: float | None
    spans: tuple[Span, ...]

    @property
    def seconds(self) -> float | None:
        return seconds_between(self.started, self.ended)


class Tick(msgspec.Struct, frozen=True):
    """A time below the axis: ``at`` is a fraction of the scale."""

    at: float
    label: str


class Timeline(msgspec.Struct, frozen=True):
    """``is_crowded``: the lanes are batches whose spans show how many analyses ran at a time."""

    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    hidden_batches: int
    is_crowded: bool


class Scale(msgspec.Struct, frozen=True):
    """From the first time that the lockfile knows to the last."""

    first: datetime
    last: datetime

    @property
    def seconds(self) -> float:
        """Never 0, so that a single moment is a scale too."""
        return max((self.last - self.first).total_seconds(), 1.0)

    def at(self, time: datetime) -> float:
        return (time - self.first).total_seconds() / self.seconds


def make_timeline(summary: Summary) -> Timeline | None:
    """None if no time is known."""
    scale = time_scale(summary)
    if scale is None:
        return None
    lanes: list[Lane] = []
    groups = _groups(summary)
    is_crowded = sum(moment(row.launch.started) is not None for row in summary.rows) > MOST_ANALYSES
    for batch, rows in groups[:MOST_BATCHES]:
        lanes += [_crowd(batch, rows, scale)] if is_crowded else _lanes(batch, rows, scale)
    return Timeline(tuple(lanes), tuple(time_ticks(scale)), max(0, len(groups) - MOST_BATCHES), is_crowded)


def time_scale(summary: Summary) -> Scale | None:
    """None if no time is known."""
    texts = [batch.submitted_at for batch in summary.batches]
    launches = (launch for row in summary.rows for launch in (row.launch, *row.earlier))
    texts += [text for launch in launches for text in (launch.started, launch.ended) if text]
    times = [time for time in map(moment, texts) if time]
    return Scale(min(times), max(times)) if times else None


def _groups(summary: Summary) -> list[tuple[BatchRow | None, list[Row]]]:
    """Every batch with its items; last, the items without a batch: adopted ones, and those of a lost batch."""
    known = {batch.id: batch for batch in summary.batches}
    rows: dict[str | None, list[Row]] = {}
    for row in summary.rows:
        rows.setdefault(row.launch.batch_id if row.launch.batch_id in known else None, []).append(row)
    groups: list[tuple[BatchRow | None, list[Row]]] = [(batch, rows.get(batch.id, [])) for batch in summary.batches]
    return [*groups, (None, rows[None])] if rows.get(None) else groups


def _lanes(batch: BatchRow | None, rows: Sequence[Row], scale: Scale) -> Iterator[Lane]:
    yield _batch_lane(batch, rows, scale, ())
    for row in sorted(rows, key=lambda row: (moment_or_first(row.launch.started), row.reference)):
        span = _span(row, scale)
        if span:
            yield Lane(row.reference, "", False, row.launch.started, row.launch.ended, None, (span,))


def _crowd(batch: BatchRow | None, rows: Sequence[Row], scale: Scale) -> Lane:
    return _batch_lane(batch, rows, scale, tuple(_heights(rows, scale)))


def _batch_lane(batch: BatchRow | None, rows: Sequence[Row], scale: Scale, spans: tuple[Span, ...]) -> Lane:
    if batch is None:
        return Lane(f"{counted(len(rows), 'item')} without a batch", "", True, None, None, None, spans)
    sent = moment(batch.submitted_at)
    ends = [row.launch.ended for row in rows if moment(row.launch.ended)]
    done = max(ends, key=moment_or_first) if ends and all(row.launch.state.tone != "open" for row in rows) else None
    mark = None if sent is None else scale.at(sent)
    return Lane(f"Batch of {counted(batch.items, 'item')}", batch.id, True, batch.submitted_at, done, mark, spans)


def _span(row: Row, scale: Scale) -> Span | None:
    """A launch without an end lasts until the last known time."""
    start, end = moment(row.launch.started), moment(row.launch.ended)
    if start is None:
        return None
    return Span(scale.at(start), max(scale.at(start), 1.0 if end is None else scale.at(end)), row.launch.state)


def _heights(rows: Sequence[Row], scale: Scale) -> Iterator[Span]:
    """The number that ran at a time, in steps of a `BINS`-th."""
    changes = [0] * (BINS + 1)
    for span in filter(None, (_span(row, scale) for row in rows)):
        first = min(int(span.start * BINS), BINS - 1)
        changes[first] += 1
        changes[max(first + 1, min(round(span.end * BINS), BINS))] -= 1
    running = [sum(changes[: at + 1]) for at in range(BINS)]
    peak = max(running)
    for count, same in groupby(range(BINS), running.__getitem__):
        bins = list(same)
        if count:
            yield Span(bins[0] / BINS, (bins[-1] + 1) / BINS, State.RUNNING, count / peak)


def time_ticks(scale: Scale) -> Iterator[Tick]:
    """Marks at round times, at most `_MOST_TICKS` steps apart."""
    days = -(-int(scale.seconds) // (_DAY * _MOST_TICKS))
    step = next((step for step in _STEPS if scale.seconds / step <= _MOST_TICKS), days * _DAY)
    style = _style(scale, step)
    start = scale.first.timestamp()
    first = -(-start // step) * step - start
    for seconds in (first + number * step for number in range(_MOST_TICKS + 1)):
        if seconds <= (scale.last - scale.first).total_seconds():
            time = scale.first + timedelta(seconds=seconds)
            yield Tick(seconds / scale.seconds, f"{time:{style}}")


def _style(scale: Scale, step: int) -> str:
    if step >= _DAY:
        return "%Y-%m-%d"
    date = "" if scale.last.date() == scale.first.date() else "%m-%d "
    return date + ("%H:%M:%S" if step < _MINUTE else "%H:%M")
