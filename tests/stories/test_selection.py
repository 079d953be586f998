"""Selection: some items of a manifest, some failed ones, several manifests."""

from __future__ import annotations

import pytest
from studies import states, write_rows, write_study

SAMPLES = ("alpha", "beta", "gamma", "omega")


def test_targets_are_globs_and_add_up_and_the_limit_counts_what_is_due(cli, emulator):
    write_study(cli, *SAMPLES)
    assert "4 beyond --limit; nothing to launch" in cli.ok("plan", "study.yaml", "--limit", "0").out
    done = cli.ok("run", "study.yaml", "--target", "al*", "--target", "[bg]*", "--limit", "2")
    assert "next: 1 item is beyond --limit" in done.out
    assert emulator.executed() == ["alpha", "beta"]
    cli.ok("run", "study.yaml", "--limit", "1")
    assert emulator.executed() == ["alpha", "beta", "gamma"]


def test_a_target_that_names_nothing_is_wrong_use(cli, emulator):
    write_study(cli, *SAMPLES)
    missed = cli("run", "study.yaml", "--target", "delta*")
    assert (missed.code, "delta*" in missed.err) == (2, True)
    assert cli.files() == ["study.csv", "study.yaml"]


@pytest.mark.parametrize("emulator", [{"fail_creation": "^(alpha|beta)$", "fail_analysis": "^gamma$"}], indirect=True)
def test_a_retry_launches_what_failed_in_any_way_and_nothing_else(cli, emulator):
    write_study(cli, *SAMPLES)
    cli("run", "study.yaml", "--wait", "finished")
    write_rows(cli, dict.fromkeys((*SAMPLES, "new"), "true"))
    one = cli("run", "study.yaml", "--retry-failed", "--target", "alpha", "--json").json
    assert (one["created"], one["createdFailed"]) == (0, 1)
    every = cli("run", "study.yaml", "--retry-failed", "--json").json
    assert (every["created"], every["createdFailed"]) == (1, 2)
    assert sorted(emulator.executed()) == ["alpha", "alpha", "alpha", "beta", "beta", "gamma", "gamma", "omega"]
    assert {name: item["attempt"] for name, item in cli.lockfile()["items"].items()} == {
        "alpha": 2,
        "beta": 1,
        "gamma": 1,
        "omega": 0,
    }


@pytest.mark.parametrize("emulator", [{"fail_creation": "^beta$"}], indirect=True)
def test_several_manifests_each_have_their_lockfile_and_one_that_is_wrong_stops_no_other(cli, emulator):
    write_study(cli, "alpha", name="one")
    write_study(cli, name="wrong")
    cli.write("wrong.yaml", "manifest: 1\n")
    write_study(cli, "beta", "gamma", name="two")
    ran = cli("run", "one.yaml", "wrong.yaml", "two.yaml")
    assert ran.code == 3
    assert sorted(emulator.executed()) == ["alpha", "beta", "gamma"]
    assert [name for name in cli.files() if name.endswith(".lock.json")] == ["one.lock.json", "two.lock.json"]
    summary = ran.out.splitlines()
    assert [line for line in summary if line.startswith("== ")] == ["== one.yaml", "== wrong.yaml", "== two.yaml"]
    assert summary[summary.index("== wrong.yaml") + 1] == "stopped with exit code 3"
    again = cli("run", "one.yaml", "two.yaml", "--json")
    assert again.code == 1
    assert [states(each) for each in again.json] == [
        {"unchanged": ["alpha"]},
        {"unchanged": ["gamma"], "failed": ["beta"]},
    ]


def test_of_several_manifests_the_json_has_the_error_of_each_that_fails(cli):
    ran = cli("run", "one.yaml", "two.yaml", "--json")
    assert (ran.code, [each["error"]["exit"] for each in ran.json]) == (2, [2, 2])


def test_one_lockfile_for_several_manifests_is_wrong_use(cli):
    write_study(cli, "alpha")
    assert cli("run", "study.yaml", "study.yaml", "--lockfile", "x.lock.json").code == 2
