"""Rows become items: each as JCS bytes, with its revision, while the rows are read and within a number of steps."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from items.items_lab import HEAD, PER_ROW, Study, lines

from manifest_runner.items.load import load

EXAMPLES = Path(__file__).parents[3] / "examples"


# -- requests


# One that starts from another has no items before that has run.
NOT_ALONE = ("emulator.yaml", "joint.yaml")
MANIFESTS = sorted(path for path in EXAMPLES.glob("*/*.yaml") if path.name not in NOT_ALONE)


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.parent.name)
def test_the_requests_of_an_example_are_jcs(manifest):
    items = list(load(manifest, env={}).stream.items())
    assert items
    for item in items:
        assert item.request == rfc8785.dumps(json.loads(item.request))


@settings(max_examples=50)
@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), min_size=1, max_size=3))
def test_whatever_text_a_row_holds_a_request_is_jcs(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("study")
    (folder / "rows.json").write_text(json.dumps([{"a": a, "b": b} for a, b in rows]), encoding="utf-8")
    items, findings = Study(folder).expand(
        """\
  - kind: nextflow
    forEach: {json: rows.json}
    userReference: "{{ index }}"
    tags: {userTags: ["{{ row.a }}", "x{{ row.b }}"]}
    analysisInput: {parameters: {b: "{{ row.b }}", a: "{{ row.a | upper }}"}}
"""
    )
    assert len(items) == len(rows)
    assert {each.code for each in findings} == {"MR607"}
    for item in items:
        assert item.request == rfc8785.dumps(json.loads(item.request))


def test_half_a_surrogate_pair_made_by_a_template_is_a_fault_of_its_row(study):
    study.sheet("sample\na\nb\n")
    half = """{{ row.sample if index == 0 else "\\ud800" }}"""
    items, findings = study.expand(PER_ROW + f"    tags: {{userTags: ['{half}']}}\n")
    assert [item.user_reference for item in items] == ["a"]
    assert lines(findings, "MR503") == [3]


def test_a_number_beyond_a_double_comes_out_as_it_was_written(study):
    items, findings = study.expand(
        "- {kind: nextflow, userReference: a, analysisInput: {inputs: [], parameters: {a: 1e400}}}\n"
    )
    assert not findings
    parameters = json.loads(items[0].request)["analysisInput"]["parameters"]
    assert parameters == [{"code": "a", "value": "1e400"}]


def test_the_same_bytes_come_out_whatever_seed_python_hashes_with():
    outputs = set()
    for seed in ("0", "1", "2"):
        command = [sys.executable, "-m", "manifest_runner", "render", str(EXAMPLES / "nf-core-rnaseq/rnaseq.yaml")]
        env = {**os.environ, "PYTHONHASHSEED": seed, "LAB_SITE": "here"}
        outputs.add(subprocess.run(command, env=env, capture_output=True, check=True).stdout)
    assert len(outputs) == 1


# -- revisions


def test_a_revision_can_come_from_the_row(study):
    study.sheet("sample,revision\na,2\nb,3\n")
    items, _ = study.expand(PER_ROW + '    revision: "{{ row.revision }}"\n')
    assert [item.revision for item in items] == ["1.2", "1.3"]


@pytest.mark.parametrize("template", ["row.revision or none", "none"])
def test_a_revision_that_is_null_is_as_if_there_were_none(study, template):
    study.sheet("sample,revision\na,\nb,1\n")
    items, findings = study.expand(f"{PER_ROW}    revision: '{{{{ {template} }}}}'\n")
    assert ([item.revision for item in items], lines(findings, "MR407")) == (["1.1", "1.1"], [])


@pytest.mark.parametrize("value", ["two", "-1", "1.5", ""])
def test_a_revision_that_is_not_a_whole_number_is_a_fault_of_its_row(study, value):
    study.sheet(f"sample,revision\na,2\nb,{value}\n")
    items, findings = study.expand(PER_ROW + '    revision: "{{ row.revision }}"\n')
    assert [item.user_reference for item in items] == ["a"]
    assert lines(findings, "MR407") == [3]


# -- where


@pytest.mark.parametrize("where", ["row.status == 'ready'", "row.status.startswith('r')", "index in [0, 2]"])
def test_where_chooses_rows_and_leaves_their_index_as_it_is(study, where):
    study.sheet("sample,status\na,ready\nb,not yet\nc,ready\n")
    analyses = PER_ROW.replace("samples.csv", f'samples.csv, where: "{where}"').replace("}}", "}}-{{ index }}")
    items, _ = study.expand(analyses)
    assert [item.user_reference for item in items] == ["a-0", "c-2"]


@pytest.mark.parametrize("where", ["row.size > 3", "row.size | int(none) > 3 and row.other"])
def test_a_where_that_fails_names_the_row(study, where):
    study.sheet('[{"sample": "a", "size": 4, "other": 1},\n{"sample": "b", "size": "5"}]', "rows.json")
    analyses = PER_ROW.replace("csv: samples.csv", f'json: rows.json, where: "{where}"')
    items, findings = study.expand(analyses)
    assert [item.user_reference for item in items] == ["a"]
    assert [finding.row.line for finding in findings] == [2]
    assert where in findings[0].message


# -- a large sheet


def test_items_come_while_the_sheet_is_read(study):
    study.sheet("sample\n" + "".join(f"s{number}\n" for number in range(10_000)))
    path = study.folder / "study.yaml"
    path.write_text(HEAD + PER_ROW, encoding="utf-8")
    items = load(path, env={}).stream.items()
    assert next(items).user_reference == "s0"
    with (study.folder / "samples.csv").open("a", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow(["late"])
    assert orjson.loads(list(items)[-1].request)["userReference"] == "late"


# -- the steps that templates take

LOOP = (
    "  - {kind: nextflow, forEach: {csv: samples.csv}, "
    "userReference: '{%% for i in range(%d) %%}{%% endfor %%}{{ row.sample }}'}\n"
)


def test_cheap_templates_may_take_many_steps_in_many_rows(study):
    study.sheet("sample\n" + "".join(f"s{number}\n" for number in range(2_500)))
    assert len(study.references(LOOP % 1_000)) == 2_500


def test_expensive_templates_are_refused_after_some_rows_and_the_rest_is_not_checked(study):
    study.sheet("sample\n" + "".join(f"s{number}\n" for number in range(60)))
    items, findings = study.expand(LOOP % 90_000)
    assert 10 < len(items) < 30
    assert [(finding.code, finding.row.line) for finding in findings] == [("MR403", len(items) + 2)]
    assert "the templates of all rows take more than 2,000,000 steps" in findings[0].message


def test_a_second_reading_of_the_rows_may_take_as_many_steps_as_the_first(study):
    study.sheet("sample\n" + "".join(f"s{number}\n" for number in range(15)))
    assert len(study.references(LOOP % 90_000)) == 15
    loaded = load(study.folder / "study.yaml", env={})
    for _ in range(2):
        assert len(list(loaded.stream.items())) == len(list(loaded.stream.named({"s0", "s14"}))) + 13 == 15
