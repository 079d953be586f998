"""A folder keeps the token of a lease that it could not release, and a copy of that token is worthless."""

from __future__ import annotations

import shutil

import pytest
from launch.memory_store import MemoryStore

from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.holding import leased
from manifest_runner.commands.setup.state import Identity, Stores
from manifest_runner.commands.setup.token_file import read_token
from manifest_runner.errors import BadState
from manifest_runner.launch.lease.lease import LeaseHeld

NOW = 1_800_000_000.0


class Unpleasant(MemoryStore):
    """A store that refuses every replacement."""

    def replace(self, name: str, content: bytes, version: str) -> str:
        raise BadState("git cannot write its objects: No space left on device")


def stores(store: MemoryStore) -> Stores:
    return Stores(None, store, Identity("https://ica", "project", "study"))


@pytest.fixture(name="folder")
def _folder(tmp_path):
    folder = tmp_path / "study"
    folder.mkdir()
    return folder


@pytest.fixture(name="context")
def _context():
    said = []
    return Context(env={}, clock=lambda: NOW, notify=said.append)


def take(store, folder, context):
    with leased(stores(store), folder / "study.lease", "run study.yaml", context, 0.0) as held:
        return held.claim.standing


def test_a_lease_that_cannot_be_released_is_taken_back_at_once_by_its_folder_alone(folder, context, tmp_path):
    store = Unpleasant()
    assert take(store, folder, context) == "absent"
    working = MemoryStore()
    working.values = store.values
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    with pytest.raises(LeaseHeld):
        take(working, copy, context)
    assert take(working, folder, context) == "ours"
    assert list(folder.iterdir()) == []


def test_a_token_that_git_has_written_does_not_count(folder, context):
    token_file = folder / "study.lease"
    take(Unpleasant(), folder, context)
    assert read_token(token_file)
    token_file.write_bytes(token_file.read_bytes())
    assert read_token(token_file) is None


@pytest.mark.parametrize("text", ["", "token", "token 1", "token x y", "token 1 2 3", "t\udcff 1 2"])
def test_a_damaged_token_does_not_count(folder, text):
    (folder / "study.lease").write_text(text, encoding="utf-8", errors="surrogateescape")
    assert read_token(folder / "study.lease") is None
    assert read_token(folder / "none.lease") is None
