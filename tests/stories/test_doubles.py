"""What two runs that start together launch twice is reported, and cleaned up in the same way by everybody."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from conftest import API_KEY, Cli
from studies import change, write_study

from manifest_runner.emulator import parse_fault

SLOW = {"creation_delay": 1.0, "analysis_duration": 30.0, "search_lag": 0.2}
QUICK = {"creation_delay": 0.1, "analysis_duration": 12.0}


def at(timetable: dict[str, float]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("emulator", [timetable], indirect=True)


@pytest.fixture(name="users")
def _users(cli, emulator, tmp_path) -> tuple[Cli, Cli]:
    """Two users with a folder each, and one more row."""
    other = Cli(tmp_path / "other", {**cli.env, "ICAV2_X_API_KEY": "key-of-another-user"}, cli.served)
    other.folder.mkdir()
    write_study(cli, "alpha", "beta")
    write_study(other, "alpha", "beta", "gamma")
    return cli, other


@pytest.fixture(name="doubled")
def _doubled(users) -> tuple[Cli, Cli]:
    """What happens to them when the second does not see what the first has launched."""
    one, other = users
    one.ok("run", "study.yaml")
    assert other("run", "study.yaml", "--adopt", "never").code == 1
    return users


def until_aborted(cli: Cli) -> None:
    """An abort takes a moment to show."""
    while json.loads(cli("doubles", "study.yaml", "--json").out):
        time.sleep(0.2)


def analysis(cli: Cli, reference: str) -> str:
    return cli.lockfile()["items"][reference]["analysis"]["id"]


@at(SLOW)
def test_doubles_are_reported_with_both_ids_and_everybody_keeps_the_same_one(users, emulator):
    one, other = users
    runs = [
        one.start("run", "study.yaml", "--json"),
        other.start("run", "study.yaml", "--json", "--batch-size", "1"),
    ]
    ended = [process.communicate(timeout=60) and process.returncode for process in runs]
    assert sorted(emulator.executed()) == ["alpha", "alpha", "beta", "beta", "gamma"], "the race happened"
    ids = {reference: {analysis(one, reference), analysis(other, reference)} for reference in ("alpha", "beta")}
    assert 1 in ended
    for cli in (one, other):  # within the hour each run says so
        again = cli("run", "study.yaml")
        assert (again.code, all(each in again.out for each in ids["alpha"] | ids["beta"])) == (1, True)
    found = one("doubles", "study.yaml", "--json")
    assert found.code == 1
    assert {each["userReference"]: set(each["analyses"]) for each in found.json} == ids
    kept = {each["userReference"]: each["analyses"][0] for each in found.json}
    assert one("doubles", "study.yaml", "--abort").code == 7
    for cli in (one, other):
        cli.ok("doubles", "study.yaml", "--abort", "--yes")
        assert {reference: analysis(cli, reference) for reference in ids} == kept
    assert one("doubles", "study.yaml").code == 0, "what was asked to abort counts no longer, whoever launched it"
    until_aborted(one)
    for cli in (one, other):
        cli.ok("run", "study.yaml")
        assert {reference: analysis(cli, reference) for reference in ids} == kept
    assert len(emulator.executed()) == 5


@at(QUICK)
def test_what_another_user_cleaned_up_is_not_paid_again(doubled, emulator):
    one, other = doubled
    one.ok("doubles", "study.yaml", "--abort", "--yes")
    until_aborted(other)
    other("run", "study.yaml", "--retry-failed")
    assert len(emulator.executed()) == 5
    assert other.ok("run", "study.yaml").code == 0


@at(QUICK)
def test_a_run_that_stops_for_approval_reports_doubles_too(doubled):
    one, _ = doubled
    ids = [analysis(user, reference) for user in doubled for reference in ("alpha", "beta")]
    change(one, "caller: fast", "caller: exact")
    stopped = one("run", "study.yaml")
    assert stopped.code == 7
    assert "In addition, 2 items were launched more than once: alpha: analyses " in stopped.err
    assert all(each in stopped.err for each in ids)


@at(QUICK)
def test_a_failed_start_leaves_no_trace(cli, emulator, tmp_path: Path):
    write_study(cli, "alpha")
    assert cli("doubles", "study.yaml", ICAV2_X_API_KEY=API_KEY).code == 0
    assert cli.files() == ["study.csv", "study.yaml"]


@at({"faults": (parse_fault("403:1-99@search"),)})
def test_where_searches_are_refused_a_run_that_adopts_nothing_continues(cli, emulator):
    write_study(cli, "alpha")
    assert (cli("run", "study.yaml").code, emulator.executed()) == (4, [])
    assert "could not check" in cli.ok("run", "study.yaml", "--adopt", "never").err
