"""The end of a run: what failed, where it came from, and what to do about it."""

from __future__ import annotations

import pytest
from studies import write_rows, write_study


@pytest.mark.parametrize("emulator", [{"fail_creation": "^beta$"}], indirect=True)
def test_a_failed_item_is_named_with_its_message_and_the_lines_it_came_from(cli, emulator):
    write_study(cli, "alpha", "beta")
    ran = cli("run", "study.yaml")
    assert ran.out.splitlines() == [
        "failed: beta: The emulator was set to fail this creation. (study.yaml:9, study.csv:3)",
        "launched 2 in 1 batch(es), 1 created, 1 failed, 0 unchanged",
        "next: mend the cause, then run with --retry-failed: it launches them again, as the manifest then has them",
        "lockfile: study.lock.json",
    ]
    again = cli("run", "study.yaml")
    assert again.out.splitlines()[:2] == [
        "failed: beta: The emulator was set to fail this creation. (study.yaml:9, study.csv:3)",
        "nothing to launch: 1 unchanged, 1 failed before",
    ]
    quiet = cli("run", "study.yaml", "--quiet")
    assert (quiet.code, quiet.out, quiet.err.splitlines()) == (1, "", again.out.splitlines()[:1])


@pytest.mark.parametrize("emulator", [{"fail_creation": "^beta$"}], indirect=True)
def test_what_the_summary_advises_for_a_mended_row_works(cli, emulator):
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
    assert (ran.code, ran.out.splitlines()[0]) == (
        1,
        "failed: beta: its analysis ended as FAILED (study.yaml:9, study.csv:3)",
    )


def test_a_run_that_went_well_ends_with_what_it_did(cli, emulator):
    write_study(cli, "alpha", "beta")
    ran = cli.ok("run", "study.yaml", "--batch-size", "1")
    assert ran.out.splitlines() == [
        "launched 2 in 2 batch(es), 2 created, 0 failed, 0 unchanged",
        "lockfile: study.lock.json",
    ]
    assert cli.ok("run", "study.yaml", "--quiet").out == ""
