"""Fixtures of the exactly-once stories."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path

import pytest
from crash_lab import SAMPLES, Checkout, Emulator, ForkServer, Moment, Place
from machines import Shared

pytest_plugins = ["store_servers"]


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
def _checkout(tmp_path: Path, place: Place) -> Callable[..., Checkout]:
    """A maker of checkouts, each of a project of its own, with the usual manifest."""
    numbers = count()

    def make(samples: Sequence[str] = SAMPLES) -> Checkout:
        made = Checkout(place, tmp_path / f"checkout-{next(numbers)}" / "study")
        made.write(samples)
        return made

    return make


# -- places for state that machines share


@pytest.fixture(
    name="shared",
    params=["file", "s3", "git", *[pytest.param(each, marks=pytest.mark.slow) for each in ("seaweed", "azure")]],
)
def _shared(request: pytest.FixtureRequest, tmp_path: Path) -> Shared:
    """A folder, a bucket of moto's, a git remote, and with -m slow a bucket of a real server."""
    fixture = {"s3": "buckets", "seaweed": "seaweed", "azure": "containers"}.get(request.param)
    return Shared(request.param, tmp_path, request.getfixturevalue(fixture) if fixture else None)
