"""``report``: the lockfile in formats for other readers."""

from __future__ import annotations

import csv
import json
from io import StringIO
from xml.etree import ElementTree as ET

import pytest
from studies import write_study

FORMATS = ["html", "junit", "markdown", "csv", "json"]


def reports(cli, style, **env):
    """One report, as it comes to stdout; ``-o`` gives the same but for the time it was made."""
    return cli.ok("report", "study.yaml", "--format", style, **env).out


@pytest.mark.parametrize("emulator", [{"fail_creation": "^beta$"}], indirect=True)
def test_every_format_names_the_items_on_stdout_and_in_a_file(cli, emulator):
    write_study(cli, "alpha", "beta")
    cli("run", "study.yaml")
    before = cli.read("study.lock.json")
    for style in FORMATS:
        text = reports(cli, style, ICAV2_X_API_KEY="", LC_ALL="C", PYTHONIOENCODING="latin-1")
        assert ("alpha" in text, "set to fail this creation" in text) == (True, True), style
        written = cli.ok("report", "study.yaml", "--format", style, "-o", f"out.{style}")
        assert written.out == ""
        assert "set to fail this creation" in cli.read(f"out.{style}")
    rows = list(csv.reader(StringIO(cli.read("out.csv"))))
    assert len(rows) == 3
    assert json.loads(cli.read("out.json"))
    assert json.loads(cli.ok("report", "study.yaml", "--json", "-o", "-").out)["name"] == "study"
    refused = cli("report", "study.yaml", "--open", "-o", "-")
    assert (refused.code, "--open shows a file, not stdout" in refused.err) == (2, True)
    suite = ET.fromstring(cli.read("out.junit"))
    assert len(list(suite.iter("failure"))) == 1
    assert cli.read("study.lock.json") == before


def test_a_report_of_nothing_is_wrong_use(cli):
    write_study(cli, "alpha")
    refused = cli("report", "study.yaml", "-o", "out.html")
    assert (refused.code, "no lockfile" in refused.err) == (2, True)
    assert cli.files() == ["study.csv", "study.yaml"]


def test_a_file_that_cannot_take_a_report_is_wrong_use(cli, emulator):
    write_study(cli, "alpha")
    cli.ok("run", "study.yaml")
    refused = cli("report", "study.yaml", "-o", "nowhere/out.html")
    assert (refused.code, "nowhere: there is no such folder" in refused.err) == (2, True)
    before = cli.read("study.lock.json")
    refused = cli("report", "study.yaml", "-o", "./study.lock.json")
    assert (refused.code, "name another file" in refused.err) == (2, True)
    assert cli.read("study.lock.json") == before
