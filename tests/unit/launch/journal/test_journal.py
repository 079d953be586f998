"""What the journal has after a crash, and what it refuses to guess."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_runner.errors import BadState
from manifest_runner.launch.journal.journal import Journal, JournaledItem, Owner, Post, PostAnswer, references
from manifest_runner.launch.journal.records import FileRecords

OWNER = Owner("study", "p-1", "https://ica.example/ica/rest")


def make_post(number: int, *, items: int = 2) -> Post:
    made = tuple(JournaledItem(f"s{number}-{n}", f"{number:063}{n}", "nextflow", "1.1", n) for n in range(items))
    return Post(f"mr1-{number}", b'{"nextflowItems":["\xc3\xa4"]}', 1_800_000_000.25, True, "user", made)


FIRST, SECOND, THIRD = map(make_post, (1, 2, 3))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "study.journal"


def written(path: Path) -> bytes:
    """A journal with one batch answered, one let go and one without an answer."""
    journal = Journal.read(FileRecords(path), OWNER)
    journal.post(FIRST)
    journal.answer(FIRST.key, "b-1", "INITIALIZED")
    journal.post(SECOND)
    journal.release(SECOND.key)
    journal.post(THIRD)
    journal.close()
    return path.read_bytes()


def line(record: object) -> bytes:
    payload = orjson.dumps(record)
    return b"%08x %s\n" % (zlib.crc32(payload), payload)


def test_what_was_written_is_read_again(path):
    written(path)
    journal = Journal.read(FileRecords(path), OWNER)
    assert journal.answers == [PostAnswer(FIRST, "b-1", "INITIALIZED")]
    assert journal.pending == {THIRD.key: THIRD}
    assert references(journal.pending.values()) == {"s3-0", "s3-1"}


def test_without_a_file_there_is_nothing_to_settle_and_nothing_is_made(path):
    journal = Journal.read(FileRecords(path), OWNER)
    journal.close()
    journal.forget_answered()
    assert (journal.pending, journal.answers, list(path.parent.iterdir())) == ({}, [], [])


def test_each_record_is_on_disk_before_the_call_returns(path, monkeypatch):
    synced = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.append(os.fstat(handle).st_size), fsync(handle)))
    journal = Journal.read(FileRecords(path), OWNER)
    for write in (
        lambda: journal.post(FIRST),
        lambda: journal.answer(FIRST.key, "b-1", None),
        lambda: journal.post(SECOND),
        lambda: journal.release(SECOND.key),
    ):
        synced.clear()
        write()
        assert synced[-1] == path.stat().st_size
        assert path.read_bytes().endswith(b"\n")
    journal.close()


def test_the_folder_is_synced_when_the_file_is_new_and_before_and_after_it_is_gone(path, monkeypatch):
    folders = []
    fsync = os.fsync
    folder = path.parent.stat().st_ino
    monkeypatch.setattr(os, "fsync", lambda handle: (folders.append(os.fstat(handle).st_ino == folder), fsync(handle)))
    journal = Journal.read(FileRecords(path), OWNER)
    journal.post(FIRST)
    journal.answer(FIRST.key, "b-1", None)
    assert folders == [True, False, False]
    journal.forget_answered()
    assert folders == [True, False, False, True, True]


def test_what_a_killed_process_left_is_put_on_disk_as_it_is_but_for_a_torn_line(path, monkeypatch):
    raw = written(path)
    path.write_bytes(raw + b"torn")
    synced = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_size))
    journal = Journal.read(FileRecords(path), OWNER)
    journal.sync()
    journal.close()
    assert (synced[-1], path.read_bytes()) == (len(raw), raw)


def test_a_journal_cut_at_any_byte_is_what_it_was_one_record_earlier(path):
    raw = written(path)
    ends = [at + 1 for at, byte in enumerate(raw) if byte == ord("\n")]
    seen = []
    for size in range(len(raw) + 1):
        path.write_bytes(raw[:size])
        journal = Journal.read(FileRecords(path), OWNER)
        whole = sum(end <= size for end in ends)
        seen.append((whole, tuple(journal.pending), len(journal.answers)))
    first, second, third = FIRST.key, SECOND.key, THIRD.key
    assert list(dict.fromkeys(seen)) == [
        (0, (), 0),
        (1, (), 0),
        (2, (first,), 0),
        (3, (), 1),
        (4, (second,), 1),
        (5, (), 1),
        (6, (third,), 1),
    ]


@pytest.mark.parametrize("cut", [0, 1, 30, -1, -10])
def test_writing_continues_after_the_last_complete_record(path, cut):
    path.write_bytes(written(path)[:cut] if cut else b"")
    journal = Journal.read(FileRecords(path), OWNER)
    before = dict(journal.pending)
    new = make_post(9)
    journal.post(new)
    journal.close()
    assert Journal.read(FileRecords(path), OWNER).pending == {**before, new.key: new}


def test_an_unwritten_block_at_the_end_is_a_torn_record(path):
    raw = written(path)
    path.write_bytes(raw + b"\0" * 4096)
    assert list(Journal.read(FileRecords(path), OWNER).pending) == [THIRD.key]


@given(st.data())
def test_a_changed_byte_is_damage_unless_it_tears_the_last_line(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("journal") / "study.journal"
    raw = bytearray(written(path))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(raw)
    if at == len(raw) - 1:
        assert not Journal.read(FileRecords(path), OWNER).pending
        return
    with pytest.raises(BadState, match=r"study\.journal:\d+: .*[Nn]othing was sent"):
        Journal.read(FileRecords(path), OWNER)


HEAD = {"journal": 1, "name": OWNER.name, "project": OWNER.project, "server": OWNER.server}


@pytest.mark.parametrize(
    "records",
    [
        [{}],
        [[]],
        [{**HEAD, "journal": "1"}],
        [{"journal": 1}],
        [HEAD, {"answer": "mr1-unknown", "batch": "b", "status": None}],
        [HEAD, {"released": "mr1-unknown"}],
        [HEAD, {"post": "mr1-1"}],
        [HEAD, {"post": "mr1-1", "at": 1, "stamped": True, "by": "user", "items": [["only"]], "body": "{}"}],
        [HEAD, {"post": "mr1-1", "at": 1, "stamped": True, "by": "user", "items": [], "body": 7}],
        [HEAD, 7],
    ],
)
def test_a_line_that_is_not_a_record_is_damage(path, records):
    path.write_bytes(b"".join(map(line, records)))
    with pytest.raises(BadState, match="the journal is damaged"):
        Journal.read(FileRecords(path), OWNER)


@pytest.mark.parametrize("field", ["name", "project", "server"])
def test_the_journal_of_another_run_is_refused_and_named(path, field):
    path.write_bytes(line({**HEAD, field: "another"}))
    with pytest.raises(BadState, match=r"belongs to .*another"):
        Journal.read(FileRecords(path), OWNER)


def test_the_journal_of_a_newer_version_is_refused(path):
    path.write_bytes(line({**HEAD, "journal": 2}))
    with pytest.raises(BadState, match="newer manifest-runner"):
        Journal.read(FileRecords(path), OWNER)


def test_a_journal_that_cannot_be_read_or_written_is_reported(path):
    path.mkdir()
    with pytest.raises(BadState, match="cannot be read"):
        Journal.read(FileRecords(path), OWNER)
    path.rmdir()
    journal = Journal.read(FileRecords(path), OWNER)
    path.mkdir()
    with pytest.raises(BadState, match="cannot be written"):
        journal.post(FIRST)
    assert not journal.pending


def test_a_record_that_could_not_be_synced_does_not_count(path, monkeypatch):
    journal = Journal.read(FileRecords(path), OWNER)
    journal.post(FIRST)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadState, match="No space left"):
        journal.answer(FIRST.key, "b-1", None)
    assert (list(journal.pending), journal.answers) == ([FIRST.key], [])
    with pytest.raises(BadState, match="No space left"):
        journal.release(FIRST.key)
    assert list(journal.pending) == [FIRST.key]
    journal.close()


def test_a_body_survives_byte_for_byte(path):
    body = '{"nextflowItems":["ä\u2028\\n\\u0001😀"]}'.encode()
    journal = Journal.read(FileRecords(path), OWNER)
    journal.post(Post("mr1-x", body, 0.1, False, "user", FIRST.items))
    journal.close()
    (post,) = Journal.read(FileRecords(path), OWNER).pending.values()
    assert (post.body, post.at, post.stamped) == (body, 0.1, False)


def test_what_is_shown_of_a_post_does_not_hold_its_body():
    assert "nextflowItems" not in repr(FIRST)
