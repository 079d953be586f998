"""^C at any moment, a full disk, files that cannot be written, and two processes at once: the next run settles all."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from crash_lab import FILE_STEPS, KILLED, Checkout, ForkServer, Place, changing
from odd_proxy import odd_proxy

pytest_plugins = ["lab_plugin"]

CRITICAL = (
    "/launch/record.py",
    "/launch/journal/journal.py",
    "/commands/setup/session.py",
    "/commands/setup/unseen.py",
    "/launch/submit.py",
)
SAMPLES = ("s0", "s1", "s2", "s3")


@pytest.fixture(name="checkout")
def _small_checkout(checkout: Callable[..., Checkout]) -> Callable[[], Checkout]:
    """A maker of checkouts with two batches."""
    return lambda: checkout(SAMPLES)


@pytest.fixture(name="tally")
def _tally(record_property: Callable[[str, object], None]) -> Iterator[Any]:
    """Counts for the summary."""
    counts: dict[str, int] = {}

    def tally(what: str) -> None:
        counts[what] = counts.get(what, 0) + 1

    yield tally
    for what, number in counts.items():
        record_property(what, number)


def settle(checkout: Checkout, after: str) -> None:
    """The next run ends well, and nothing was launched twice or forgotten."""
    ended = checkout.run()
    assert ended.code == 0, f"after {after}: {ended}"
    checkout.assert_executed_once(len(SAMPLES))
    checkout.assert_settled(SAMPLES)


def test_an_interrupt_at_any_step_ends_with_130_and_the_next_run_settles(checkout, tally):
    steps = checkout().run().steps
    for step in changing(steps):
        one = checkout()
        ended = one.run_at(step, "interrupt")
        assert ended.code == 130, (steps[step], ended)
        one.assert_all_known_here()
        settle(one, f"^C at {steps[step]}")
        tally("interrupts")


def interrupt_lines(checkout: Callable[[], Checkout], tally: Any, files: tuple[str, ...], every: int) -> None:
    """^C at lines of these files, then a manifest in which other batches are due: no key would be the same."""
    lines = checkout().run(trace=files).lines
    assert lines > 100
    for line in range(0, lines, every):
        one = checkout()
        ended = one.run(trace=files, line=line)
        assert ended.code in (130, 0), (line, ended)
        one.write(SAMPLES, stamp=False)
        ended = one.run("--batch-size", "3", "--adopt", "never")
        assert ended.code == 0, (line, ended)
        one.assert_executed_once_each(SAMPLES)
        tally("interrupts")


def test_an_interrupt_at_any_line_that_records_an_answer_forgets_nothing(checkout, tally):
    interrupt_lines(
        checkout, tally, ("/launch/record.py", "/commands/setup/session.py", "/commands/setup/unseen.py"), 11
    )


@pytest.mark.slow
def test_an_interrupt_at_any_line_that_matters_forgets_nothing(checkout, tally):
    interrupt_lines(checkout, tally, CRITICAL, 1)


def test_a_full_disk_at_any_file_step_is_reported_and_the_next_run_settles(checkout, tally):
    steps = checkout().run().steps
    for step, name in enumerate(steps):
        if name.startswith(FILE_STEPS):
            one = checkout()
            ended = one.run_at(step, "full")
            assert ended.code in (0, 6), (name, ended)
            assert (ended.code == 6) == ("No space left" in ended.err), (name, ended)
            settle(one, f"a full disk at {name}")
            tally("faults")


def test_a_disk_that_fills_up_in_the_middle_of_a_write_is_reported_and_the_next_run_settles(checkout, tally):
    for size in range(800, 4000, 400):
        one = checkout()
        ended = one.run(file_size=size)
        assert ended.code in (0, 6), (size, ended)
        settle(one, f"a file size limit of {size}")
        tally("faults")


def test_of_two_runs_at_once_one_is_refused_and_names_the_other(place, server, tmp_path):
    """The first cannot end before the second has."""
    sent, turned_away = threading.Event(), threading.Event()

    def hold(_path: str, body: bytes) -> bytes:
        sent.set()
        turned_away.wait(60)
        return body

    other = ForkServer()
    with odd_proxy(place.url) as proxy:
        proxy.change = hold
        first = Checkout(Place(server, proxy.url, place.database), tmp_path / "one" / "study")
        first.write(SAMPLES)
        one, two = ({**first.case(), "out": str(tmp_path / f"out{n}"), "err": str(tmp_path / f"err{n}")} for n in "12")
        server.start(one)
        assert sent.wait(60)
        other.start(two)
        refused = other.finish(two)
        turned_away.set()
        ended = server.finish(one)
        other.close()
        assert (ended.code, refused.code) == (0, 6)
        assert "study.lock.json: in use by process " in refused.err
        settle(first, "two runs at once")


@pytest.mark.parametrize("name", ["study.running", "study.lock.json", "study.journal"])
def test_a_folder_in_the_way_of_a_file_is_an_error_before_anything_is_sent(checkout, name):
    one = checkout()
    (one.folder / name).mkdir()
    ended = one.run()
    assert (ended.code, one.executed()) == (6, []), ended
    (one.folder / name).rmdir()
    settle(one, "a folder in the way")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_an_error_before_anything_is_sent(checkout):
    one = checkout()
    one.folder.chmod(0o555)
    ended = one.run()
    one.folder.chmod(0o755)
    assert (ended.code, one.executed()) == (6, []), ended
    settle(one, "a folder that could not be written")


def die_before(one: Checkout, checkout: Callable[[], Checkout], name: str) -> None:
    """Kill a run before its first step of that name."""
    other = checkout()
    other.run("--limit", "2")
    assert one.run_at(other.run().steps.index(name), "before").code == KILLED


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("study.lock.json", lambda raw: raw[:-40]),
        ("study.lock.json", lambda raw: b"<<<<<<< ours\n" + raw),
        ("study.lock.json", lambda raw: raw.replace(b'"lockVersion": 1', b'"lockVersion": 2')),
        ("study.lock.json", lambda raw: raw.replace(b'"study"', b'"other"', 1)),
        ("study.journal", lambda raw: raw.replace(b'"post"', b'"past"', 1)),
        ("study.journal", lambda raw: raw.replace(b'"mr1-', b'"mr2-', 1)),
        ("study.journal", lambda raw: raw[raw.index(b"\n") + 1 :]),
    ],
)
def test_damage_is_reported_and_nothing_is_sent_until_a_person_has_fixed_it(checkout, name, damage):
    one = checkout()
    one.run("--limit", "2")
    die_before(one, checkout, "send POST analysisCreationBatch")
    path = one.folder / name
    whole, executed = path.read_bytes(), len(one.executed())
    path.write_bytes(damage(whole))
    ended = one.run()
    assert (ended.code, len(one.executed())) == (6, executed), ended
    assert name in ended.err
    path.write_bytes(whole)
    settle(one, "the damage was undone")


def test_the_emulator_keeps_what_it_did_when_it_is_started_again(checkout, durable):
    one = checkout()
    one.run("--limit", "2")
    durable.start()
    settle(one, "a new start of the emulator")
