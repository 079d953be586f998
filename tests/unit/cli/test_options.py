"""What the command line refuses before anything is read, and how it reports broken state."""

from __future__ import annotations

import click
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


@pytest.mark.parametrize("arguments", [["plan", "study.yaml", "--lockfile"], ["init"]])
@pytest.mark.parametrize("path", ["", ".", "/"])
def test_a_path_without_a_name_is_not_the_path_of_a_file(arguments, path):
    done = run(*arguments, path)
    assert (done.exit_code, "is not the path of a file" in done.output) == (2, True)


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


SHARED = {"--server-url", "--emulator", "--lockfile", "--var", "--project", "--json", "--quiet", "--verbose"}


def commands(group: click.Group, *path: str):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield from commands(command, *path, name) if isinstance(command, click.Group) else [((*path, name), command)]


def test_every_command_of_manifests_takes_the_shared_options():
    """So that a command line can be reused with another command. The emulator has options of its own."""
    lacking = {
        " ".join(path): SHARED - {name for parameter in command.params for name in parameter.opts}
        for path, command in commands(app)
        if path != ("emulator",)
    }
    assert {name: options for name, options in lacking.items() if options} == {}


def test_a_command_that_is_misspelled_is_guessed():
    result = run("statsu")
    assert (result.exit_code, 'No such command "statsu"; did you mean "status"?' in result.stderr) == (2, True)
    assert 'No such command "apply"; use "run"' in run("apply").stderr
    assert "No such option '--dry-run'; `manifest-runner plan` shows" in run("run", "m.yaml", "--dry-run").stderr
