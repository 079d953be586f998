"""What commands say when there is little or nothing to show, and what they advise then."""

from __future__ import annotations

from pathlib import Path

import pytest

from manifest_runner.cli.views.accepted import accepted_lines
from manifest_runner.cli.views.doubles import doubles_lines
from manifest_runner.cli.views.failures import failures_lines
from manifest_runner.cli.views.findings import summary_lines
from manifest_runner.cli.views.outputs import outputs_lines
from manifest_runner.commands.accept import Accepted
from manifest_runner.commands.doubles import Doubles
from manifest_runner.commands.failures import FailuresReport
from manifest_runner.commands.outputs import OutputsReport
from manifest_runner.diagnostics.finding import InvalidManifest, Place
from manifest_runner.ica.model import Analysis
from manifest_runner.launch.doubles import Double


def double(*statuses: str) -> Double:
    analyses = (Analysis(f"id{n}", f"S1-{n}", status) for n, status in enumerate(statuses))
    return Double("S1", "0" * 64, tuple(analyses))


def test_analyses_that_have_ended_are_not_offered_for_an_abort() -> None:
    running = doubles_lines(Doubles([double("SUCCEEDED", "INPROGRESS")], [], "lock"), abort=False)
    assert running[-1] == "next: with --abort, this command aborts all but the oldest analysis of each"
    ended = doubles_lines(Doubles([double("INPROGRESS", "SUCCEEDED")], [], "lock"), abort=False)
    assert ended[-1].startswith("next: nothing is left to abort")


def test_one_analysis_is_not_counted_as_several() -> None:
    aborted = doubles_lines(Doubles([double("INPROGRESS", "INPROGRESS")], ["id1"], "lock"), abort=True)
    assert aborted[1:] == ["asked ICA to abort 1 analysis", "the oldest of each is kept", "lockfile: lock"]
    late = doubles_lines(Doubles([double("INPROGRESS", "SUCCEEDED")], [], "lock"), abort=True)
    assert late[1] == "1 analysis had already ended and cannot be aborted"


@pytest.mark.parametrize(
    ("changed", "failed", "words"),
    [
        (["A"], [], "accepted 1 changed item"),
        ([], ["B", "C"], "accepted 2 failed items"),
        (["A"], ["B", "C"], "accepted 1 changed item and 2 failed items"),
    ],
)
def test_only_what_was_accepted_is_counted(changed: list[str], failed: list[str], words: str) -> None:
    assert words in accepted_lines(Accepted(changed=changed, failed=failed, path="lock"))


@pytest.mark.parametrize(
    ("launched", "accepted", "words"),
    [
        (0, 0, "nothing has been launched yet"),
        (2, 0, "nothing failed"),
        (2, 1, "nothing failed, apart from 1 accepted failure"),
    ],
)
def test_no_failures_are_not_the_same_as_no_launches(launched: int, accepted: int, words: str) -> None:
    report = FailuresReport(
        (), {}, {}, (), "lock", is_hidden=False, launched=launched, accepted=accepted, logs=Path("logs")
    )
    assert [*failures_lines(report, str, verbose=False)] == ["logs: logs", words]


def test_without_launches_there_are_no_outputs_yet() -> None:
    assert [*outputs_lines(OutputsReport({}, (), "lock"))] == ["nothing has been launched yet"]


def test_a_manifest_with_errors_has_a_line_of_its_own_with_their_number() -> None:
    invalid = InvalidManifest.at(Place("a.yaml", 3), "MR201", "unknown key")
    assert [*summary_lines({Path("a.yaml"): invalid})] == ["a.yaml: 1 error"]
