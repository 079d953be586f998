"""No more analyses run at once than the manifest allows, and what fails is launched again as often as was asked.

A run that is killed between two waves, or between a failure and the next attempt, is finished by the next run. The
emulator's own record is the judge.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from crash_lab import KILLED, POST, SAMPLES, Checkout, Emulator, ForkServer, Place

from manifest_runner.emulator.execution_record import most_unfinished

pytest_plugins = ["lab_plugin"]

MOST = 3
FAILING = ("s1", "s4")
WAVES = ("--wait", "finished", "--retries", "1")


class Lab:
    """Checkouts of one emulator, whose analyses of s1 and s4 always fail."""

    def __init__(self, emulator: Emulator, server: ForkServer, folder: Path, duration: float = 0.05) -> None:
        url = emulator.start(analysis_duration=duration, fail_analysis="^s[14]$")
        self._place = Place(server, url, emulator.database)
        self._folder = folder
        self._numbers = count()

    def checkout(self, head: str = f"maxRunning: {MOST}\n") -> Checkout:
        checkout = Checkout(self._place, self._folder / f"{next(self._numbers)}" / "study")
        checkout.write(head=head)
        return checkout


@pytest.fixture(name="lab")
def _lab(durable: Emulator, server: ForkServer, tmp_path: Path) -> Iterator[Lab]:
    yield Lab(durable, server, tmp_path)
    durable.stop()


def times(checkout: Checkout) -> Counter[str]:
    return Counter(each.user_reference for each in checkout.executed())


def assert_done(checkout: Checkout) -> None:
    """Each item ran once, each failing one twice, never too many at once."""
    assert times(checkout) == {sample: 1 + (sample in FAILING) for sample in SAMPLES}
    checkout.assert_executed_once(len(SAMPLES) + len(FAILING))
    assert most_unfinished(checkout.place.database, checkout.project) <= MOST
    items = checkout.locked()["items"]
    ends = {name: (item["analysis"]["status"], item["attempt"]) for name, item in items.items()}
    assert ends == {name: ("FAILED", 1) if name in FAILING else ("SUCCEEDED", 0) for name in SAMPLES}


def test_a_run_launches_in_waves_and_tries_again_what_fails(lab):
    checkout = lab.checkout()
    ended = checkout.run(*WAVES)
    assert ended.code == 1, ended.err
    assert_done(checkout)


def test_a_run_that_does_not_wait_launches_what_has_room_and_the_next_continues(lab):
    checkout = lab.checkout()
    ended = checkout.run("--limit", "6")
    assert ended.code in (0, 1), "what fails may have done so before the run ends"
    assert len(checkout.executed()) == MOST
    assert "3 more wait" in ended.err + ended.out
    for _ in range(10):
        ended = checkout.run()
        if len(checkout.executed()) == len(SAMPLES):
            break
    assert set(times(checkout).values()) == {1}
    assert most_unfinished(checkout.place.database, checkout.project) <= MOST


def test_launches_that_were_replaced_take_room_until_they_have_ended(durable, server, tmp_path):
    checkout = Lab(durable, server, tmp_path, duration=0.5).checkout()
    assert checkout.run("--limit", "2").code == 0
    checkout.write(head=f"maxRunning: {MOST}\n", depth="2")
    assert checkout.run("--wait", "finished", "--relaunch-changed").code == 1
    assert len(checkout.executed()) == 2 + len(SAMPLES)
    assert most_unfinished(checkout.place.database, checkout.project) <= MOST


def test_retries_stop_at_max_launches(lab):
    checkout = lab.checkout(head="maxLaunches: 8\n")
    ended = checkout.run(*WAVES)
    assert ended.code == 1
    assert len(checkout.executed()) == 8
    assert "maxLaunches" in ended.err


def test_waves_and_retries_that_are_killed_are_finished_by_the_next_run(lab, record_property):
    """Before each journal record, each POST and each answer, one after the other."""
    whole = lab.checkout()
    steps = whole.run(*WAVES).steps
    assert_done(whole)
    chosen = [step for step, name in enumerate(steps) if "journal" in name or name == POST or steps[step - 1] == POST]
    kills = 0
    for step in chosen[::3]:
        checkout = lab.checkout()
        kills += checkout.run_at(step, "before", *WAVES).code == KILLED
        ended = checkout.run(*WAVES)
        assert ended.code == 1, f"after a kill before step {step}, {steps[step]!r}: {ended.err}"
        assert_done(checkout)
    record_property("kills", kills)
