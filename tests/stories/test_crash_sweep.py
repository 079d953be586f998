"""SIGKILL at every step that leaves the process, and power cuts: nothing is launched twice, nothing is forgotten.

The commands are real processes, the emulator's own record is the judge; and what was answered is not sent again, of
which that record would not know. ``-m slow`` kills thousands of times.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from crash_lab import FILE_STEPS, KILLED, POST, Checkout, Emulator, ForkServer, Place, changing, is_post

pytest_plugins = ["lab_plugin"]

COLLEAGUE = "another-users-key"
SAMPLES = ("s0", "s1", "s2", "s3")
FAILING = "^s[13]$"
RECORD = "fsync study.journal"


@dataclass(frozen=True)
class Story:
    """What happens before the command that is killed, that command, and how many executions there are in the end.

    ``recovery`` are more options of the run that recovers: with other batches and no search, neither keys nor stamps
    make up for what the journal forgets. Of the moments to die at, every ``stride``-th is taken.
    """

    arguments: tuple[str, ...] = ()
    recovery: tuple[str, ...] = ()
    before: Callable[[Checkout], None] = lambda _checkout: None
    executions: int = len(SAMPLES)
    stamp: bool = True
    fails_before: bool = False
    stride: int = 1


def run_and_fail(checkout: Checkout) -> None:
    assert checkout.run().code == 1


def colleague(*arguments: str) -> Callable[[Checkout], None]:
    """Somebody else's run of the same study, in a folder of their own."""

    def launch(checkout: Checkout) -> None:
        other = Checkout(checkout.place, checkout.folder.parent / "other", checkout.project, COLLEAGUE)
        other.write(SAMPLES)
        assert other.run(*arguments).code == 0

    return launch


STORIES = {
    "first run": Story(stride=2),
    "first run without stamps": Story(recovery=("--batch-size", "3"), stamp=False),
    "retry": Story(
        ("--retry-failed",),
        ("--batch-size", "1", "--adopt", "never"),
        run_and_fail,
        executions=len(SAMPLES) + 2,
        fails_before=True,
    ),
    "half adopted": Story(("--adopt", "now"), before=colleague("--limit", "3"), stride=2),
    "all adopted": Story(("--adopt", "now"), before=colleague(), stride=2),
}


@dataclass
class Sweep:
    """Makes as many checkouts as are asked for, each of a project of its own, and kills and recovers in them.

    ``earlier`` is how many batches there are before the command that is killed.
    """

    story: Story
    emulator: Emulator
    server: ForkServer
    folder: Path
    kills: int = 0
    earlier: int = 0

    def __post_init__(self) -> None:
        self._numbers = count()

    def checkouts(self, number: int) -> Iterator[Checkout]:
        """Checkouts in which all that comes before has happened."""
        failing = {"fail_creation": FAILING} if self.story.fails_before else {}
        place = Place(self.server, self.emulator.start(**failing), self.emulator.database)
        made = [self._checkout(place) for _ in range(number)]
        if failing:
            self.emulator.start()
        yield from made

    def _checkout(self, place: Place) -> Checkout:
        checkout = Checkout(place, self.folder / f"{next(self._numbers)}" / "study")
        checkout.write(SAMPLES, stamp=self.story.stamp)
        self.story.before(checkout)
        return checkout

    def steps(self) -> list[str]:
        """The steps of the command when nothing kills it."""
        (checkout,) = self.checkouts(1)
        ended = checkout.run(*self.story.arguments)
        assert ended.code == 0, ended.err
        self._check(checkout)
        self.earlier = len(checkout.locked()["batches"]) - ended.steps.count(POST)
        return ended.steps

    def kill(self, checkout: Checkout, step: int, when: str = "before", **more: object) -> None:
        ended = checkout.run_at(step, when, *self.story.arguments, **more)
        assert ended.code in (KILLED, 0), ended.err
        self.kills += ended.code == KILLED

    def recover(self, checkout: Checkout, what: str, answered: int | None = None) -> None:
        """``answered`` is how many batches need not be sent any more, where that is known."""
        ended = checkout.run(*self.story.arguments, *self.story.recovery)
        assert ended.code == 0, f"after a kill {what}: exit {ended.code}\n{ended.err}"
        again = ended.steps.count(POST) + (answered or 0) + self.earlier - len(checkout.locked()["batches"])
        assert answered is None or again == 0, f"after a kill {what}: sent {again} answered batch(es) again"
        try:
            self._check(checkout)
        except (AssertionError, KeyError) as e:
            raise AssertionError(f"after a kill {what}: {e!r}") from e

    def _check(self, checkout: Checkout) -> None:
        checkout.assert_executed_once(self.story.executions)
        checkout.assert_settled(SAMPLES)


def of_stories(*names: str) -> pytest.MarkDecorator:
    """The stories of a test, where one is as good as another."""
    return pytest.mark.parametrize("sweep", names, indirect=True)


@pytest.fixture(name="sweep", params=STORIES)
def _sweep(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    server: ForkServer,
    durable: Emulator,
    record_property: Callable[[str, object], None],
) -> Iterator[Sweep]:
    sweep = Sweep(STORIES[request.param], durable, server, tmp_path)
    yield sweep
    record_property("kills", sweep.kills)


def moments(steps: list[str]) -> list[tuple[int, str]]:
    """Before every step, and after those that the emulator may or may not act upon or that leave an empty file."""
    before = [(step, "before") for step in changing(steps)]
    return before + [
        (step, "after") for step, name in enumerate(steps) if name.startswith("open") or is_post(steps, step)
    ]


