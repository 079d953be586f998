"""A lockfile is written only over what was read; what somebody else wrote in between is kept."""

from __future__ import annotations

import pytest
from launch.memory_store import MemoryStore

from manifest_runner.errors import BadState
from manifest_runner.lockfile import versioned
from manifest_runner.lockfile.model import LockedBatch, LockedItem, Lockfile
from manifest_runner.lockfile.versioned import VersionedLockfile
from manifest_runner.store.local_files import LocalFiles

MINE = {"name": "study", "project": "p-1", "server": "s"}


def item(batch: str) -> LockedItem:
    return LockedItem("a" * 64, "nextflow", "1.1", 0, batch, None, None, None, None)


def with_item(lockfile: Lockfile, name: str) -> Lockfile:
    grown = lockfile.copy()
    grown.batches[f"b-{name}"] = LockedBatch("mr1-x", 1, None, "2026-11-25T00:00:00Z")
    grown.items[name] = item(f"b-{name}")
    return grown


@pytest.fixture(name="store", params=["memory", "files"])
def _store(request, tmp_path):
    return MemoryStore() if request.param == "memory" else LocalFiles(tmp_path)


def kept(store) -> VersionedLockfile:
    return VersionedLockfile(store, "study.lock.json")


def test_two_that_write_at_once_keep_what_both_launched(store):
    mine, theirs = kept(store), kept(store)
    ours, others = mine.read(**MINE), theirs.read(**MINE)
    theirs.write(with_item(others, "theirs"))
    now = mine.write(with_item(ours, "mine"))
    assert sorted(now.items) == ["mine", "theirs"]
    assert kept(store).load() == now
    assert sorted(mine.write(with_item(now, "more")).items) == ["mine", "more", "theirs"]
    assert sorted(theirs.write(with_item(others, "last")).items) == ["last", "mine", "more", "theirs"]


def test_one_that_has_not_changed_is_not_read_again(store, monkeypatch):
    mine, theirs = kept(store), kept(store)
    mine.write(with_item(mine.read(**MINE), "mine"))
    known = theirs.load()
    with monkeypatch.context() as patch:
        patch.setattr(versioned, "parse_lockfile", None)
        assert theirs.load() == mine.load() == known
    mine.write(with_item(mine.load(), "more"))
    assert sorted(theirs.load().items) == ["mine", "more"]


def test_one_that_is_gone_is_written_again(store):
    mine = kept(store)
    lockfile = mine.write(with_item(mine.read(**MINE), "mine"))
    store.delete(["study.lock.json"])
    assert mine.write(with_item(lockfile, "more")).items.keys() == {"mine", "more"}


def test_what_is_copied_over_another_is_not_merged_and_not_written_over_a_change(store):
    mine, theirs = kept(store), kept(store)
    assert (mine.load(), mine.exists) == (None, False)
    empty = theirs.read(**MINE)
    theirs.write(with_item(empty, "theirs"))
    with pytest.raises(BadState, match="changed in the meantime"):
        mine.overwrite(with_item(empty, "mine"))
    assert mine.load() is not None
    mine.overwrite(with_item(empty, "mine"))
    assert list(kept(store).load().items) == ["mine"]


def test_that_of_another_manifest_is_refused(store):
    kept(store).write(with_item(Lockfile("other", "p-1", "s"), "x"))
    with pytest.raises(BadState, match=r"belongs to another manifest.*`moved: \[{name: other}\]`"):
        kept(store).read(**MINE)


def test_nothing_is_written_where_that_is_no_longer_allowed(store):
    def check() -> None:
        raise BadState("lost")

    with pytest.raises(BadState, match="lost"):
        VersionedLockfile(store, "study.lock.json", check).write(Lockfile(**MINE))
    assert kept(store).load() is None


def test_what_is_read_again_is_what_is_stored_now(store):
    mine, theirs = kept(store), kept(store)
    one = with_item(mine.read(**MINE), "one")
    mine.overwrite(one)
    assert mine.load() == mine.load() == one
    read = mine.load()
    read.items.clear()
    assert mine.load() == one
    two = theirs.write(with_item(theirs.read(**MINE), "two"))
    assert mine.load() == two
    store.delete(["study.lock.json"])
    assert (mine.load(), mine.exists) == (None, False)
