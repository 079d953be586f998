"""The place of state, which only one process at a time can change."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from manifest_runner.errors import BadState, UsageProblem
from manifest_runner.lockfile.workspace import Workspace, held

HOLD = """
import sys, time
from pathlib import Path
from manifest_runner.lockfile.workspace import Workspace, held
with held(Workspace.of(Path(sys.argv[1]))):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def workspace(tmp_path):
    return Workspace.of(tmp_path / "study.yaml")


@pytest.fixture
def holder(workspace):
    """Another process that holds the workspace."""
    command = [sys.executable, "-c", HOLD, str(workspace.manifest)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.mark.parametrize(
    ("manifest", "lockfile", "names"),
    [
        ("a/study.yaml", None, ("study.lock.json", "study.journal", "study.running")),
        ("a/study.v2.yml", None, ("study.v2.lock.json", "study.v2.journal", "study.v2.running")),
        ("a/study", None, ("study.lock.json", "study.journal", "study.running")),
        ("a/study.yaml", "b/prod.lock.json", ("prod.lock.json", "prod.journal", "prod.running")),
        ("a/study.yaml", "b/prod.json", ("prod.json", "prod.json.journal", "prod.json.running")),
    ],
)
def test_journal_and_lock_lie_beside_the_lockfile(manifest, lockfile, names):
    workspace = Workspace.of(Path(manifest), Path(lockfile) if lockfile else None)
    folder = Path(lockfile or manifest).parent
    assert (workspace.lockfile, workspace.journal, workspace.running) == tuple(folder / name for name in names)


def test_two_lockfiles_of_one_manifest_share_nothing(tmp_path):
    one, two = (Workspace.of(tmp_path / "study.yaml", tmp_path / name) for name in ("a.lock.json", "b.lock.json"))
    assert one.journal != two.journal
    with held(one), held(two):
        pass


def test_a_second_process_is_refused_and_the_first_is_named(workspace, holder):
    pattern = rf"study\.lock\.json: in use by process {holder.pid} on .* since .*Nothing was sent"
    with pytest.raises(BadState, match=pattern), held(workspace):
        raise AssertionError("two hold it")
    assert holder.poll() is None


def test_a_process_that_may_wait_does_so_until_the_first_has_ended(workspace, holder):
    threading.Timer(0.1, holder.kill).start()
    lines = []
    with held(workspace, 60, lines.append) as waited:
        assert waited
    assert [line.startswith(f"waiting for process {holder.pid} on ") for line in lines] == [True]
    with held(workspace, 60) as waited:
        assert not waited


def test_what_a_killed_holder_left_does_not_block_the_next(workspace, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert workspace.running.exists()
    with held(workspace):
        assert workspace.running.read_text(encoding="utf-8").startswith(f"process {os.getpid()} on ")
    assert not workspace.running.exists()


def test_it_is_released_when_something_is_raised(workspace):
    with pytest.raises(ValueError, match="why"), held(workspace):
        raise ValueError("why")
    with held(workspace):
        pass
    assert list(workspace.manifest.parent.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"\x1b[31mred", b"\xff\xfe", b"x" * 10_000])
def test_a_holder_with_an_odd_name_is_reported_without_control_characters(workspace, holder, content):
    workspace.running.write_bytes(content)
    with pytest.raises(BadState, match="in use by ") as refused, held(workspace):
        raise AssertionError("two hold it")
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 600


def test_a_folder_that_cannot_exist_is_reported(tmp_path):
    (tmp_path / "none").write_text("a file")
    with pytest.raises(UsageProblem, match="does not exist"), held(Workspace.of(tmp_path / "none" / "study.yaml")):
        raise AssertionError("it holds nothing")


def _add(manifest: Path, counter: Path, turns: int) -> None:
    done = 0
    while done < turns:
        try:
            with held(Workspace.of(manifest)):
                number = int(counter.read_text())
                time.sleep(0.0005)
                counter.write_text(str(number + 1))
                done += 1
        except BadState:
            time.sleep(0.0002)


def test_processes_that_come_and_go_never_hold_it_at_once(workspace, tmp_path):
    counter = tmp_path / "counter"
    counter.write_text("0")
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_add, args=(workspace.manifest, counter, 25)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert counter.read_text() == "75"


def test_no_folder_is_made_for_a_mistyped_lockfile(tmp_path):
    workspace = Workspace.of(tmp_path / "study.yaml", tmp_path / "typo" / "study.lock.json")
    with pytest.raises(UsageProblem, match="does not exist"), held(workspace):
        pass
    assert list(tmp_path.iterdir()) == []
