"""Watching what a run elsewhere launches."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest
from commands.outcome_lab import study
from filelock import FileLock
from msgspec import structs

from manifest_runner.commands.run import run
from manifest_runner.commands.status import refresh

FUTURE = "2999-01-01T00:00:00Z"


def change_lease(folder: Path, **values: object) -> None:
    (path,) = folder.rglob("*.lease.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_watching_continues_while_a_run_on_another_machine_holds_the_lease(tmp_path):
    """All that was seen has ended, but that run launches more, and renames what there is, before it lets go."""
    here, elsewhere, store = (tmp_path / name for name in ("here", "elsewhere", "store"))
    here.mkdir()
    elsewhere.mkdir()
    with study(here, "a") as lab:
        shared = f"state: {store.as_uri()}\nanalyses:"
        lab.path.write_text(lab.path.read_text().replace("analyses:", shared))
        lab.run()
        change_lease(store, until=FUTURE, token="theirs", host="ci-7")
        theirs = elsewhere / "study.yaml"
        shutil.copy(lab.path, theirs)
        text = theirs.read_text().replace("{s: a}", "{s: c}, {s: b}").replace("fil.{{ row.s }}", "fil.a")
        theirs.write_text(text.replace("analyses:", "moved: [{from: a, to: c}]\nanalyses:"))
        slept: list[float] = []

        def sleep(seconds: float) -> None:
            slept.append(seconds)
            if len(slept) == 2:
                run(theirs, lab.target, structs.replace(lab.options, no_lock=True), lab.context)
                change_lease(store, until="2000-01-01T00:00:00Z")

        found = refresh(lab.path, lab.target, lab.options, structs.replace(lab.context, sleep=sleep), is_watching=True)
        assert sorted(found.items) == ["b", "c"]
        assert "in use by" in "".join(lab.notes)
        assert len(slept) >= 2


def test_watching_ends_after_the_run_on_this_machine_was_killed(tmp_path):
    with study(tmp_path, "a") as lab:
        lab.run()
        lock = FileLock(tmp_path / "study.running")
        lock.acquire()
        killed = structs.replace(lab.context, sleep=lambda _seconds: lock.release())
        refresh(lab.path, lab.target, structs.replace(lab.options, timeout=1), killed, is_watching=True)
        assert not (tmp_path / "study.running").exists()


def test_only_what_a_target_selects_is_waited_for(tmp_path):
    slow = "analyses: [{userReference: b, duration: 3600}]"
    with study(tmp_path, "a", "b", catalog=slow) as lab:
        assert lab.run(wait="none").launched == ["a", "b"]
        chosen = lab.choose(targets=("a",))
        assert lab.run(choices=chosen.choices).exit_code == 0
        assert refresh(lab.path, lab.target, chosen, lab.context, is_watching=True).items["a"].succeeded


def test_a_run_can_work_while_somebody_watches_and_loses_nothing(tmp_path):
    """The watcher follows what the run launches, too, and what it records in the end leaves the outputs alone."""
    with study(tmp_path, "a", analysis_duration=0.3, fail_creation="c") as lab:
        lab.run(wait="none")
        slept: list[float] = []

        def sleep(_seconds: float) -> None:
            slept.append(time.sleep(0.1))
            if len(slept) == 1:
                lab.write("a", "b", "c")
                assert lab.run(outputs=True).exit_code == 1

        watching = structs.replace(lab.context, sleep=sleep)
        found = refresh(lab.path, lab.target, lab.options, watching, is_watching=True)
        assert [*found.items] == ["a", "b", "c"]
        assert [bool(item.get("outputs")) for item in lab.items().values()] == [True, True, False]


def test_what_was_seen_is_recorded_when_watching_is_interrupted(tmp_path):
    with study(tmp_path, "a", "b", analysis_duration=3600, fail_creation="b") as lab:
        lab.run(wait="none")

        def interrupted(_seconds: float) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            refresh(
                lab.path, lab.target, lab.options, structs.replace(lab.context, sleep=interrupted), is_watching=True
            )
        items = lab.items()
        assert [items[name]["status"] for name in "ab"] == ["SUCCEEDED", "FAILED"]
        assert items["a"]["analysis"]["id"]
