"""Approval: what was launched and paid for is launched again only when a person agrees."""

from __future__ import annotations

import pytest
from studies import change, states, write_rows, write_study
from terminals import on_terminal


@pytest.fixture(name="_changed")
def _launch_and_change(cli, emulator):
    """Alpha and beta are launched; then alpha is changed, and gamma is new."""
    write_study(cli, "alpha", "beta")
    cli.ok("run", "study.yaml")
    write_rows(cli, {"alpha": "false", "beta": "true", "gamma": "true"})


@pytest.mark.usefixtures("_changed")
def test_a_person_is_shown_what_will_be_spent_and_may_agree(cli, emulator):
    seen = on_terminal(cli, "run", "study.yaml", answers={"[y/N]": "y\n"})
    asked = seen.text[: seen.text.index("[y/N]")]
    assert seen.code == 0
    assert asked.splitlines() == [
        "+ gamma",
        "~ alpha",
        '    analysisInput.parameters[enable_sv]: "true" → "false"',
        "study.yaml: launch 2 analyses, 1 of them again because it changed? ",
    ]
    assert sorted(emulator.executed()) == ["alpha", "alpha", "beta", "gamma"]


@pytest.mark.usefixtures("_changed")
@pytest.mark.parametrize(("answer", "code", "words"), [
    ("n\n", 7, "Nothing was sent"), ("\n", 7, "Nothing was sent"), ("\x03", 130, "interrupted"), ("\x04", 130, "")
])  # fmt: skip
def test_whoever_does_not_agree_sends_nothing(cli, emulator, answer, code, words):
    before = cli.read("study.lock.json")
    seen = on_terminal(cli, "run", "study.yaml", answers={"[y/N]": answer})
    assert (seen.code, words in seen.text) == (code, True)
    assert cli.read("study.lock.json") == before
    assert len(emulator.executed()) == 2


@pytest.mark.usefixtures("_changed")
def test_the_question_counts_what_the_options_leave_to_launch(cli, emulator):
    seen = on_terminal(cli, "run", "study.yaml", "--limit", "1", answers={"[y/N]": "y\n"})
    assert "launch 1 analysis, again because it changed?" in seen.text
    assert sorted(emulator.executed()) == ["alpha", "alpha", "beta"]


@pytest.mark.usefixtures("_changed")
def test_a_changed_item_that_is_not_chosen_stops_nobody(cli, emulator):
    cli.ok("run", "study.yaml", "--target", "gamma")
    assert sorted(emulator.executed()) == ["alpha", "beta", "gamma"]
    assert cli("run", "study.yaml").code == 7


@pytest.mark.usefixtures("_changed")
def test_max_launches_is_checked_before_anything_is_sent_changed_ones_included(cli, emulator):
    change(cli, "name: study", "name: study\nmaxLaunches: 1")
    refused = cli("run", "study.yaml", "--relaunch-changed")
    assert (refused.code, "2 items are due, more than the 1" in refused.err) == (7, True)
    assert len(emulator.executed()) == 2
    cli.ok("run", "study.yaml", "--relaunch-changed", "--max-launches", "2")


@pytest.mark.usefixtures("_changed")
def test_a_change_that_is_taken_back_needs_nobody(cli, emulator):
    write_rows(cli, {"alpha": "true", "beta": "true"})
    assert states(cli.ok("run", "study.yaml", "--json").json) == {"unchanged": ["alpha", "beta"]}


def test_a_raised_revision_of_one_analysis_is_the_approval_for_its_items_alone(cli, emulator):
    write_study(cli, "alpha")
    second = "  - kind: nextflow\n    userReference: single\n    analysisInput: {inputs: []}\n"
    cli.write("study.yaml", cli.read("study.yaml") + second)
    cli.ok("run", "study.yaml")
    change(cli, "    userReference: single", "    userReference: single\n    revision: 2")
    ran = cli.ok("run", "study.yaml", "--json").json
    assert states(ran) == {"new": ["single"], "unchanged": ["alpha"]}
    assert cli.lockfile()["items"]["single"]["revision"] == "1.2"


@pytest.mark.parametrize("emulator", [{"fail_creation": "^beta$"}], indirect=True)
def test_what_was_never_created_is_fixed_and_launched_without_a_question(cli, emulator):
    write_study(cli, "alpha", "beta")
    cli("run", "study.yaml")
    write_rows(cli, {"alpha": "true", "beta": "false"})
    assert states(cli.ok("plan", "study.yaml", "--json").json) == {"new": ["beta"], "unchanged": ["alpha"]}
    cli("run", "study.yaml")
    assert sorted(emulator.executed()) == ["alpha", "beta", "beta"]
    assert len(cli.lockfile()["items"]["beta"]["previous"]) == 1


@pytest.mark.parametrize("emulator", [{"fail_analysis": "^beta$"}], indirect=True)
def test_an_analysis_that_failed_was_paid_for_so_its_change_is_launched_by_a_retry_alone(cli, emulator):
    write_study(cli, "alpha", "beta")
    assert cli("run", "study.yaml", "--wait", "finished").code == 1
    write_rows(cli, {"alpha": "true", "beta": "false"})
    assert cli("run", "study.yaml").code == 1
    assert sorted(emulator.executed()) == ["alpha", "beta"]
    assert cli("run", "study.yaml", "--retry-failed").code == 1, "it fails once more"
    assert sorted(emulator.executed()) == ["alpha", "beta", "beta"]


def test_a_plan_says_what_run_would_want_approved(cli):
    write_study(cli, "alpha", "beta", "gamma")
    told = cli.ok("plan", "study.yaml", "--max-launches", "1")
    assert "run would stop: 3 items are due, more than the 1" in told.err
