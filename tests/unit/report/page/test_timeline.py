"""When what ran, as lanes."""

from __future__ import annotations

import pytest
from report_lockfiles import locked

from manifest_runner.lockfile.model import LockedBatch, Lockfile
from manifest_runner.report.page.charts import lane_chart
from manifest_runner.report.page.timeline import MOST_ANALYSES, MOST_BATCHES, Timeline, make_timeline
from manifest_runner.report.states import State
from manifest_runner.report.summary import summarise


def at(minute: int) -> str:
    return f"2026-11-23T{10 + minute // 60}:{minute % 60:02}:00Z"


def batch(minute: int, items: int = 1) -> LockedBatch:
    return LockedBatch("k", items, "SUCCEEDED", at(minute))


def timeline_of(lockfile: Lockfile) -> Timeline:
    timeline = make_timeline(summarise(lockfile))
    assert timeline
    return timeline


def test_without_any_time_there_is_no_timeline(empty: Lockfile) -> None:
    empty.items["a"] = locked("RUNNING")
    assert make_timeline(summarise(empty)) is None


def test_an_analysis_is_a_bar_below_its_batch(empty: Lockfile) -> None:
    empty.batches["b1"] = batch(0)
    empty.items = {
        "later": locked(analysis="INPROGRESS", start=at(50)),
        "first": locked(analysis="SUCCEEDED", start="2026-11-23T11:25:00+01:00", end=at(100)),
    }
    lanes = timeline_of(empty).lanes
    assert [lane.label for lane in lanes] == ["Batch of 1 item", "first", "later"]
    assert (lanes[0].mark, lanes[0].ended) == (0, None)
    (first,), (later,) = lanes[1].spans, lanes[2].spans
    assert (first.start, first.end, first.state) == (0.25, 1.0, State.SUCCEEDED)
    assert (later.start, later.end) == (0.5, 1.0)
    assert (lanes[1].seconds, lanes[2].seconds) == (4500, None)


def test_a_batch_ends_with_its_last_analysis(empty: Lockfile) -> None:
    empty.batches["b1"] = batch(0)
    empty.items = {
        "a": locked(analysis="SUCCEEDED", start=at(5), end=at(90)),
        "b": locked(analysis="FAILED", start=at(5), end="2026-11-23T12:00:00+01:00"),
    }
    assert timeline_of(empty).lanes[0].ended == at(90)


def test_what_others_launched_stands_last(empty: Lockfile) -> None:
    empty.batches["b1"] = batch(0)
    empty.items = {"a": locked(analysis="SUCCEEDED", start=at(1), batch_id=None, adopted=True)}
    assert [lane.label for lane in timeline_of(empty).lanes] == ["Batch of 1 item", "1 item without a batch", "a"]


def test_many_analyses_are_drawn_as_how_many_ran_at_a_time(empty: Lockfile) -> None:
    empty.batches["b1"] = batch(0, 2 * MOST_ANALYSES)
    for n in range(MOST_ANALYSES):
        empty.items[f"short-{n}"] = locked(analysis="SUCCEEDED", start=at(0), end=at(60))
        empty.items[f"long-{n}"] = locked(analysis="SUCCEEDED", start=at(0), end=at(120))
    timeline = timeline_of(empty)
    assert timeline.is_crowded
    (lane,) = timeline.lanes
    assert [(span.start, span.end, span.height) for span in lane.spans] == [(0, 0.5, 1), (0.5, 1, 0.5)]


def test_only_so_many_batches_are_drawn_and_the_rest_is_counted(empty: Lockfile) -> None:
    empty.batches = {f"b{n}": batch(n) for n in range(MOST_BATCHES + 3)}
    timeline = timeline_of(empty)
    assert (len(timeline.lanes), timeline.hidden_batches) == (MOST_BATCHES, 3)


@pytest.mark.parametrize(
    ("first", "last", "labels"),
    [
        ("2026-11-23T10:02:00Z", "2026-11-23T11:50:00Z", ["10:30", "11:00", "11:30"]),
        ("2026-11-23T10:00:00Z", "2026-11-23T10:00:03Z", ["10:00:00", "10:00:01", "10:00:02", "10:00:03"]),
        ("2026-11-23T22:00:00Z", "2026-11-24T02:00:00Z", ["11-23 22:00", "11-23 23:00", "11-24 00:00", "11-24 01:00"]),
        ("2026-11-23T22:00:00Z", "2026-11-26T22:00:00Z", ["2026-11-24", "2026-11-25", "2026-11-26"]),
        ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z", ["10:00:00"]),
    ],
)
def test_the_axis_has_round_times(first: str, last: str, labels: list[str], empty: Lockfile) -> None:
    empty.items["a"] = locked(analysis="SUCCEEDED", start=first, end=last)
    assert [tick.label for tick in timeline_of(empty).ticks][:4] == labels


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"),
        ("9999-12-31T23:59:59.5Z", "9999-12-31T23:59:59.9Z"),
        ("2026-11-23T10:00:00Z", "1999-01-01T00:00:00Z"),
    ],
)
def test_odd_times_stay_within_the_chart(first: str, last: str, empty: Lockfile) -> None:
    empty.items["a"] = locked(analysis="SUCCEEDED", start=first, end=last)
    timeline = timeline_of(empty)
    places = [place for lane in timeline.lanes for span in lane.spans for place in (span.start, span.end)]
    assert all(0 <= place <= 1 for place in [*places, *(tick.at for tick in timeline.ticks)])


def test_a_bar_too_short_to_see_is_widened_inside_the_chart(empty: Lockfile) -> None:
    empty.batches["b1"] = batch(0)
    empty.items["a"] = locked(analysis="SUCCEEDED", start=at(600), end=at(600))
    svg = lane_chart(timeline_of(empty).lanes[1])
    assert 'x="99.600%" width="0.400%"' in svg
