"""A run asks ICA before it decides: what failed overnight is known in the morning."""

from __future__ import annotations

import pytest
from studies import change, states, write_rows, write_study

pytestmark = pytest.mark.parametrize(
    "emulator", [{"analysis_duration": 1.0, "fail_analysis": "^beta$", "abort_analysis": "^gamma$"}], indirect=True
)


@pytest.fixture(name="evening")
def _evening(cli, emulator):
    """A study that was launched, and whose analyses have ended since without anybody looking."""
    write_study(cli, "alpha", "beta", "gamma")
    cli.ok("run", "study.yaml")
    wait_for_the_night(cli)
    return cli


def wait_for_the_night(cli) -> None:
    """Until the analyses have ended, as another lockfile sees it."""
    cli.ok("import", "study.yaml", "--lockfile", "other.lock.json")
    cli.ok("status", "study.yaml", "--watch", "--lockfile", "other.lock.json")


def test_the_next_run_knows_what_failed_and_why_and_what_to_do(evening):
    before = evening.lockfile()["items"]["beta"]
    assert (before["analysis"]["status"] not in ("FAILED", "SUCCEEDED"), before["message"]) == (True, None)
    morning = evening("run", "study.yaml")
    assert morning.code == 1
    assert "failed: beta: The emulator was set to fail this analysis. (study.yaml:9, study.csv:3)" in morning.out
    assert "failed: gamma: " in morning.out
    assert "run with --retry-failed" in morning.out
    item = evening.lockfile()["items"]["beta"]
    assert item["message"] == "The emulator was set to fail this analysis."
    assert {"startDate", "endDate"} <= item["analysis"].keys()


def test_failed_and_aborted_ones_are_launched_again_in_one_command(evening, emulator):
    planned = evening.ok("plan", "study.yaml", "--json")
    assert states(planned.json) == {"unchanged": ["alpha", "beta", "gamma"]}, "a plan asks nobody"
    assert "3 had not ended when ICA was last asked" in evening.ok("plan", "study.yaml").out
    change(evening, "caller: fast", "caller: exact")
    write_rows(evening, dict.fromkeys(("alpha", "beta", "gamma", "delta"), "true"))
    done = evening("run", "study.yaml", "--retry-failed", "--json")
    assert (done.code, done.json["launches"]) == (0, ["beta", "gamma"]), (
        "neither alpha, which changed, nor delta holds it up"
    )
    assert sorted(emulator.executed()) == ["alpha", "beta", "beta", "gamma", "gamma"]


def test_a_failed_item_that_was_fixed_is_reported_as_that(evening):
    evening("run", "study.yaml")
    write_rows(evening, {"alpha": "true", "beta": "false", "gamma": "true"})
    planned = evening.ok("plan", "study.yaml")
    assert '! beta\n    analysisInput.parameters[enable_sv]: "true" → "false"' in planned.out
    assert "1 failed and changed since; --retry-failed launches those as they are now" in planned.out
    only = evening.ok("plan", "study.yaml", "--retry-failed", "--json").json
    assert (states(only), only["launches"]) == ({"failed": ["beta", "gamma"]}, ["beta", "gamma"])
    assert evening("run", "study.yaml").code == 1, "it needs no approval, and nothing is launched"


def test_a_target_narrows_what_counts(evening):
    assert evening.ok("run", "study.yaml", "--target", "alpha").code == 0
    assert evening("run", "study.yaml", "--target", "b*").code == 1


def test_what_failed_can_be_accepted_until_it_changes(evening):
    assert evening("run", "study.yaml").code == 1
    assert evening.ok("accept", "study.yaml", "--json").json["accepted"] == ["beta", "gamma"]
    accepted = evening.lockfile()["items"]["beta"]
    assert accepted["accepted"] == accepted["digest"]
    assert "1 succeeded, 2 failed and accepted" in evening.ok("run", "study.yaml").out
    evening.ok("status", "study.yaml", "--exit-status")
    write_rows(evening, {"alpha": "true", "beta": "false", "gamma": "true"})
    changed = evening("run", "study.yaml")
    assert (changed.code, "1 failed, 1 failed and accepted" in changed.out) == (1, True), changed.out


def test_no_refresh_decides_by_the_lockfile(evening, emulator):
    evening.ok("run", "study.yaml", "--no-refresh")
    assert evening.lockfile()["items"]["beta"]["message"] is None
    assert emulator.executed() == ["alpha", "beta", "gamma"]
