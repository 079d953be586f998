"""Fixtures of the exactly-once stories, and a line at the end that tells how much they have put up with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from crash_lab import Checkout, Emulator, ForkServer, Moment, Place

COUNTED = ("kills", "interrupts", "faults")


@pytest.fixture(name="server", scope="session")
def _server() -> Iterator[ForkServer]:
    server = ForkServer()
    yield server
    server.close()


@pytest.fixture(name="clock")
def _clock(tmp_path: Path) -> Moment:
    return Moment(tmp_path / "clock")


@pytest.fixture(name="durable")
def _durable(tmp_path: Path) -> Iterator[Emulator]:
    """An emulator by the real clock, not started yet."""
    emulator = Emulator(tmp_path)
    yield emulator
    emulator.stop()


@pytest.fixture(name="place")
def _place(tmp_path: Path, server: ForkServer, durable: Emulator) -> Place:
    """An emulator that creates items at once, by the real clock."""
    return Place(server, durable.start(), durable.database)


@pytest.fixture(name="timed_emulator")
def _timed_emulator(tmp_path: Path, clock: Moment) -> Iterator[Emulator]:
    """An emulator by the tests' clock, not started yet."""
    emulator = Emulator(tmp_path, clock)
    yield emulator
    emulator.stop()


@pytest.fixture(name="checkout")
def _checkout(tmp_path: Path, place: Place) -> Callable[[], Checkout]:
    """A maker of checkouts, each of a project of its own, with the usual manifest."""
    numbers = count()

    def make() -> Checkout:
        made = Checkout(place, tmp_path / f"checkout-{next(numbers)}" / "study")
        made.write()
        return made

    return make


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "teardown":
                counts.update({name: int(value) for name, value in report.user_properties if name in COUNTED})
    if counts:
        told = ", ".join(f"{counts[name]} {name}" for name in COUNTED if counts[name])
        terminalreporter.write_line(f"exactly once: {told}, and after each the emulator's record was checked")
