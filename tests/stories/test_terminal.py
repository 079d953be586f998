"""Terminals: colour only where it is wanted, no harmful characters, and help that leads to the next step."""

from __future__ import annotations

import json
import re
import time
import unicodedata

import pytest
from studies import write_rows, write_study
from terminals import on_terminal

COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9]m|\x1b\[38;")
HOSTILE = "evil\x1b]0;title\x07\x9b31m\u202edrawkcab\r\n"


@pytest.fixture(name="_ran")
def _run(cli, emulator):
    write_study(cli, "alpha", "beta")
    cli.ok("run", "study.yaml", "--wait", "finished")


@pytest.mark.usefixtures("_ran")
def test_colour_is_for_terminals_that_want_it(cli, emulator):
    assert COLOUR.search(on_terminal(cli, "status", "study.yaml").raw)
    assert not COLOUR.search(on_terminal(cli, "status", "study.yaml", NO_COLOR="1").raw)
    assert "\x1b" not in cli.ok("status", "study.yaml").out


@pytest.mark.usefixtures("_ran")
@pytest.mark.parametrize("env", [
    {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "C", "PYTHONUTF8": "0"},
    {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
], ids=str)  # fmt: skip
def test_no_locale_is_too_poor(cli, emulator, env):
    write_rows(cli, {"alpha": "yes→", "beta": "true", "gamma": "true"})
    planned = cli.ok("plan", "study.yaml", **env)
    assert '    analysisInput.parameters[enable_sv]: "true"' in planned.out.splitlines()[2]
    cli("run", "study.yaml", **env)
    cli("run", "study.yaml", "--relaunch-changed", **env)
    seen = on_terminal(cli, "status", "study.yaml", **env)
    assert (seen.code, "3 succeeded" in seen.text) == (0, True)
    assert cli.ok("plan", "study.yaml", "--json", **env).json["unchanged"] == ["alpha", "beta", "gamma"]


@pytest.mark.usefixtures("_ran")
def test_what_others_wrote_cannot_command_the_terminal(cli, emulator):
    lockfile = cli.lockfile()
    lockfile["items"][HOSTILE] = {**lockfile["items"]["alpha"], "status": "FAILED", "message": HOSTILE}
    lockfile["items"]["beta"].update(status="FAILED", message=HOSTILE)
    cli.write("study.lock.json", json.dumps(lockfile))
    outputs = [on_terminal(cli, command, "study.yaml").text for command in ("plan", "run", "status")]
    done = cli("status", "study.yaml")
    for text in (*outputs, done.out):
        assert "evil" in text
        assert [each for each in text if unicodedata.category(each) in ("Cc", "Cf", "Cs") and each not in "\n\t"] == []


@pytest.mark.usefixtures("_ran")
@pytest.mark.parametrize("columns", [1, 20, 40])
def test_a_narrow_terminal_shows_every_item(cli, emulator, columns):
    seen = on_terminal(cli, "status", "study.yaml", columns=columns)
    assert seen.code == 0
    letters = re.sub(r"\s", "", seen.text)
    assert columns == 1 or ("alpha" in letters and "beta" in letters)


# -- help


@pytest.mark.parametrize(("command", "words"), [
    ((), ("init", "validate", "plan", "run", "status", "report", "import", "abort", "lock")),
    (("run",), ("--retry-failed", "--relaunch-changed", "--wait finished", "exit", "--target", "revision")),
    (("plan",), ("no network", "--detailed-exitcode", "--verbose")),
    (("status",), ("--watch",)),
    (("abort",), ("--target", "--yes")),
    (("import",), ("--batch-id", "stamp", "plan")),
    (("init",), ("--from-payload", "run")),
    (("report",), ("html", "junit", "-o")),
    (("lock", "merge"), ("%O %A %B", ".gitattributes", "git show :1:./")),
])  # fmt: skip
def test_help_alone_leads_on(cli, command, words):
    text = cli.ok(*command, "--help", COLUMNS="110").out
    assert [word for word in words if word not in " ".join(text.split())] == []
    assert max(map(len, text.splitlines())) <= 110


def completed(cli, *words, **env):
    """What bash is offered for the last of the words."""
    asked = {"COMP_WORDS": "manifest-runner " + " ".join(words), "COMP_CWORD": str(len(words))}
    done = cli.ok(_MANIFEST_RUNNER_COMPLETE="bash_complete", **asked, **env)
    assert done.err == ""
    return [line.partition(",")[2] for line in done.out.splitlines() if line]


def test_shells_complete_commands(cli):
    script = cli.ok(_MANIFEST_RUNNER_COMPLETE="zsh_source").out
    assert "_MANIFEST_RUNNER_COMPLETE=zsh_complete manifest-runner" in script
    assert sorted(completed(cli, "re")) == ["render", "report", "resolve"]


def test_shells_complete_manifests_items_and_codes(cli, emulator):
    write_study(cli, "alpha", "alpine", "beta")
    (cli.folder / "more").mkdir()
    cli.write("more/other.yml", "")
    assert completed(cli, "plan", "''") == ["more/", "study.yaml"]
    assert completed(cli, "plan", "more/o") == ["more/other.yml"]
    assert completed(cli, "run", "study.yaml", "--target", "al") == ["alpha", "alpine"]
    cli.ok("run", "study.yaml")
    write_rows(cli, {"beta": "true"})
    assert completed(cli, "abort", "study.yaml", "--target", "''") == ["alpha", "alpine", "beta"]
    assert completed(cli, "run", "none.yaml", "--target", "al") == []
    assert completed(cli, "explain", "mr10")[:2] == ["MR101", "MR102"]


def test_on_a_terminal_a_report_becomes_a_file_beside_the_manifest(cli, emulator):
    write_study(cli, "alpha")
    cli.ok("run", "study.yaml")
    seen = on_terminal(cli, "report", "study.yaml")
    assert (seen.code, seen.text.splitlines()) == (0, ["wrote study.report.html"])
    assert "<html" in cli.read("study.report.html")


def test_a_report_can_be_opened(cli, emulator):
    write_study(cli, "alpha")
    cli.ok("run", "study.yaml")
    cli.write("xdg-open", '#!/bin/sh\necho "$@" > opened\n').chmod(0o755)
    path = f"{cli.folder}:{cli.env['PATH']}"
    assert cli.ok("report", "study.yaml", "--open", "--json", PATH=path).json["report"] == "study.report.html"
    assert cli("report", "study.yaml", "--open", "--format", "csv").code == 2
    for _ in range(200):
        if (cli.folder / "opened").exists() and cli.read("opened"):
            break
        time.sleep(0.05)
    assert cli.read("opened") == "study.report.html\n"
