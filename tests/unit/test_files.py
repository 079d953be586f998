"""A rename that the disk may have lost is an error; a file system that cannot sync folders is not."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from manifest_runner.errors import BadState
from manifest_runner.files import remove_file, replace_file
from manifest_runner.launch.journal.records import FileRecords
from manifest_runner.store.local_files import LocalFiles


@pytest.fixture(name="fail_to_sync_folders")
def _fail_to_sync_folders(monkeypatch):
    """Makes each fsync of a folder fail with an error number; None lets it succeed again."""
    real = os.fsync
    failing: list[int] = []

    def fsync(handle: int) -> None:
        if failing and stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(failing[0], os.strerror(failing[0]))
        real(handle)

    def fail(number: int | None) -> None:
        failing[:] = [] if number is None else [number]

    monkeypatch.setattr(os, "fsync", fsync)
    return fail


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EBADF])
def test_a_folder_that_failed_to_sync_is_an_error_that_says_what_to_do(tmp_path, fail_to_sync_folders, number):
    file = tmp_path / "lock.json"
    replace_file(file, b"old")
    fail_to_sync_folders(number)
    for act in (lambda: replace_file(file, b"new"), lambda: remove_file(file)):
        with pytest.raises(BadState, match=f"lock.json: cannot be written: {os.strerror(number)}.*then run again"):
            act()
    assert file.read_bytes() == b"new"  # it is not removed before the rename is durable
    assert [each.name for each in tmp_path.iterdir()] == ["lock.json"]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP])
def test_a_file_system_that_cannot_sync_folders_is_good_enough(tmp_path, fail_to_sync_folders, number):
    file = tmp_path / "lock.json"
    fail_to_sync_folders(number)
    replace_file(file, b"new")
    assert file.read_bytes() == b"new"
    remove_file(file)
    assert not file.exists()


def test_a_journal_whose_name_may_be_lost_takes_no_record(tmp_path, fail_to_sync_folders):
    fail_to_sync_folders(errno.EIO)
    for _ in range(2):  # the file exists by the second time, and its name may still be lost
        with pytest.raises(BadState, match=r"journal.jsonl: cannot be written: Input/output error"):
            FileRecords(tmp_path / "journal.jsonl").append({"post": "k"}, {"journal": 1})
    fail_to_sync_folders(None)
    records = FileRecords(tmp_path / "journal.jsonl")
    records.append({"post": "k"}, {"journal": 1})
    records.close()
    assert [[*chain][-1][1] for chain in records.read()] == [{"post": "k"}]


def test_a_store_reports_a_folder_that_failed_to_sync(tmp_path, fail_to_sync_folders):
    fail_to_sync_folders(errno.EIO)
    with pytest.raises(BadState, match="cannot be written: Input/output error"):
        LocalFiles(tmp_path / "new").create("lock.json", b"{}")