def answered(steps: list[str]) -> list[int]:
    """Of how many batches the journal has the answer when each of the steps is reached: it is written at once."""
    counts, done, sent = [], 0, ""
    for before in ["", *steps[:-1]]:
        sent = before if before.startswith(("send POST", "send GET")) else sent
        done += (before, sent) == ("receive", POST)
        counts.append(done)
    return counts


def test_a_run_that_is_killed_at_any_step_is_finished_by_the_next(sweep):
    steps = sweep.steps()
    chosen, done = moments(steps)[:: sweep.story.stride], answered(steps)
    for checkout, (step, when) in zip(sweep.checkouts(len(chosen)), chosen, strict=True):
        sweep.kill(checkout, step, when)
        sweep.recover(checkout, f"{when} step {step}, {steps[step]!r}", done[step])
    assert sweep.kills == len(chosen)


@of_stories("first run", "retry")
def test_a_recovering_run_may_be_killed_too(sweep):
    steps = sweep.steps()
    dice = random.Random(len(steps))
    first = [step for step, name in enumerate(steps) if "journal" in name or name == "receive"]
    for checkout, step in zip(sweep.checkouts(len(first)), first, strict=True):
        sweep.kill(checkout, step)
        again = dice.randrange(len(steps) * 2 // 3)
        sweep.kill(checkout, again)
        sweep.recover(checkout, f"before step {step}, {steps[step]!r}, and of the recovery before step {again}")


@of_stories("first run")
def test_a_record_that_is_torn_is_as_good_as_none(sweep):
    """The recovering run is killed, too, so that what it wrote where the torn record was is read again."""
    steps = sweep.steps()
    torn = [step for step, name in enumerate(steps) if name == RECORD]
    for number, (checkout, step) in enumerate(zip(sweep.checkouts(len(torn)), torn, strict=True)):
        cut = (1, 1, 80, 80)[number % 4]
        sweep.kill(checkout, step, "torn", cut=cut)
        sweep.kill(checkout, step=14)
        sweep.recover(checkout, f"before step {step} with {cut} bytes missing, and of the recovery")
    assert sweep.kills == 2 * len(torn)


def power_cuts(steps: list[str]) -> list[tuple[int, str]]:
    """Before every step that changes what a power cut leaves; an fsync of the journal is no matter of names."""
    files = [(step, name) for step, name in enumerate(steps) if name.startswith(FILE_STEPS)]
    ahead = [(step, "ahead") for step, name in files if name != RECORD]
    return [*((step, "behind") for step, _name in files), *ahead]


@of_stories("first run without stamps")
def test_a_run_may_end_in_a_power_cut(sweep):
    """Before an fsync what was written is not on disk, so an answer counts from the next step on."""
    steps = sweep.steps()
    cuts, done = power_cuts(steps), [0, *answered(steps)]
    for checkout, (step, names) in zip(sweep.checkouts(len(cuts)), cuts, strict=True):
        sweep.kill(checkout, step, "power", names=names)
        what = f"by a power cut before step {step}, {steps[step]!r}, with names {names}"
        sweep.recover(checkout, what, done[step])


@of_stories("first run without stamps")
def test_what_a_killed_run_left_in_memory_is_on_disk_before_the_next_relies_on_it(sweep):
    steps = sweep.steps()
    for unsynced in (steps.index(RECORD), steps.index("replace study.lock.json") + 1):
        (whole,) = sweep.checkouts(1)
        sweep.kill(whole, unsynced)
        again = whole.run(*sweep.story.arguments).steps
        cuts = [(step, name) for step, name in enumerate(again) if name.startswith(FILE_STEPS)][:8]
        for checkout, (step, name) in zip(sweep.checkouts(len(cuts)), cuts, strict=True):
            sweep.kill(checkout, unsynced)
            sweep.kill(checkout, step, "power")
            sweep.recover(checkout, f"before {steps[unsynced]!r}, and of the recovery by a power cut before {name!r}")


@of_stories("first run", "half adopted")
def test_a_run_may_be_killed_at_any_time(sweep):
    dice = random.Random(20261123)
    for checkout in sweep.checkouts(6):
        after = dice.uniform(0.005, 0.08)
        ended = checkout.run(*sweep.story.arguments, alarm=after)
        sweep.kills += ended.code < 0
        sweep.recover(checkout, f"after {after:.4f} s")


@pytest.mark.slow
def test_two_runs_may_be_killed_at_any_pair_of_steps(sweep):
    """Each second time by a power cut."""
    steps = sweep.steps()
    every = [(first, second) for first in range(len(steps)) for second in range(0, len(steps), 3)]
    for at in range(0, len(every), 100):
        pairs = every[at : at + 100]
        for checkout, (first, second) in zip(sweep.checkouts(len(pairs)), pairs, strict=True):
            sweep.kill(checkout, first)
            sweep.kill(checkout, second, ("before", "power")[(first + second) % 2])
            sweep.recover(checkout, f"before step {first}, {steps[first]!r}, and then before step {second}")


@pytest.mark.slow
def test_three_runs_may_be_killed_at_any_time(sweep):
    dice = random.Random()
    for checkout in sweep.checkouts(100):
        for _ in range(3):
            ended = checkout.run(*sweep.story.arguments, alarm=dice.uniform(0.002, 0.1))
            sweep.kills += ended.code < 0
        sweep.recover(checkout, "three times")
