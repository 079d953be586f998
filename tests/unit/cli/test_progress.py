"""Lines about what is followed, where there is no terminal."""

from __future__ import annotations

import sys
import time

from msgspec import structs

from manifest_runner.cli.console import Console
from manifest_runner.cli.progress import Progress
from manifest_runner.lockfile.model import LockedItem, Lockfile


def test_a_dumb_terminal_gets_lines_and_nothing_drawn(monkeypatch, capsys):
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    progress = Progress(Console())
    progress.update("rendered", 1000, None)
    progress.follow(
        Lockfile("n", "p", "s", items={"a": LockedItem("0" * 64, "cwl", "1.1", 0, "b", "i", "FAILED", None, None)}), 0
    )
    progress.close()
    assert capsys.readouterr().err == "1 item: 1 not created (after 0 s)\n"


def test_each_change_is_a_line_and_each_manifest_counts_its_own_time(monkeypatch, capsys):
    now = iter([0.0, 3.0, 10.0, 12.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    lockfile = Lockfile("n", "p", "s")
    lockfile.items["a"] = LockedItem("0" * 64, "cwl", "1.1", 0, "b", "i", "FAILED", "no", None)
    progress = Progress(Console())
    progress.follow(lockfile, 0)
    progress.follow(lockfile, 0)
    progress.begin()
    progress.follow(lockfile, 0)
    assert capsys.readouterr().err.splitlines() == [
        "1 item: 1 not created (after 3 s)",
        "1 item: 1 not created (after 2 s)",
    ]


def test_an_item_that_left_the_manifest_counts_only_until_it_has_ended(capsys):
    present = LockedItem("0" * 64, "cwl", "1.1", 0, "b", "i", "FAILED", None, None)
    gone = structs.replace(present, removed=True)
    going = structs.replace(gone, status="RUNNING")
    Progress(Console()).follow(Lockfile("n", "p", "s", items={"a": present, "b": gone, "c": going}), 1)
    assert capsys.readouterr().err == "2 items: 1 not created, 1 being created (after 0 s)\n"
