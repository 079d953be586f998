"""A trial with --emulator: it needs no ICA, keeps its files to itself, and never touches the real ones."""

from __future__ import annotations

import json

import pytest
from studies import write_study


@pytest.fixture(autouse=True)
def _study(cli):
    write_study(cli, "alpha", "beta")


def test_a_trial_leaves_the_real_lockfile_alone(cli, emulator):
    cli.ok("run", "study.yaml")
    before = cli.read("study.lock.json")
    tried = cli.ok("run", "study.yaml", "--emulator", "--json")
    assert cli.read("study.lock.json") == before
    assert tried.json["lockfile"] == ".manifest-runner/study.lock.json"
    trial = json.loads(cli.read(".manifest-runner/study.lock.json"))
    assert (trial["server"], sorted(trial["items"])) == ("emulator", ["alpha", "beta"])
    assert cli.files() == [".manifest-runner", "study.csv", "study.lock.json", "study.yaml"]
    assert cli.read(".manifest-runner/.gitignore") == "*\n"


def test_the_other_commands_see_the_trial_with_the_same_option(cli):
    cli.ok("run", "study.yaml", "--emulator")
    assert cli.ok("plan", "study.yaml", "--emulator", "--json").json["unchanged"] == ["alpha", "beta"]
    assert cli.ok("plan", "study.yaml", "--json").json["new"] == ["alpha", "beta"]
    assert cli.ok("report", "study.yaml", "--emulator", "--format", "json").json["server"] == "emulator"
    assert "2 items" in cli.ok("status", "study.yaml", "--emulator").out
    cli.ok("validate", "study.yaml", "--emulator")
    cli.ok("render", "study.yaml", "--emulator")


def test_who_looks_without_the_option_learns_that_there_is_a_trial(cli, emulator):
    cli.ok("run", "study.yaml", "--emulator")
    assert ".manifest-runner/study.lock.json is from a trial; add --emulator" in cli.ok("status", "study.yaml").err
    cli.ok("run", "study.yaml")
    assert "trial" not in cli.ok("status", "study.yaml").err


def test_a_trial_that_fails_before_it_launches_leaves_nothing(cli):
    cli.write("study.csv", "sample,bam,sv\nal+pha,fil.a,true\n")
    assert cli("run", "study.yaml", "--emulator").code == 3
    assert cli.files() == ["study.csv", "study.yaml"]
