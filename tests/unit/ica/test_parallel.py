"""Many requests are sent a few at a time, and their results come in order."""

from __future__ import annotations

from threading import Event, Lock

import pytest

from manifest_runner.ica.parallel import AT_A_TIME, in_parallel


def test_answers_come_in_order_and_no_more_than_four_are_in_work():
    lock, working, most = Lock(), 0, 0

    def ask(value: int) -> int:
        nonlocal working, most
        with lock:
            working += 1
            most = max(most, working)
        Event().wait(0.002)
        with lock:
            working -= 1
        return value * 2

    assert list(in_parallel(ask, range(50))) == [(value, value * 2) for value in range(50)]
    assert 1 < most <= AT_A_TIME


def test_an_error_does_not_wait_for_the_others():
    forever = Event()

    def ask(value: int) -> None:
        if value == 0:
            raise ValueError("no")
        forever.wait(60)

    with pytest.raises(ValueError, match="no"):
        list(in_parallel(ask, range(4)))
    forever.set()


def test_a_single_question_takes_no_thread():
    assert list(in_parallel(str, [])) == []
    assert list(in_parallel(str, [1])) == [(1, "1")]
