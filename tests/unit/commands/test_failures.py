"""The reasons of failures are asked for once, grouped, and recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from commands.outcome_lab import Study, study
from msgspec import structs

from manifest_runner.cli.main import app
from manifest_runner.cli.views.failures import failures_lines
from manifest_runner.commands import preview
from manifest_runner.commands.accept import accept
from manifest_runner.commands.failures import FailuresReport, LogOptions, failures
from manifest_runner.emulator import EmulatorOptions, Fault, running
from manifest_runner.emulator.execution_record import LEAKS, requests
from manifest_runner.emulator.oddities import parse_oddities
from manifest_runner.planning.choices import Choices
from manifest_runner.report.failure_groups import group_words

CATALOG = """\
analyses:
  - userReference: ^mem
    outcome: failed
    steps:
      - {name: prepare, technical: true, exitCode: 0, stderr: ""}
      - {name: dragen, status: FAILED, exitCode: 137, stderr: "61 of 64 GB\\nKilled by 4711\\n\\n"}
  - userReference: ^zip
    outcome: failed
    steps:
      - {name: unpack, status: FAILED, exitCode: 2, stderr: "gzip: {userReference}_R2.fastq.gz: unexpected end\\n"}
  - userReference: ^late
    outcome: failed
    summary: The platform lost it.
    steps: [{name: upload, technical: true, status: FAILED}]
  - {userReference: ^gone, outcome: aborted}
  - {userReference: ^never, outcome: notCreated}
"""
SAMPLES = ("mem1", "mem2", "zip1", "zip22", "late", "gone", "never", "fine")


def ask(lab: Study, tail: int = 0, folder: Path | None = None, **choices: object) -> FailuresReport:
    return failures(lab.path, lab.target, lab.choose(**choices), lab.context, LogOptions(tail, folder))


def shown(report: FailuresReport) -> list[str]:
    return [f"{len(group.user_references)} × {group_words(group)}" for group in report.groups]


def test_failures_are_grouped_by_step_exit_code_and_last_line_but_for_numbers_and_names(tmp_path):
    with study(tmp_path, *SAMPLES, catalog=CATALOG) as lab:
        lab.run()
        report = ask(lab)
        assert shown(report)[:2] == [
            '2 × dragen, exit 137: "Killed by 4711"',
            '2 × unpack, exit 2: "gzip: …_R….fastq.gz: unexpected end"',
        ]
        assert "1 × aborted" in shown(report)
        assert any(line.startswith("1 × upload") for line in shown(report))
        assert any(line.startswith("1 × not created") for line in shown(report))
        assert lab.items()["mem1"]["failure"] == {"exitCode": 137, "line": "Killed by 4711", "step": "dragen"}


def test_each_reason_is_asked_for_once_and_without_a_credential_for_its_log(tmp_path):
    with study(tmp_path, *SAMPLES, catalog=CATALOG) as lab:
        lab.run()
        first = ask(lab)
        before = (tmp_path / "study.lock.json").read_bytes()
        again = ask(lab)
        assert (again.groups, (tmp_path / "study.lock.json").read_bytes()) == (first.groups, before)
        assert lab.asked("/steps") == 5
        assert lab.asked(":createDownloadUrls") == 1
        assert requests(lab.database)[LEAKS] == 0


def test_the_end_of_logs_and_whole_logs_can_be_had(tmp_path):
    with study(tmp_path, *SAMPLES, catalog=CATALOG) as lab:
        lab.run()
        report = ask(lab, tail=2, folder=tmp_path / "logs")
        assert report.tails["zip1"] == ("gzip: zip1_R2.fastq.gz: unexpected end",)
        assert report.tails["mem1"] == ("Killed by 4711", "")
        assert (tmp_path / "logs/mem1/dragen.stderr").read_text() == "61 of 64 GB\nKilled by 4711\n\n"
        assert [each.path for each in report.missing] == ["late/upload.stderr"]


@pytest.mark.parametrize(("oddity", "missing"), [("missing", 1), ("redirected", 1), ("cut", 0)])
def test_a_log_that_cannot_be_had_leaves_the_step_and_its_exit_code(tmp_path, oddity, missing):
    """A whole log is continued where it was cut off; its end cannot be."""
    with study(tmp_path, "mem1", catalog=CATALOG, oddities=parse_oddities([f"downloads={oddity}"])) as lab:
        lab.run()
        lab.context = structs.replace(lab.context, sleep=lambda _seconds: None)
        report = ask(lab, folder=tmp_path / "logs")
        assert [(group.step, group.exit_code) for group in report.groups] == [("dragen", 137)]
        assert lab.items()["mem1"]["failure"] == {"exitCode": 137, "step": "dragen"}
        assert len(report.missing) == missing


def test_each_kind_of_failure_has_a_line_and_a_command_that_launches_it_again(tmp_path):
    with study(tmp_path, "mem1", "mem2", "zip1", "gone", "never", catalog=CATALOG) as lab:
        lab.run()
        report = ask(lab)
        lines = [*failures_lines(report, "again {}".format, verbose=False)]
        assert len([line for line in lines if " × " in line]) == len(report.groups) == 4
        assert "exit 137: the system killed it, most often for lack of memory; give the step more" in lines
        expressions = [line.removeprefix("  again ") for line in lines if line.startswith("  again ")]
        assert expressions[0] == 'failure.step == "dragen" and failure.exitCode == 137'
        planned = [
            preview.plan(lab.path, lab.target, lab.choose(retry_failed=True, where=each), lab.context).plan.due
            for each in expressions
        ]
        assert sorted(planned) == [["gone"], ["mem1", "mem2"], ["never"], ["zip1"]]


def test_a_credential_that_may_not_see_steps_ends_with_4_and_the_failed_items(tmp_path):
    with study(tmp_path, "mem1", "fine", catalog=CATALOG) as lab:
        lab.run()
        refused = EmulatorOptions(database=lab.database, catalog=lab.catalog, faults=(Fault("403", 1, 99, "get"),))
        with running(refused) as url:
            command = ["failures", str(lab.path), "--server-url", f"{url}/ica/rest", "--json"]
            lab.serves(url)
            done = CliRunner(env=lab.context.env).invoke(app, command)
        shown = json.loads(done.stdout)
        assert (done.exit_code, shown["error"]["exit"], shown["failed"]) == (4, 4, 1)
        assert "may not see the steps" in done.stderr
        assert "failure" not in lab.items()["mem1"]


def test_a_failure_that_was_accepted_no_longer_counts(tmp_path):
    with study(tmp_path, "mem1", "zip1", catalog=CATALOG) as lab:
        lab.run()
        accept(lab.path, lab.target, Choices(targets=("mem1",)), lab.context)
        assert list(ask(lab).items) == ["zip1"]


def test_without_failures_nothing_is_asked(tmp_path):
    with study(tmp_path, "fine", catalog=CATALOG) as lab:
        lab.run()
        assert ask(lab).groups == ()
        assert lab.asked("/steps") == 0


def test_a_reason_that_ica_did_not_have_yet_is_asked_for_again(tmp_path):
    with study(tmp_path, "mem1", catalog=CATALOG) as lab:
        lab.run()
        silent = EmulatorOptions(database=lab.database, catalog=lab.catalog, faults=(Fault("404", 1, 99, "get"),))
        url = lab.target.server_url
        with running(silent) as other:
            lab.serves(other)
            assert [group.step for group in ask(lab).groups] == [None]
        lab.serves(str(url).removesuffix("/ica/rest"))
        assert [group.step for group in ask(lab).groups] == ["dragen"]
