"""SIGKILL at every step of the commands that change what is known of launches without making any.

``accept`` and a run that follows ``moved`` write the lockfile once, so they can die:

=====  ===========================================  ===================================================================
point  died …                                       the next one …
=====  ===========================================  ===================================================================
1      before the new lockfile is in place          finds the old one, and does the same again
2      after that, before the lock is given back    finds that all is done; the system has freed the lock
=====  ===========================================  ===================================================================

``commands.doubles`` has those of ``doubles --abort``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count, islice
from pathlib import Path

import pytest
from crash_lab import KILLED, Checkout, Emulator, ForkServer, Place

from manifest_runner.emulator.store.database import read_only

pytest_plugins = ["lab_plugin"]

SAMPLES = ("s0", "s1")
Make = Callable[[], Checkout]


@pytest.fixture(name="launched")
def _launched(tmp_path: Path, place: Place) -> Make:
    """A maker of studies whose two items have been launched."""
    numbers = count()

    def make() -> Checkout:
        checkout = Checkout(place, tmp_path / f"{next(numbers)}" / "study")
        checkout.write(SAMPLES)
        assert checkout.run().code == 0
        return checkout

    return make


def moments(steps: list[str]) -> Iterator[tuple[int, str]]:
    """Before every step that changes files or asks for an abort, and after those that others see."""
    for step, name in enumerate(steps):
        if not name.startswith(("receive", "send body", "send POST analysis:search", "send POST tokens")):
            yield step, "before"
        if name.startswith("replace") or name.endswith(":abort"):
            yield step, "after"


def change(checkout: Checkout) -> None:
    checkout.write(SAMPLES, depth="2")


def rename(checkout: Checkout) -> None:
    checkout.write(("t0", "t1"), head='moved: [{from: "s{n}", to: "t{n}"}]\n')
    text = checkout.manifest.read_text()
    for number in range(len(SAMPLES)):
        text = text.replace(f"{{sample: t{number}}}", f"{{sample: t{number}, file: fil.s{number}}}")
    checkout.manifest.write_text(text.replace("fil.{{ row.sample }}", "{{ row.file }}"))


@pytest.mark.parametrize(("prepare", "command"), [(change, "accept"), (rename, "accept"), (rename, "run")])
def test_a_command_that_is_killed_at_any_step_is_finished_by_the_next(launched, record_property, prepare, command):
    whole = launched()
    prepare(whole)
    done = whole.do(command)
    assert done.code == 0, done.err
    chosen = list(moments(done.steps))
    expected = without_ids(whole)
    kills = 0
    for step, when in chosen:
        checkout = launched()
        prepare(checkout)
        kills += checkout.do(command, at={"step": step, "when": when}).code == KILLED
        assert checkout.do(command).code == 0
        assert without_ids(checkout) == expected, (step, when)
        planned = json.loads(checkout.do("plan", "--json").out)
        assert (planned["launches"], planned["approvalNeeded"], planned["renamed"]) == ([], False, {})
        checkout.assert_executed_once(len(SAMPLES))
        assert checkout.files() == [checkout.lockfile.name, checkout.manifest.name]
    assert kills == len(chosen)
    record_property("kills", kills)


def without_ids(checkout: Checkout) -> dict[str, tuple[object, ...]]:
    """What the lockfile says of each item but for what its project and its batch are called."""
    items = checkout.locked()["items"]
    return {name: (bool(item.get("accepted")), item.get("renamedFrom"), item["status"]) for name, item in items.items()}


# -- doubles


def doubled(place: Place, folder: Path) -> Checkout:
    """A study that two users launched without looking for each other."""
    mine = Checkout(place, folder / "mine" / "study")
    theirs = Checkout(place, folder / "theirs" / "study", mine.project, "another-users-key")
    for checkout in (theirs, mine):
        checkout.write(SAMPLES)
        checkout.run("--adopt", "never")
    return mine


def aborted(place: Place) -> set[str]:
    with read_only(place.database) as connection:
        return {analysis for (analysis,) in connection.execute("SELECT analysis FROM aborts")}


def test_doubles_that_are_killed_at_every_third_step_keep_the_oldest_and_abort_the_others(
    tmp_path: Path, server: ForkServer, durable: Emulator, record_property
):
    place = Place(server, durable.start(analysis_duration=3600.0), durable.database)
    whole = doubled(place, tmp_path / "whole")
    steps = whole.do("doubles", "--abort", "--yes").steps
    kills = 0
    for number, (step, when) in enumerate(islice(moments(steps), 0, None, 3)):
        checkout = doubled(place, tmp_path / f"{number}")
        found = {each["userReference"]: each["analyses"] for each in json.loads(checkout.do("doubles", "--json").out)}
        kills += checkout.do("doubles", "--abort", "--yes", at={"step": step, "when": when}).code == KILLED
        assert checkout.do("doubles", "--abort", "--yes").code == 0
        assert aborted(place) & {each for ids in found.values() for each in ids} == {ids[1] for ids in found.values()}
        items = checkout.locked()["items"]
        assert {name: item["analysis"]["id"] for name, item in items.items()} == {
            name: ids[0] for name, ids in found.items()
        }
        assert checkout.files() == [checkout.lockfile.name, checkout.manifest.name]
    record_property("kills", kills)
