"""The edges of the timetable, to the moment."""

from __future__ import annotations

import pytest

from manifest_runner.emulator.protocol.timestamps import timestamp
from manifest_runner.emulator.store.timetable import (
    Fate,
    analysis_state,
    item_status,
    job_status,
    settled_at,
)

REQUESTED, DURATION = 1000.0, 100.0


def status(now, fate=Fate.SUCCEEDS, aborted=None):
    return analysis_state(REQUESTED + now, REQUESTED, DURATION, fate, aborted and REQUESTED + aborted).status


@pytest.mark.parametrize("item_id", ["00", "7f", "ff"])
def test_every_item_is_settled_in_the_second_half_of_the_delay(item_id):
    assert 100.5 <= settled_at(100.0, 1.0, item_id) <= 101.0


def test_an_item_is_settled_at_its_moment_and_not_before():
    assert [item_status(now, 100.0, 101.0, Fate.SUCCEEDS) for now in (100.0, 100.5, 100.999, 101.0)] == [
        "WAITING_RESOURCES", "RUNNING", "RUNNING", "SUCCEEDED",
    ]  # fmt: skip


def test_an_analysis_that_is_to_fail_runs_like_any_other_until_it_ends():
    assert [status(now, Fate.ANALYSIS_FAILS) for now in (50, 99.9, 100)] == [
        "IN_PROGRESS", "GENERATING_OUTPUTS", "FAILED",
    ]  # fmt: skip


def test_an_abort_begins_to_show_a_twentieth_and_is_done_three_twentieths_of_the_duration_later():
    assert [status(now, aborted=50) for now in (50, 54.9, 55.1, 64.9, 65, 1000)] == [
        "IN_PROGRESS", "IN_PROGRESS", "ABORTING", "ABORTING", "ABORTED", "ABORTED",
    ]  # fmt: skip


def test_an_abort_of_a_long_analysis_takes_no_longer():
    hour = analysis_state(REQUESTED + 65, REQUESTED, 3600.0, Fate.SUCCEEDS, REQUESTED + 50)
    assert (hour.status, hour.ended) == ("ABORTED", REQUESTED + 65)


def test_an_abort_that_comes_too_late_changes_nothing():
    assert status(200, aborted=96) == "SUCCEEDED"


def test_what_was_aborted_before_it_started_never_started():
    assert analysis_state(1100.0, REQUESTED, DURATION, Fate.SUCCEEDS, REQUESTED).started is None


def test_without_a_duration_an_analysis_is_final_at_once():
    assert analysis_state(REQUESTED, REQUESTED, 0.0, Fate.SUCCEEDS, None).status == "SUCCEEDED"


def test_a_job_without_delay_is_done_at_once():
    assert job_status(100.0, 100.0, 100.0, 2, 1) == "PARTIALLY_SUCCEEDED"


def test_a_clock_that_was_set_back_does_no_harm():
    assert status(-50) == "REQUESTED"
    assert item_status(50.0, 100.0, 101.0, Fate.SUCCEEDS) == "WAITING_RESOURCES"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "1970-01-01T00:00:00.000Z"), (1_800_000_000.0625, "2027-01-15T08:00:00.062Z")]
)
def test_times_are_in_utc_to_the_millisecond(seconds, text):
    assert timestamp(seconds) == text
