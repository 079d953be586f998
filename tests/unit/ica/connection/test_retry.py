from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_runner.ica.connection.retry import (
    DELAYS,
    LONGEST_CONFLICT_PAUSE,
    SPREAD,
    Deadline,
    pause_after_conflict,
    pause_after_failure,
    read_retry_after,
)

JITTER = st.floats(0, 1, exclude_max=True)
ASKED = st.none() | st.floats(0, 1e9)
NOW = datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC)


def test_the_schedule_is_half_two_ten_and_thirty_seconds():
    assert [pause_after_failure(n, 0.0) for n in range(1, 6)] == [0.5, 2.0, 10.0, 30.0, None]


def test_conflicts_are_asked_again_without_an_end():
    pauses = [pause_after_conflict(n, 0.0) for n in (1, 2, 3, 4, 5, 10_000)]
    assert pauses == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]


@given(st.integers(1, len(DELAYS)), JITTER, ASKED)
def test_no_pause_is_shorter_than_the_server_or_the_schedule_wants(failures, jitter, asked):
    wanted = DELAYS[failures - 1] if asked is None else asked
    pause = pause_after_failure(failures, jitter, asked)
    assert pause is not None
    assert pause >= wanted
    assert pause <= max(wanted, DELAYS[0]) * (1 + SPREAD) + SPREAD


@given(st.integers(1, 10**6), JITTER)
def test_a_pause_after_a_conflict_stays_short(conflicts, jitter):
    assert DELAYS[0] <= pause_after_conflict(conflicts, jitter) <= LONGEST_CONFLICT_PAUSE * (1 + SPREAD)


@given(st.integers(len(DELAYS) + 1, 10**6), JITTER, ASKED)
def test_nothing_the_server_asks_makes_the_schedule_longer(failures, jitter, asked):
    assert pause_after_failure(failures, jitter, asked) is None


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_jitter_never_means_a_shorter_pause(one, other):
    low, high = sorted((one, other))
    assert pause_after_failure(3, low) <= pause_after_failure(3, high)


def test_a_server_that_asks_for_no_pause_gets_the_shortest():
    assert pause_after_failure(4, 0.0, 0.0) == DELAYS[0]
    assert pause_after_conflict(9, 0.0, 0.0) == DELAYS[0]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        (format_datetime(NOW.replace(second=42), usegmt=True), 42.0),
        ("Mon, 23 Nov 2026 10:00:42 -0000", 42.0),
        ("Mon, 23 Nov 2026 11:00:42 +0100", 42.0),
        ("Sun, 22 Nov 2026 10:00:00 GMT", 0.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("-3", None),
        ("1.5", None),
        ("٣", None),
        ("Mon, 99 Nov 2026 10:00:00 GMT", None),
        ("Mon, 23 Nov 2026 99999999999999999999:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header, seconds):
    assert read_retry_after(header, NOW.timestamp()) == seconds


def test_an_absurd_number_of_seconds_is_just_too_long():
    assert read_retry_after("9" * 5000, 0.0) == float("inf")


@given(st.text(max_size=40))
def test_no_header_breaks_the_reading(header):
    seconds = read_retry_after(header, 0.0)
    assert seconds is None or seconds >= 0


def test_a_deadline_counts_down_to_zero_and_stays_there():
    now = 100.0
    deadline = Deadline.after(5, lambda: now)
    assert deadline.left() == 5
    now = 103.0
    assert deadline.left() == 2
    now = 999.0
    assert deadline.left() == 0


def test_what_does_not_speak_http_does_not_load_the_library_for_it():
    rooms = {"ica": "responses, endpoints", "ica.connection": "config, retry, problem, server_url"}
    imports = "; ".join(f"from manifest_runner.{room} import {modules}" for room, modules in rooms.items())
    code = f"{imports}; import sys; sys.exit('requests' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
