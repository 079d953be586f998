"""A journal in a store: any machine continues from where another one stopped."""

from __future__ import annotations

import pytest
from launch.journal.test_journal import FIRST, OWNER, SECOND, THIRD
from launch.memory_store import MemoryStore
from msgspec import structs

from manifest_runner.errors import BadState, Unreachable
from manifest_runner.launch.journal.journal import Journal, Owner, PostAnswer
from manifest_runner.launch.journal.stored_records import StoredRecords
from manifest_runner.launch.lease.lease import LeaseLost

FOLDER = "p-1/study.journal/"


def opened(store: MemoryStore, owner: Owner = OWNER) -> Journal:
    return Journal.read(StoredRecords(store, FOLDER), owner)


@pytest.fixture(name="store")
def _store() -> MemoryStore:
    return MemoryStore()


def test_another_machine_reads_what_was_written_in_the_order_in_which_it_was(store):
    mine = opened(store)
    for post in (FIRST, SECOND, THIRD):
        mine.post(post)
    for key in (SECOND.key, THIRD.key):
        mine.send_again(key, 2.0)
    mine.answer(SECOND.key, "b-2", "INITIALIZED")
    mine.release(FIRST.key)
    theirs = opened(store)
    second, third = (structs.replace(each, again_at=2.0) for each in (SECOND, THIRD))
    assert (theirs.pending, theirs.answers) == ({THIRD.key: third}, [PostAnswer(second, "b-2", "INITIALIZED")])
    theirs.answer(THIRD.key, "b-3", None)
    assert [answer.batch_id for answer in opened(store).answers] == ["b-2", "b-3"]


def test_a_batch_is_two_writes_and_a_removal(store):
    journal = opened(store)
    for post in (FIRST, SECOND):
        journal.post(post)
        journal.answer(post.key, "b", None)
    journal.post(THIRD)
    assert (store.writes, store.removals) == (5, 0)
    journal.forget_answered()
    assert (store.writes, store.removals) == (5, 2)
    assert list(opened(store).pending) == [THIRD.key]


def test_what_another_run_has_settled_is_not_written_again(store):
    mine = opened(store)
    mine.post(FIRST)
    theirs = opened(store)
    theirs.answer(FIRST.key, "b-1", None)
    theirs.forget_answered()
    with pytest.raises(LeaseLost, match="another run has settled this batch"):
        mine.answer(FIRST.key, "b-1", None)
    assert store.names(FOLDER) == []


def test_two_that_write_at_once_do_not_write_over_each_other(store):
    mine, theirs = opened(store), opened(store)
    mine.post(FIRST)
    theirs.post(SECOND)
    assert set(opened(store).pending) == {FIRST.key, SECOND.key}


def test_nothing_is_written_once_the_lease_is_lost(store):
    def check() -> None:
        raise LeaseLost("lost")

    with pytest.raises(LeaseLost):
        Journal.read(StoredRecords(store, FOLDER, check), OWNER).post(FIRST)
    assert store.names(FOLDER) == []


def test_a_record_that_cannot_be_written_is_an_error_before_anything_is_sent(store):
    store.failing = "refused"
    journal = opened(store)
    with pytest.raises(Unreachable):
        journal.post(FIRST)
    assert journal.pending == {}


@pytest.mark.parametrize("content", [b"", b"hello\n", b"00000000 {}\n"])
def test_what_is_not_a_record_is_damage(store, content):
    store.create(FOLDER + "000001.json", content)
    with pytest.raises(BadState, match=r"000001\.json.*damaged"):
        opened(store)


def test_the_journal_of_another_server_is_refused(store):
    opened(store, Owner("study", "p-1", "https://other.example/ica/rest")).post(FIRST)
    with pytest.raises(BadState, match=r"000001\.json: belongs to 'study' in project p-1 on https://other"):
        opened(store)
