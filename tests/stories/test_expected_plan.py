"""What was reviewed is what runs: `--expect`, who launched it, and from which commit."""

from __future__ import annotations

import subprocess

import pytest
from studies import change, write_rows, write_study

from manifest_runner.emulator import parse_fault


def digest_of(cli, *options: str) -> str:
    return cli.ok("plan", "study.yaml", "--json", *options).json["planDigest"]


def test_only_the_plan_that_was_reviewed_is_launched(cli, emulator):
    write_study(cli, "alpha", "beta")
    reviewed = digest_of(cli)
    write_rows(cli, dict.fromkeys(("alpha", "beta", "gamma"), "true"))
    refused = cli("run", "study.yaml", "--expect", reviewed)
    assert (refused.code, emulator.executed()) == (7, [])
    assert digest_of(cli) in refused.err
    write_rows(cli, dict.fromkeys(("beta", "alpha"), "true"))
    cli.ok("run", "study.yaml", "--expect", reviewed)
    assert {batch["planDigest"] for batch in cli.lockfile()["batches"].values()} == {reviewed}
    cli.ok("run", "study.yaml", "--expect", reviewed)
    cli.ok("run", "study.yaml", "--expect", "0" * 64)
    assert sorted(emulator.executed()) == ["alpha", "beta"], "a plan with nothing to launch always holds"
    assert cli("run", "study.yaml", "--expect", "abc").code == 2


@pytest.mark.parametrize("emulator", [{"faults": (parse_fault("drop-after:2"),)}], indirect=True)
def test_after_a_crash_the_same_command_continues(cli, emulator):
    write_study(cli, "alpha", "beta", "gamma", "delta")
    reviewed = digest_of(cli, "--limit", "3")
    command = ("run", "study.yaml", "--limit", "3", "--batch-size", "1", "--expect", reviewed)
    assert cli(*command, "--timeout", "2").code in (0, 5)
    for _ in range(2):
        cli.ok(*command)
        assert sorted(emulator.executed()) == ["alpha", "beta", "gamma"]


@pytest.mark.parametrize(
    "emulator",
    [{"faults": (parse_fault("403:3"),), "fail_analysis": "alpha", "analysis_duration": 0.1}],
    indirect=True,
)
def test_a_retry_does_not_count_as_a_part_of_the_expected_plan(cli, emulator):
    write_study(cli, "alpha", "beta")
    change(cli, "manifest: 1", "manifest: 1\nmaxRunning: 1")
    command = ("run", "study.yaml", "--wait", "finished", "--retries", "1", "--expect", digest_of(cli))
    assert (cli(*command).code, emulator.executed()) == (4, ["alpha", "alpha"])
    assert cli(*command).code == 1
    assert emulator.executed() == ["alpha", "alpha", "beta"]


@pytest.mark.parametrize("emulator", [{"fail_analysis": "alpha", "analysis_duration": 0.5}], indirect=True)
def test_a_locked_run_launches_nothing_whatever_else_it_is_asked_for(cli, emulator):
    write_study(cli, "alpha")
    cli.ok("run", "study.yaml", "--wait", "none")
    assert cli("run", "study.yaml", "--locked", "--wait", "finished", "--retries", "1").code == 1
    refused = cli("run", "study.yaml", "--locked", "--retry-failed")
    assert (refused.code, "1 failed and due again (alpha)" in refused.err) == (8, True)
    assert emulator.executed() == ["alpha"]


def test_a_batch_says_who_sent_it_from_which_commit(cli, emulator):
    write_study(cli, "alpha")
    for arguments in (["init", "-q"], ["config", "user.name", "A Person"], ["config", "user.email", "a@example.org"]):
        subprocess.run(["git", *arguments], cwd=cli.folder, check=True)
    subprocess.run(["git", "add", "."], cwd=cli.folder, check=True)
    subprocess.run(["git", "commit", "-qm", "study"], cwd=cli.folder, check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=cli.folder, check=True, capture_output=True, text=True)
    cli.ok("run", "study.yaml")
    change(cli, "caller: fast", "caller: exact")
    cli.ok("run", "study.yaml", "--relaunch-changed")
    batches = sorted(cli.lockfile()["batches"].values(), key=lambda batch: batch["source"]["dirty"])
    assert [batch["source"] for batch in batches] == [
        {"commit": head.stdout.strip(), "dirty": dirty} for dirty in (False, True)
    ]
    assert {batch["by"] for batch in batches} == {"A Person"}
    assert "example.org" not in cli.read("study.lock.json")


@pytest.mark.parametrize("emulator", [{"token_lifetime": 1.0, "creation_delay": 3.0}], indirect=True)
def test_tokens_that_expire_in_the_middle_of_a_run_are_survived(cli, emulator):
    write_study(cli, "alpha", "beta")
    cli.ok("run", "study.yaml")
    assert emulator.executed() == ["alpha", "beta"]
