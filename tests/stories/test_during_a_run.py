"""``status`` and ``abort`` while a run is working on the manifest: they ask ICA, and the run writes the lockfile."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from studies import write_study
from terminals import on_terminal

LONG = pytest.mark.parametrize("emulator", [{"creation_delay": 0.0, "analysis_duration": 12.0}], indirect=True)


@contextmanager
def running(cli) -> Iterator[subprocess.Popen[str]]:
    """A run that waits, seen from the moment when it has launched everything."""
    process = cli.start("run", "study.yaml", "--wait", "finished", "--poll-interval", "0.2")
    try:
        assert process.stderr
        while " created" not in (line := process.stderr.readline()):
            assert line, "the run has ended"
        yield process
    finally:
        process.kill()
        process.communicate()


@LONG
def test_status_shows_what_a_run_has_launched_and_leaves_the_writing_to_it(cli, emulator):
    write_study(cli, "alpha", "beta")
    with running(cli) as run:
        files = cli.files()
        seen = cli.ok("status", "study.yaml")
        assert "a run is working on study.yaml" in seen.err
        shown = [line.split("\t")[:2] for line in seen.out.splitlines()[:2]]
        assert [(name, state in ("requested", "running")) for name, state in shown] == [("alpha", True), ("beta", True)]
        assert cli.files() == files
        assert "study.lock.json" not in files
        assert run.poll() is None
        assert cli("run", "study.yaml").code == 6
        late = cli("run", "study.yaml", "--lock-timeout", "0.1")
        assert (late.code, "waiting for process " in late.err) == (6, True)


@LONG
def test_abort_ends_what_a_run_waits_for_and_the_run_records_it(cli, emulator):
    write_study(cli, "alpha", "beta")
    with running(cli) as run:
        assert cli.ok("abort", "study.yaml", "--yes", "--json").json["aborted"] == ["alpha", "beta"]
        out, _ = run.communicate(timeout=60)
        assert (run.returncode, ": 2 aborted" in out) == (1, True)
    assert {item["analysis"]["status"] for item in cli.lockfile()["items"].values()} == {"ABORTED"}
    assert "nothing to abort" in cli.ok("abort", "study.yaml").out


@LONG
def test_watching_a_run_ends_when_everything_has_ended(cli, emulator):
    write_study(cli, "alpha")
    with running(cli):
        watch = cli.start("status", "study.yaml", "--watch", "--poll-interval", "0.2")
        time.sleep(1)
        cli.ok("abort", "study.yaml", "--yes")
        out, _ = watch.communicate(timeout=60)
        assert (watch.returncode, "1 item: 1 aborted" in out) == (0, True)


@LONG
def test_a_no_aborts_nothing_and_what_is_being_aborted_is_not_asked_about_again(cli, emulator):
    write_study(cli, "alpha", "beta")
    cli.ok("run", "study.yaml")
    refused = on_terminal(cli, "abort", "study.yaml", answers={"Abort 2 analyses?": "n\n"})
    assert (refused.code, refused.text.splitlines()[-1]) == (7, "error: nothing was aborted")


@pytest.mark.parametrize("emulator", [{"fail_analysis": "^beta$"}], indirect=True)
def test_status_shows_failures_alone_and_says_so_with_its_exit_code(cli, emulator):
    write_study(cli, "alpha", "beta")
    cli("run", "study.yaml", "--wait", "finished")
    assert cli("status", "study.yaml", "--exit-status").code == 1
    assert cli("status", "study.yaml", "--exit-status", "--target", "alpha").code == 0
    assert cli("status", "study.yaml", "--target", "gamma").code == 2
    quiet = cli("status", "study.yaml", "--exit-status", "--quiet")
    assert (quiet.code, quiet.out + quiet.err) == (1, "")
    failed = cli.ok("status", "study.yaml", "--failed")
    assert [line.split("\t")[0] for line in failed.out.splitlines()] == ["beta", "1 item: 1 failed"]
    document = cli.ok("status", "study.yaml", "--json").json
    assert (document["reportVersion"], document["totals"]["failed"]) == (1, 1)
    assert "requests" not in str(document)
    cli.ok("accept", "study.yaml", "--target", "beta")
    assert cli.ok("status", "study.yaml", "--failed", "--exit-status").out == "0 items\n"
