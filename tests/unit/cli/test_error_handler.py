"""Whatever ends a command early becomes an exit code, a message on stderr and, with --json, a document on stdout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from manifest_runner.cli.console import Console
from manifest_runner.cli.error_handler import error_handler
from manifest_runner.cli.main import app
from manifest_runner.errors import ApprovalNeeded
from manifest_runner.lockfile.file import write_lockfile
from manifest_runner.lockfile.model import Lockfile


def ended_by(error: BaseException, console: Console) -> int:
    with pytest.raises(SystemExit) as ended, error_handler(console):
        raise error
    return ended.value.code


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_is_130_and_says_how_to_continue(capsys, error):
    assert ended_by(error, Console()) == 130
    assert "run the same command again to continue" in capsys.readouterr().err


def test_a_bug_is_70_and_leaves_its_traceback_in_a_file(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert ended_by(ZeroDivisionError("by nought"), Console(as_json=True)) == 70
    (log,) = tmp_path.iterdir()
    shown = capsys.readouterr()
    assert str(log) in shown.err
    assert str(log) in json.loads(shown.out)["error"]["message"]
    assert "ZeroDivisionError: by nought" in log.read_text()


def test_an_expected_failure_has_its_own_code(capsys):
    assert ended_by(ApprovalNeeded("more than planned"), Console()) == 7
    assert capsys.readouterr() == ("", "error: more than planned\n")


@pytest.mark.parametrize("arguments", [["plan", "none.yaml", "--json"], ["plan", "--json", "--nope"], ["--json"]])
def test_wrong_usage_is_a_document_for_programs(arguments):
    done = run(*arguments)
    error = json.loads(done.stdout)["error"]
    assert (done.exit_code, error["exit"], error["code"], error["findings"]) == (2, 2, None, [])
    assert error["message"]
    assert done.stderr


def test_an_invalid_manifest_is_a_document_with_its_findings(tmp_path: Path):
    (tmp_path / "m.yaml").write_text("manifest: 1\nname: study\nproject: p\nanalyses: []\nbatchSzie: 3\n")
    error = json.loads(run("run", tmp_path / "m.yaml", "--json").stdout)["error"]
    assert (error["exit"], error["code"]) == (3, "MR201")
    assert {each["line"] for each in error["findings"]} == {4, 5}
    assert error["message"] == "2 errors; nothing was sent"


@pytest.mark.parametrize("option", ["-q", "--quiet", "-vq"])
def test_quiet_is_known_before_the_command_line_is_parsed(option):
    assert Console.of_arguments(["plan", option, "--json"]) == Console(as_json=True, quiet=True)
    assert Console.of_arguments(["plan", "--var", "q=1"]) == Console()


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("explain MR201 >/dev/full", 2),
        ("--version >/dev/full", 2),
        ("report s.yaml --format csv >/dev/full", 2),
        ("explain MR201 >&-", 0),
        ("--version <&- >&- 2>&-", 0),
    ],
)
def test_a_full_disk_or_a_closed_stream_is_not_a_bug(tmp_path, command, code):
    (tmp_path / "s.yaml").write_text("manifest: 1\nname: s\nproject: p\nanalyses: []\n")
    write_lockfile(tmp_path / "s.lock.json", Lockfile("s", "p", "https://ica.example/ica/rest"))
    shell = f"'{sys.executable}' -m manifest_runner {command}"
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(["/bin/sh", "-c", shell], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert done.stderr == ("error: the output could not be written: No space left on device\n" if code else "")


@pytest.mark.parametrize(
    ("to", "code"), [("2>/dev/full", 3), ("--json >/dev/full", 3), ("--unknown >/dev/full 2>&1", 2)]
)
def test_an_error_that_cannot_be_reported_keeps_its_exit_code(tmp_path, to, code):
    (tmp_path / "s.yaml").write_text("manifest: 1\nname: s\nproject: p\nanalyses: []\n")
    shell = f"'{sys.executable}' -m manifest_runner plan s.yaml {to}"
    done = subprocess.run(["/bin/sh", "-c", shell], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)
