"""Many requests are sent a few at a time, and their results come in order."""

from __future__ import annotations

from threading import Event, Lock

import pytest

from manifest_runner.errors import Refused, Unreachable
from manifest_runner.ica.parallel import AT_A_TIME, each_in_parallel, in_parallel


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


def answers(errors: dict[int, Exception], count: int = 9) -> tuple[list[int], Exception | None]:
    """The values that were answered before the error, and the error."""

    def ask(value: int) -> int:
        if value in errors:
            raise errors[value]
        return value * value

    seen = []
    try:
        for value, answer in each_in_parallel(ask, range(count)):
            assert answer == value * value
            seen.append(value)
    except (Refused, Unreachable) as e:
        return seen, e
    return seen, None


@pytest.mark.parametrize("count", [1, 9])
def test_a_refusal_of_one_keeps_no_other_from_its_answer(count):
    refusals = {0: Refused("no 0", status=400), 5: Refused("no 5", status=409)}
    seen, error = answers(refusals, count)
    assert (seen, str(error)) == ([value for value in range(count) if value not in refusals], "no 0")


@pytest.mark.parametrize("error", [*(Refused("no", status=status) for status in (401, 403, 405)), Unreachable("lost")])
def test_what_concerns_all_is_raised_at_once(error):
    assert answers({2: error}) == ([0, 1], error)
