"""The end of a run: what failed, where it came from, and what to do about it."""

from __future__ import annotations

import re

import pytest
from studies import write_rows, write_study


@pytest.mark.parametrize("emulator", [{"fail_creation": "^beta$"}], indirect=True)
def test_a_failed_item_is_named_with_its_message_and_the_lines_it_came_from(cli, emulator):
    write_study(cli, "alpha", "beta")
    ran = cli("run", "study.yaml")
    assert re.sub(r"in \d+ s: ", "in N s: ", ran.out).splitlines() == [
        "failed: beta: The emulator was set to fail this creation. (study.yaml:9, study.csv:3)",
        "launched 2 in 1 batch in N s: 1 succeeded, 1 not created",
        (
            "next: `manifest-runner failures` shows why; fix the cause and run with --retry-failed to launch them "
            "again, or `accept` the failures"
        ),
        "lockfile: study.lock.json",
    ]
    again = cli("run", "study.yaml")
    assert again.out.splitlines()[:3] == [
        "failed: beta: The emulator was set to fail this creation. (study.yaml:9, study.csv:3)",
        "nothing to launch",
        "2 items in all: 1 succeeded, 1 not created",
    ]
    quiet = cli("run", "study.yaml", "--quiet")
    assert (quiet.code, quiet.out, quiet.err.splitlines()) == (1, "", again.out.splitlines()[:1])


@pytest.mark.parametrize("emulator", [{"fail_creation": "^beta$"}], indirect=True)
def test_what_the_summary_advises_for_a_fixed_row_works(cli, emulator):
    write_study(cli, "alpha", "beta")
    cli("run", "study.yaml")
    write_rows(cli, {"alpha": "true", "beta": "false"})
    assert cli("run", "study.yaml", "--retry-failed").code == 1
    assert sorted(emulator.executed()) == ["alpha", "beta", "beta"]


@pytest.mark.parametrize("emulator", [{"fail_creation": "^s"}], indirect=True)
def test_many_failures_are_counted_and_the_report_lists_them_all(cli, emulator):
    write_study(cli, *(f"s{number:02}" for number in range(14)))
    ran = cli("run", "study.yaml").out.splitlines()
    assert [line[:11] for line in ran[:10]] == [f"failed: s{number:02}" for number in range(10)]
    assert ran[10] == "failed: … and 4 more; `manifest-runner report` lists all"
    rows = cli.ok("report", "study.yaml", "--format", "csv").out
    assert rows.count("set to fail") == 14


@pytest.mark.parametrize("emulator", [{"fail_analysis": "^beta$"}], indirect=True)
def test_a_failed_analysis_is_named_when_it_was_waited_for(cli, emulator):
    write_study(cli, "alpha", "beta")
    ran = cli("run", "study.yaml", "--wait", "finished")
    assert ": 1 succeeded, 1 failed" in ran.out
    assert (ran.code, ran.out.splitlines()[0]) == (
        1,
        "failed: beta: The emulator was set to fail this analysis. (study.yaml:9, study.csv:3)",
    )


def test_a_run_that_went_well_ends_with_what_it_did(cli, emulator):
    write_study(cli, "alpha", "beta")
    ran = cli.ok("run", "study.yaml", "--batch-size", "1")
    assert re.sub(r"in \d+ s: ", "in N s: ", ran.out).splitlines() == [
        "launched 2 in 2 batches in N s: 2 succeeded",
        "lockfile: study.lock.json",
    ]
    assert cli.ok("run", "study.yaml", "--quiet").out == ""
