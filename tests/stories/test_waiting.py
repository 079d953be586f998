"""Waiting: as long as requested, with few requests, and always safe to interrupt."""

from __future__ import annotations

import signal

import pytest
from counting import counting
from studies import write_study
from terminals import on_terminal

SLOW = pytest.mark.parametrize("emulator", [{"creation_delay": 60.0}], indirect=True)
BRISK = pytest.mark.parametrize("emulator", [{"creation_delay": 0.8, "analysis_duration": 0.8}], indirect=True)


# A token needs no exchange, which would be a request of its own.
TOKEN = {"ICAV2_ACCESS_TOKEN": "a-token"}


@pytest.fixture(autouse=True)
def _study(cli):
    write_study(cli, "alpha", "beta", "gamma")


@SLOW
def test_without_waiting_a_run_ends_when_all_is_sent(cli, emulator):
    cli.ok("run", "study.yaml", "--wait", "none")
    lockfile = cli.lockfile()
    assert {item["analysis"] for item in lockfile["items"].values()} == {None}
    assert len(lockfile["batches"]) == 1


@pytest.mark.parametrize("emulator", [{"creation_delay": 5.0}], indirect=True)
def test_a_run_that_waited_too_long_is_safe_to_repeat_until_all_is_there(cli, emulator):
    late = cli("run", "study.yaml", "--timeout", "2.5")
    assert (late.code, "3 items are not created after 2.5 s" in late.err) == (5, True)
    assert cli.files() == ["study.csv", "study.lock.json", "study.yaml"]
    cli.ok("run", "study.yaml", "--wait", "finished", "--poll-interval", "0.2")
    assert {item["analysis"]["status"] for item in cli.lockfile()["items"].values()} == {"SUCCEEDED"}
    assert sorted(emulator.executed()) == ["alpha", "beta", "gamma"]


@BRISK
def test_a_pipe_gets_a_line_for_each_change_of_state(cli, emulator):
    ran = cli.ok("run", "study.yaml", "--poll-interval", "0.05", "--wait", "finished")
    lines = [line.partition(" (after")[0] for line in ran.err.splitlines() if line.startswith("3 items: ")]
    assert lines[-1] == "3 items: 3 succeeded"
    assert len(lines) == len(set(lines))
    assert "\x1b" not in ran.out + ran.err


# -- requests


def test_nothing_is_asked_about_what_cannot_change(cli, emulator):
    with counting(emulator.url) as counted:
        server = {"ICAV2_SERVER_URL": counted.url, **TOKEN}
        cli.ok("run", "study.yaml", "--wait", "finished", "--no-check", **server)
        sent = counted.taken()
        cli.ok("status", "study.yaml", **server)
        assert counted == []
        cli.ok("run", "study.yaml", "--wait", "finished", "--no-check", **server)
    assert len([each for each in sent if each == "POST analysisCreationBatch"]) == 1
    assert len(sent) <= 5, "a search, the POST, the items, the batch, a search for doubles"
    assert counted == ["POST analysis:search"], "so soon after a launch, doubles are looked for once more"


@SLOW
def test_a_refresh_asks_once_for_each_batch_that_can_still_change(cli, emulator):
    write_study(cli, "alpha", "beta", "gamma", "omega")
    with counting(emulator.url) as counted:
        server = {"ICAV2_SERVER_URL": counted.url, **TOKEN}
        cli.ok("run", "study.yaml", "--wait", "none", "--batch-size", "2", **server)
        first, second = cli.lockfile()["batches"]
        counted.clear()
        cli.ok("status", "study.yaml", **server)
        asked = counted.taken()
    each = [f"GET analysisCreationBatch/{batch}{what}" for batch in (first, second) for what in ("", "/items")]
    assert sorted(asked) == sorted([*each, "POST analysis:search"])


@pytest.mark.parametrize("emulator", [{"creation_delay": 0.0, "analysis_duration": 60.0}], indirect=True)
def test_a_lone_item_that_still_runs_is_all_that_is_asked_for(cli, emulator):
    with counting(emulator.url) as counted:
        server = {"ICAV2_SERVER_URL": counted.url, **TOKEN}
        cli.ok("run", "study.yaml", "--batch-size", "2", **server)
        ((reference, last),) = [each for each in cli.lockfile()["items"].items() if each[0] == "gamma"]
        ended = [item["analysis"]["id"] for name, item in cli.lockfile()["items"].items() if name != reference]
        cli.write("study.lock.json", _with_ended(cli.read("study.lock.json"), ended))
        counted.clear()
        cli.ok("status", "study.yaml", **server)
    assert counted == [f"GET analysisCreationBatch/{last['batchId']}/items/{last['itemId']}"]


def _with_ended(lockfile: str, analyses: list[str]) -> str:
    lines = lockfile.splitlines(keepends=True)
    return "".join(
        line.replace('"REQUESTED"', '"SUCCEEDED"') if any(each in line for each in analyses) else line for line in lines
    )


# -- broken off


@SLOW
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupted_wait_says_how_to_continue(cli, emulator, name):
    with cli.start("run", "study.yaml") as process:
        assert process.stderr
        while not process.stderr.readline().startswith("3 items: "):
            assert process.poll() is None
        process.send_signal(signal.Signals[name])
        words = process.stderr.read()
        assert (process.wait(), "run the same command again to continue" in words) == (130, True)
    assert cli.files() == ["study.csv", "study.lock.json", "study.yaml"]
    cli.ok("run", "study.yaml", "--wait", "none")
    assert sorted(emulator.executed()) == ["alpha", "beta", "gamma"]


# -- on a terminal


@BRISK
def test_a_terminal_shows_bars_while_it_waits_and_only_the_summary_in_the_end(cli, emulator):
    seen = on_terminal(cli, "run", "study.yaml", "--poll-interval", "0.1")
    assert seen.code == 0
    assert "━" in seen.raw
    assert "3 created" in seen.text or "3 succeeded" in seen.text
    done, lockfile = seen.text.splitlines()[-2:]
    assert done.startswith("launched 3 in 1 batch in ")
    assert lockfile == "lockfile: study.lock.json"


def test_a_terminal_shows_how_far_the_rendering_of_a_large_sheet_is(cli):
    write_study(cli, *(f"s{number}" for number in range(2500)))
    seen = on_terminal(cli, "plan", "study.yaml")
    assert (seen.code, "rendered" in seen.raw, "2,000" in seen.text) == (0, True, True)


@BRISK
def test_status_watches_on_a_terminal_until_every_analysis_has_ended(cli, emulator):
    cli.ok("run", "study.yaml", "--wait", "none")
    seen = on_terminal(cli, "status", "study.yaml", "--watch", "--poll-interval", "0.2")
    assert seen.code == 0
    screen, _, after = seen.raw.partition("\x1b[?1049l")
    assert "\x1b[?1049h" in screen
    assert "3 items: 3 succeeded" in after
    assert "watched for" not in after


def test_the_status_of_nothing_says_so(cli):
    looked = cli.ok("status", "study.yaml")
    assert "nothing has been launched yet" in looked.err
    assert cli.files() == ["study.csv", "study.yaml"]
