"""Failures with the same cause are one group."""

from __future__ import annotations

import pytest
from report_lockfiles import locked

from manifest_runner.cli.views.failures import failures_lines
from manifest_runner.commands.failures import FailuresReport
from manifest_runner.lockfile.model import LockedFailure, Lockfile
from manifest_runner.report.failure_groups import group_failures, where
from manifest_runner.report.reasons import group_by_reason
from manifest_runner.report.summary import summarise


def failed(line: str, step: str = "align"):
    return locked(analysis="FAILED", failure=LockedFailure(step, 1, line))


@pytest.mark.parametrize("name", ["{}", "{}-germline", "germline/{}", "{} 2"])
def test_the_name_of_the_sample_in_the_last_line_makes_no_group_of_its_own(name: str, empty: Lockfile) -> None:
    samples = ("KLM", "anna", "HG002", "patient_x")
    empty.items = {name.format(sample): failed(f"cannot open {sample}_R1.fastq.gz") for sample in samples}
    (group,) = group_failures(empty.items)
    (reason,) = group_by_reason(summarise(empty).failed)
    assert (len(group.user_references), group.line) == (4, "cannot open …_R….fastq.gz")
    assert (len(reason.rows), reason.text) == (4, 'align, exit 1: "cannot open …_R….fastq.gz"')


def test_a_step_that_bears_the_name_of_the_sample_is_one_step(empty: Lockfile) -> None:
    empty.items = {f"{sample}-wgs": failed("Killed", f"ALIGN ({sample})") for sample in ("KLM", "anna")}
    empty.items |= {"berta-wgs": failed("Killed", "SORT 1"), "clara-wgs": failed("Killed", "SORT 2")}
    groups = group_failures(empty.items)
    assert [(group.step, where(group)) for group in groups] == [
        ("ALIGN (…)", "failure.exitCode == 1"),
        ("SORT 1", 'failure.step == "SORT 1" and failure.exitCode == 1'),
        ("SORT 2", 'failure.step == "SORT 2" and failure.exitCode == 1'),
    ]
    (first, *_) = group_by_reason(summarise(empty).failed)
    assert first.text == 'ALIGN (…), exit 1: "Killed"'


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        (["segfault at 0x7ffdeadbeef0", "segfault at 0xabc"], "segfault at …"),
        (["[3a/5f2c1d] ended", "[b7/c0ffee] ended"], "[…] ended"),
        (["Cell@1b2c3d4 failed", "Cell@7 failed"], "Cell@… failed"),
        (["task i-0abc12 of fil.1f758b01fe0159f0", "task i-12 of fil.99999999"], "task i-… of fil.…"),
    ],
)
def test_hexadecimal_ids_and_addresses_make_no_group_of_their_own(
    lines: list[str], shown: str, empty: Lockfile
) -> None:
    empty.items = {f"S{number}": failed(line) for number, line in enumerate(lines)}
    assert [group.line for group in group_failures(empty.items)] == [shown]


def test_other_words_still_tell_reasons_apart(empty: Lockfile) -> None:
    empty.items = {"anna-wgs": failed("no space left"), "berta-wgs": failed("no such file")}
    assert [group.line for group in group_failures(empty.items)] == ["no space left", "no such file"]


def test_of_many_reasons_the_largest_are_listed_and_the_rest_is_counted(empty: Lockfile) -> None:
    words = [f"{one}{other}x" for one in "abcdefghij" for other in "klm"]
    empty.items = {f"S{number}": failed(word) for number, word in enumerate(words)}
    groups = group_failures(empty.items)
    report = FailuresReport(
        groups, dict(empty.items), {}, (), "lock", is_hidden=False, launched=30, accepted=0, logs=None
    )
    lines = list(failures_lines(report, lambda where: where, verbose=False))
    assert (sum("×" in line for line in lines), lines[20]) == (
        20,
        "… and 10 more reasons, of 10 items (--verbose shows all)",
    )
    assert sum("×" in line for line in failures_lines(report, lambda where: where, verbose=True)) == 30
