"""The stores that the tests of this room share."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from buckets import Buckets

from manifest_runner.store.git_refs import GitRefs
from manifest_runner.store.interface import Store
from manifest_runner.store.open_store import open_state


@pytest.fixture(name="aws")
def _aws(buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> Buckets:
    return _used(buckets, monkeypatch)


@pytest.fixture(name="azure")
def _azure(containers: Buckets, monkeypatch: pytest.MonkeyPatch) -> Buckets:
    return _used(containers, monkeypatch)


def _used(server: Buckets, monkeypatch: pytest.MonkeyPatch) -> Buckets:
    """With what this process needs to use it."""
    for name, value in server.env.items():
        monkeypatch.setenv(name, value)
    return server


def clones(folder: Path, number: int) -> list[Path]:
    """Clones of one bare repository."""
    git(folder, "init", "-q", "--bare", "remote.git")
    for each in range(number):
        git(folder, "clone", "-q", "remote.git", f"clone-{each}")
    return [folder / f"clone-{each}" for each in range(number)]


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture(name="stores", params=["file", "s3", "git", pytest.param("azure", marks=pytest.mark.slow)])
def _stores(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Store, Store]:
    """One store, as two machines see it."""
    if request.param == "git":
        first, second = (GitRefs(each, None, os.environ, patience=30) for each in clones(tmp_path, 2))
        return first, second
    servers = {"s3": "aws", "azure": "azure"}
    home = request.getfixturevalue(servers[request.param]).make() if request.param in servers else f"file://{tmp_path}"
    url = f"{home}/state"
    first, second = (open_state(url, os.environ, tmp_path, patience=30) for _ in range(2))
    return first, second
