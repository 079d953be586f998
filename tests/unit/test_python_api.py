"""The functions for programs do what the command line does, without printing, with exceptions for exit codes."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

import manifest_runner
from manifest_runner import outputs, plan, run, status, validate
from manifest_runner.cli.main import app
from manifest_runner.emulator import EmulatorOptions, running
from manifest_runner.errors import BadState, NotCovered, Unreachable, UsageProblem

MANIFEST = """\
manifest: 1
name: study
project: 7595e8f2-32d3-4c76-a324-c6a85dae87b5
analyses:
  - kind: nextflow
    forEach: {rows: [{sample: a}, {sample: b}]}
    userReference: "{{ row.sample }}"
    pipelineId: f606f580-d476-47a8-9679-9ddb39fcb0a8
    analysisInput: {inputs: {f: "fil.{{ row.sample }}"}}
"""
# What says how to show a result, or asks a person.
SHOWN = {"json", "quiet", "verbose", "format", "exit-status", "help"}


@pytest.fixture(name="study")
def _study(tmp_path: Path) -> Path:
    path = tmp_path / "study.yaml"
    path.write_text(MANIFEST)
    return path


@pytest.fixture(name="server")
def _server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ICAV2_X_API_KEY", "a-key")
    options = EmulatorOptions(
        database=tmp_path / "emulator.sqlite3", creation_delay=0.0, analysis_duration=0.0, fail_creation="^b$"
    )
    with running(options) as url:
        yield url


def options_of(command: click.Command) -> set[str]:
    """The long names of its options, without those of SHOWN."""
    names = {name.removeprefix("--") for option in command.params for name in option.opts if name.startswith("--")}
    return {name.replace("-", "_") for name in names - SHOWN}


def command_of(name: str) -> click.Command:
    command = app.get_command(click.Context(app), name)
    assert command is not None
    return command


@pytest.mark.parametrize("function", [validate, plan, run, status, outputs])
def test_a_function_takes_the_options_of_its_command(function):
    """An option of a command is also an argument of the function of that name in ``python_api``."""
    parameters = inspect.signature(function).parameters
    first, *keywords = parameters.values()
    assert (first.name, {each.kind for each in keywords}) == ("path", {inspect.Parameter.KEYWORD_ONLY})
    assert {each.name for each in keywords} - {"notify"} == options_of(command_of(function.__name__))


def test_a_run_and_what_comes_of_it(study, server, capfd):
    before = plan(study, server_url=server)
    assert (before.new, before.batches) == (["a", "b"], 1)
    lines: list[str] = []
    done = run(study, server_url=server, notify=lines.append, target=["a", "b"])
    assert (done.created, done.createdFailed, done.lockfile) == (1, 1, str(study.with_name("study.lock.json")))
    assert any("submitted batch 1 of 1" in line for line in lines)
    after = status(str(study), server_url=server)
    assert [(item.userReference, item.status) for item in after.items] == [("b", "FAILED"), ("a", "SUCCEEDED")]
    assert [item.userReference for item in status(study, server_url=server, failed=True).items] == ["b"]
    assert plan(study, server_url=server).failed == ["b"]
    assert capfd.readouterr() == ("", "")


def test_results_have_the_keys_of_json(study, server):
    env_plan = _json("plan", str(study), "--server-url", server, "--json")
    assert set(plan(study, server_url=server).__struct_fields__) == set(env_plan)
    done = run(study, server_url=server)
    env_run = _json("run", str(study), "--server-url", server, "--json")
    assert set(done.__struct_fields__) == set(env_run)
    env_status = _json("status", str(study), "--server-url", server, "--json")
    found = status(study, server_url=server)
    assert set(found.__struct_fields__) == set(env_status)
    assert set(found.items[0].__struct_fields__) == set(env_status["items"][0])


def test_a_plan_counts_what_has_to_wait_and_says_where_approval_is_needed(study, server):
    study.write_text(MANIFEST.replace("analyses:", "maxRunning: 1\nmaxLaunches: 1\nanalyses:"))
    planned = plan(study, server_url=server)
    assert (planned.waiting, planned.approvalNeeded) == (["b"], True)


def test_outputs_are_recorded_and_fetched(study, server, tmp_path):
    run(study, server_url=server, wait="finished")
    found = outputs(study, server_url=server)
    assert ([item.userReference for item in found.items], found.unfinished, found.download) == (["a"], ["b"], None)
    fetched = outputs(study, server_url=server, download=tmp_path / "results").download
    assert fetched is not None
    assert (fetched.fetched > 0, fetched.missing) == (True, [])
    listed = _json("outputs", str(study), "--server-url", server, "--download", str(tmp_path / "results"), "--json")
    assert set(listed) == set(found.__struct_fields__)
    with pytest.raises(UsageProblem, match="--download"):
        outputs(study, server_url=server, include=["*.bam"])


def _json(*arguments: str):
    done = subprocess.run(
        [sys.executable, "-m", "manifest_runner", *arguments], capture_output=True, check=False, text=True
    )
    return json.loads(done.stdout)


def test_what_ends_a_command_raises_with_its_exit_code(study, server):
    with pytest.raises(UsageProblem) as wrong:
        validate(study.with_name("none.yaml"))
    with pytest.raises(NotCovered) as uncovered:
        plan(study, server_url=server, detailed_exitcode=True)
    with pytest.raises(Unreachable) as away:
        run(study, server_url="http://127.0.0.1:1", timeout=0.1)
    study.with_name("study.lock.json").write_text("{")
    with pytest.raises(BadState) as damaged:
        run(study, server_url=server)
    assert [each.value.exit_code for each in (wrong, uncovered, away, damaged)] == [2, 8, 5, 6]


def test_warnings_are_returned_and_errors_are_raised(study):
    assert validate(study) == []
    study.write_text(MANIFEST.replace("analyses:", "vars: {unused: x}\nanalyses:"))
    found = [(each.code, each.severity, each.line, each.row) for each in validate(study, var={"other": "y"})]
    assert found == [("MR603", "warning", line, None) for line in (1, 4)]  # the option's, and the manifest's
    with pytest.raises(Exception, match=r"study\.yaml:4:\d+: .*\[MR603\]$") as invalid:
        validate(study, strict=True)
    assert invalid.value.exit_code == 3


def test_the_functions_are_loaded_when_they_are_asked_for():
    code = "import sys, manifest_runner; assert 'manifest_runner.python_api' not in sys.modules; manifest_runner.run"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'walk'"):
        _ = manifest_runner.walk


@pytest.mark.parametrize(
    "wrong", [{"limit": -1}, {"wait": "soon"}, {"expect": "x"}, {"batch_size": 5001}, {"where": "attempt == 0"}]
)
def test_what_the_command_line_does_not_take_is_a_usage_problem(study, wrong):
    with pytest.raises(UsageProblem):
        run(study, **wrong)


def test_a_target_may_be_a_text_and_a_limit_too(study):
    assert plan(study, target="a*").launches == ["a"]
    assert plan(study, limit="1").launches == ["a"]
