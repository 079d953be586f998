"""SARIF as code scanning reads it: rules, results, places that lead to the files, links between them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from manifest_runner import __version__
from manifest_runner.cli.main import app
from manifest_runner.diagnostics.codes import CODES
from manifest_runner.diagnostics.finding import Finding, Place
from manifest_runner.diagnostics.sarif import sarif_text

ROW = Place("sheets/s 1%.csv", 3)
CELL = Finding(Place("m.yaml", 7, 20), "MR501", "userReference: …", row=ROW, is_of_row=True)
FIELD = Finding(Place("m.yaml", 8, 5), "MR501", 'expected {{ row["a"] }} \x1b[31m', row=ROW)
UNUSED = Finding(Place("m.yaml", 2, 1), "MR603", "no template uses it", "warning")


def run_of(*findings: Finding) -> dict:
    log = json.loads(sarif_text(findings))
    assert (log["version"], list(log)) == ("2.1.0", ["version", "$schema", "runs"])
    return log["runs"][0]


def place_of(location: dict) -> tuple[str, int, int]:
    physical = location["physicalLocation"]
    region = physical["region"]
    return physical["artifactLocation"]["uri"], region["startLine"], region["startColumn"]


def test_each_result_refers_to_a_rule_that_explains_its_code():
    run = run_of(UNUSED, CELL, FIELD)
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("manifest-runner", __version__)
    assert [rule["id"] for rule in driver["rules"]] == ["MR501", "MR603"]
    assert [(result["ruleId"], result["ruleIndex"]) for result in run["results"]] == [
        ("MR603", 1),
        ("MR501", 0),
        ("MR501", 0),
    ]
    rule = driver["rules"][0]
    assert rule["shortDescription"]["text"] == CODES["MR501"].title
    assert CODES["MR501"].cure in rule["help"]["text"]
    assert [each["defaultConfiguration"]["level"] for each in driver["rules"]] == ["error", "warning"]


def test_levels_are_those_of_the_findings():
    assert [result["level"] for result in run_of(CELL, UNUSED)["results"]] == ["error", "warning"]


def test_a_fault_of_a_cell_is_placed_at_its_row_and_links_to_the_template():
    result = run_of(CELL)["results"][0]
    assert place_of(result["locations"][0]) == ("sheets/s%201%25.csv", 3, 1)
    assert result["message"]["text"].endswith(" (see [m.yaml:7:20](1))")
    assert [(other["id"], place_of(other)) for other in result["relatedLocations"]] == [(1, ("m.yaml", 7, 20))]


def test_a_fault_of_the_manifest_is_placed_there_and_links_to_the_first_row():
    result = run_of(FIELD)["results"][0]
    assert place_of(result["locations"][0]) == ("m.yaml", 8, 5)
    assert place_of(result["relatedLocations"][0]) == ("sheets/s%201%25.csv", 3, 1)


def test_a_fault_without_a_row_has_one_place():
    result = run_of(UNUSED)["results"][0]
    assert "relatedLocations" not in result
    assert result["message"]["text"] == UNUSED.message


def test_messages_hold_no_control_characters():
    assert run_of(FIELD)["results"][0]["message"]["text"].startswith('expected {{ row["a"] }} \\x1b[31m')


def test_columns_are_counted_in_characters():
    assert run_of(CELL)["columnKind"] == "unicodeCodePoints"


@pytest.mark.parametrize(
    ("file", "uri"),
    [("a:b.yaml", "a%3Ab.yaml"), ("../é.yaml", "../%C3%A9.yaml"), ("/data/a b.yaml", "file:///data/a%20b.yaml")],
)
def test_a_file_is_named_by_a_relative_reference_or_by_a_url(file, uri):
    finding = Finding(Place(file, 1), "MR101", "m")
    assert place_of(run_of(finding)["results"][0]["locations"][0])[0] == uri


def test_a_link_s_text_is_not_ended_by_brackets_in_a_file_s_name():
    finding = Finding(Place("m.yaml", 1), "MR501", "m", row=Place("a].csv", 2))
    assert run_of(finding)["results"][0]["message"]["text"] == "m (see [a\\].csv:2](1))"


# -- the command


def validate(folder: Path, text: str):
    (folder / "m.yaml").write_text(text, encoding="utf-8")
    return CliRunner().invoke(app, ["validate", str(folder / "m.yaml"), "--format", "sarif"])


def test_the_command_writes_a_log_and_fails_all_the_same(tmp_path):
    done = validate(tmp_path, "manifest: 1\nnames: m\n")
    assert done.exit_code == 3
    assert {result["ruleId"] for result in json.loads(done.stdout)["runs"][0]["results"]} == {"MR201"}


def test_a_manifest_in_order_gives_a_log_without_results(tmp_path):
    analysis = "{kind: nextflow, userReference: a, pipelineId: urn:p, analysisInput: {inputs: []}}"
    done = validate(tmp_path, f"manifest: 1\nname: m\nproject: p\nanalyses: [{analysis}]\n")
    assert (done.exit_code, json.loads(done.stdout)["runs"][0]["results"]) == (0, [])


def test_without_the_extra_the_command_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sarif_pydantic", None)
    done = validate(tmp_path, "manifest: 1\n")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "pip install 'manifest-runner[sarif]'" in done.stderr
