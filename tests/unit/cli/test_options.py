"""What the command line refuses before anything is read, and what it makes of broken state."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from manifest_runner.cli.main import app


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.mark.parametrize("option", ["--timeout", "--poll-interval", "--idempotency-window"])
@pytest.mark.parametrize("value", ["nan", "inf", "-1"])
def test_a_time_is_a_finite_number(option, value):
    done = run("run", "study.yaml", f"{option}={value}")
    assert (done.exit_code, option in done.output) == (2, True)


@pytest.mark.parametrize("name", ["none/there.sqlite3", "text.sqlite3"])
def test_a_database_that_cannot_be_used_is_wrong_use(tmp_path, name):
    (tmp_path / "text.sqlite3").write_text("this is no database, but long enough to look at" * 20)
    done = run("emulator", "--port", 0, "--database", tmp_path / name)
    assert (done.exit_code, "emulator's database" in done.output) == (2, True)


def test_a_damaged_state_of_the_embedded_emulator_is_reported(tmp_path):
    (tmp_path / "study.yaml").write_text(
        "{manifest: 1, name: study, project: p, analyses: [{kind: nextflow, userReference: a, pipelineId: urn:p,"
        " analysisInput: {inputs: {}}}]}"
    )
    state = tmp_path / ".manifest-runner"
    state.mkdir()
    (state / "emulator.sqlite3").write_text("this is no database, but long enough to look at" * 20)
    done = run("run", tmp_path / "study.yaml", "--emulator")
    assert (done.exit_code, "move it away" in done.output) == (6, True)
