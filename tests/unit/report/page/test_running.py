"""How many analyses ran at a time, as a stacked chart."""

from __future__ import annotations

import pytest
from report_lockfiles import locked

from manifest_runner.lockfile.model import Lockfile
from manifest_runner.report.page.charts import running_chart
from manifest_runner.report.page.running import Running, make_running
from manifest_runner.report.states import State
from manifest_runner.report.summary import summarise


def at(minute: int) -> str:
    return f"2026-11-23T{10 + minute // 60}:{minute % 60:02}:00Z"


def running_of(lockfile: Lockfile) -> Running:
    running = make_running(summarise(lockfile))
    assert running
    return running


@pytest.mark.parametrize("starts", [[], [at(0)]])
def test_there_is_no_chart_of_fewer_than_two_analyses(starts: list[str], empty: Lockfile) -> None:
    empty.items = {start: locked(analysis="INPROGRESS", start=start) for start in starts}
    empty.items["waiting"] = locked("RUNNING")
    assert make_running(summarise(empty)) is None


def test_outcomes_are_stacked_and_the_most_is_the_full_height(empty: Lockfile) -> None:
    empty.items = {
        "good": locked(analysis="SUCCEEDED", start=at(0), end=at(120)),
        "bad": locked(analysis="FAILED", start=at(0), end=at(60)),
    }
    running = running_of(empty)
    assert running.most == 2
    assert [(block.state, block.start, block.end, block.low, block.high) for block in running.blocks] == [
        (State.SUCCEEDED, 0, 1, 0, 0.5),
        (State.ANALYSIS_FAILED, 0, 0.5, 0.5, 1),
    ]


def test_one_after_the_other_is_one_at_a_time(empty: Lockfile) -> None:
    empty.items = {str(n): locked(analysis="SUCCEEDED", start=at(n), end=at(n + 1)) for n in range(240)}
    running = running_of(empty)
    assert running.most == 1
    assert [(block.low, block.high) for block in running.blocks] == [(0, 1)]
    empty.items |= {f"last-{n}": locked(analysis="SUCCEEDED", start=at(241), end=at(242)) for n in range(3)}
    assert running_of(empty).most == 3


def test_what_has_not_ended_runs_to_the_end(empty: Lockfile) -> None:
    empty.items = {
        "open": locked(analysis="INPROGRESS", start=at(60)),
        "good": locked(analysis="SUCCEEDED", start=at(0), end=at(120)),
    }
    (good, still) = running_of(empty).blocks
    assert (good.state, still.state) == (State.SUCCEEDED, State.RUNNING)
    assert (still.start, still.end) == (0.5, 1)


def test_earlier_launches_ran_too(empty: Lockfile) -> None:
    first = locked(analysis="FAILED", start=at(0), end=at(60))
    empty.items["a"] = locked(analysis="SUCCEEDED", start=at(60), end=at(120), previous=(first,))
    assert {block.state for block in running_of(empty).blocks} == {State.SUCCEEDED, State.ANALYSIS_FAILED}


def test_odd_times_stay_within_the_chart(empty: Lockfile) -> None:
    empty.items = {
        "backwards": locked(analysis="SUCCEEDED", start=at(9), end=at(1)),
        "never": locked(analysis="ABORTED", start="0001-01-01T00:00:00Z", end="9999-12-31T23:59:59Z"),
    }
    running = running_of(empty)
    places = [place for b in running.blocks for place in (b.start, b.end, b.low, b.high)]
    assert all(0 <= place <= 1 for place in places)
    assert "NaN" not in running_chart(running)
