"""Rows become items: each as JCS bytes, each fault with its row, and conflicts between items with both places."""

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

from manifest_runner.items.checks import shared_data
from manifest_runner.items.load import load

EXAMPLES = Path(__file__).parents[3] / "examples"
HEAD = """\
manifest: 1
name: study
project: 7595e8f2-32d3-4c76-a324-c6a85dae87b5
defaults: {pipelineId: f606f580-d476-47a8-9679-9ddb39fcb0a8, analysisInput: {inputs: []}}
analyses:
"""


class Study:
    """A folder with a manifest and its samplesheets."""

    def __init__(self, folder):
        self.folder = folder

    def sheet(self, text, name="samples.csv"):
        (self.folder / name).write_text(text, encoding="utf-8")

    def expand(self, analyses, head=HEAD):
        """All items, and the findings."""
        loaded = self.loaded(analyses, head)
        items = list(loaded.stream.items())
        return items, loaded.findings.all()

    def loaded(self, analyses, head=HEAD):
        path = self.folder / "study.yaml"
        path.write_text(head + analyses, encoding="utf-8")
        return load(path, env={})

    def references(self, analyses):
        items, findings = self.expand(analyses)
        assert not findings
        return [item.user_reference for item in items]


@pytest.fixture(name="study")
def _study(tmp_path):
    return Study(tmp_path)


def lines(findings, code):
    return [finding.row.line for finding in findings if finding.code == code]


PER_ROW = """\
  - kind: nextflow
    forEach: {csv: samples.csv}
    userReference: "{{ row.sample }}"
"""


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


def test_the_same_bytes_come_out_whatever_seed_python_hashes_with():
    outputs = set()
    for seed in ("0", "1", "2"):
        command = [sys.executable, "-m", "manifest_runner", "render", str(EXAMPLES / "nf-core-rnaseq/rnaseq.yaml")]
        env = {**os.environ, "PYTHONHASHSEED": seed, "LAB_SITE": "here"}
        outputs.add(subprocess.run(command, env=env, capture_output=True, check=True).stdout)
    assert len(outputs) == 1


# -- faults


def test_a_row_that_fails_names_each_template_and_the_others_continue(study):
    study.sheet('[{"sample": "a", "x": 1},\n{"sample": "b"},\n{"sample": "c", "x": 3}]', "rows.json")
    items, findings = study.expand(
        PER_ROW.replace("csv: samples.csv", "json: rows.json")
        + '    tags: {userTags: ["{{ row.x }}", "{{ row.sample }}"], technicalTags: ["{{ row.x + 1 }}"]}\n'
    )
    assert [item.user_reference for item in items] == ["a", "c"]
    assert lines(findings, "MR402") == [2, 2]
    assert ["{{ row.x }}" in finding.message for finding in findings] == [True, False]
    assert all("{{ row.x" in finding.message and 'no column "x"' in finding.message for finding in findings)


def test_the_same_fault_in_many_rows_is_reported_once_with_their_lines(study):
    study.sheet("sample\n" + "not/ok/\n" * 8)
    items, findings = study.expand(PER_ROW)
    assert not items
    assert len(findings) == 1
    assert findings[0].code == "MR501"
    assert "the same in 8 rows (lines 2, 3, 4, 5, 6, …)" in findings[0].message


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


# -- what two items claim


def test_a_reference_that_comes_again_names_both_places(study):
    study.sheet("sample\na\nb\na\n")
    _, findings = study.expand(PER_ROW)
    assert lines(findings, "MR502") == [4]
    assert f'duplicate userReference "a"; first used at {study.folder}/samples.csv:2' in findings[0].message
    assert "`groupBy`" in findings[0].message


def test_a_reference_that_comes_again_in_another_analysis_names_both_places(study):
    _, findings = study.expand("  - {kind: nextflow, userReference: a}\n" * 2)
    assert [finding.code for finding in findings] == ["MR502"]
    assert findings[0].place.line == 7
    assert findings[0].message.endswith("study.yaml:6")


def test_a_reference_that_comes_a_thousand_times_is_one_finding(study):
    study.sheet("sample\n" + "a\n" * 1001)
    _, findings = study.expand(PER_ROW)
    assert len(findings) == 1
    assert "the same in 1,000 rows" in findings[0].message


def test_many_references_that_come_again_are_counted_and_some_are_shown(study):
    study.sheet("sample\n" + "".join(f"s{number}\n" * 2 for number in range(50)))
    _, findings = study.expand(PER_ROW)
    assert len(findings) == 20
    assert all("(50 userReferences are used more than once)" in finding.message for finding in findings)


WRITES = PER_ROW + '    analysisOutput: [{sourcePath: out/, targetProjectId: "%s", targetPath: "%s"%s}]\n'


def overwriting(study, path="/out/", project="{{ project }}", more=""):
    items, findings = study.expand(WRITES % (project, path, more))
    assert len(items) == 3
    assert all(finding.severity == "warning" for finding in findings)
    return [finding for finding in findings if finding.code == "MR601"]


@pytest.fixture(name="three")
def _three(study):
    study.sheet("sample,group\na,one\nb,two\nc,one\n")
    return study


def test_results_written_to_where_others_are_is_a_warning_that_names_both(three):
    (finding,) = overwriting(three, "/out/{{ row.group }}/")
    assert '"c"' in finding.message
    assert '"a"' in finding.message
    assert "/out/one" in finding.message
    assert finding.place.line == 9
    assert finding.row.line == 4


def test_results_in_one_place_are_a_warning_for_each_row_while_they_are_few(three):
    assert [finding.row.line for finding in overwriting(three, "/out/")] == [3, 4]


def test_faults_of_a_few_rows_are_reported_one_by_one(study):
    study.sheet("sample\na+\nb\nc+\n")
    _, findings = study.expand(PER_ROW)
    assert [(finding.row.line, finding.message[-4:]) for finding in findings] == [(2, '"a+"'), (4, '"c+"')]


def test_a_ragged_row_that_two_analyses_read_is_reported_once(study):
    study.sheet("sample\na\nb,c\n" + "c,d\n" * 10)
    _, findings = study.expand(PER_ROW + PER_ROW.replace("row.sample }}", "row.sample }}2"))
    assert ["the same in 11 rows (lines 3, 4, 5, 6, 7, …)" in finding.message for finding in findings] == [True]


def test_each_repetition_of_a_reference_is_reported_up_to_five(study):
    study.sheet("sample\n" + "a\n" * 4)
    _, findings = study.expand(PER_ROW)
    assert lines(findings, "MR502") == [3, 4, 5]
    _, findings = study.expand("  - {kind: nextflow, userReference: a}\n" * 6)
    assert [finding.place.line for finding in findings] == [7, 8, 9, 10, 11]
    _, findings = study.expand("  - {kind: nextflow, userReference: a}\n" * 7)
    assert [finding.place.line for finding in findings] == [7]
    assert findings[0].message.endswith("the same in 6 places (lines 7, 8, 9, 10, 11, …)")


def test_a_slash_at_the_end_makes_no_difference(three):
    assert overwriting(three, "/out{{ '/' if row.sample == 'c' else '' }}")


@pytest.mark.parametrize(
    ("path", "project", "more"),
    [
        ("/out/{{ row.sample }}/", "{{ project }}", ""),
        ("/out/", "{{ row.sample }}", ""),
        ("/out/", "{{ project }}", ", actionOnExist: RENAME"),
    ],
)
def test_there_is_no_warning_where_nothing_is_overwritten(three, path, project, more):
    assert not overwriting(three, path, project, more)


def test_one_item_may_write_twice_to_one_place(study):
    output = "{sourcePath: out/, targetProjectId: p, targetPath: /out/}"
    _, findings = study.expand(f"  - {{kind: nextflow, userReference: a, analysisOutput: [{output}, {output}]}}\n")
    assert not findings


def test_of_a_thousand_analyses_that_write_to_one_place_twenty_are_reported(study):
    output = "{sourcePath: o, targetProjectId: p, targetPath: /}"
    one = f"  - {{kind: nextflow, userReference: a%d, analysisOutput: [{output}]}}\n"
    _, findings = study.expand("".join(one % number for number in range(1000)))
    assert [finding.place.line for finding in findings] == list(range(7, 27))


def test_results_of_two_analyses_can_meet(study):
    one = "  - {kind: nextflow, userReference: %s, analysisOutput: [%s, null]}\n"
    output = "{sourcePath: out/, targetProjectId: p, targetPath: /out/}"
    _, findings = study.expand(one % ("a", output) + one % ("b", output))
    assert [(finding.code, finding.place.line) for finding in findings] == [("MR601", 7)]


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


def test_a_number_beyond_a_double_comes_out_as_it_was_written(study):
    items, findings = study.expand(
        "- {kind: nextflow, userReference: a, analysisInput: {inputs: [], parameters: {a: 1e400}}}\n"
    )
    assert not findings
    parameters = json.loads(items[0].request)["analysisInput"]["parameters"]
    assert parameters == [{"code": "a", "value": "1e400"}]


def test_an_unknown_name_is_reported_with_the_first_row(study):
    study.sheet("sample\n\na\nb\n")
    per_row = PER_ROW.replace("row.sample", "row.sampel")
    _, findings = study.expand(per_row + per_row.replace("row.sampel", "vars.x"))
    assert [(finding.code, finding.row and finding.row.line) for finding in findings] == [("MR402", 3), ("MR402", 3)]


def test_an_unknown_name_is_reported_without_a_row_where_there_is_none(study):
    study.sheet("sample\n")
    _, findings = study.expand(
        PER_ROW.replace("row.sample", "row.sampel") + "  - {kind: nextflow, userReference: '{{ x }}'}\n"
    )
    assert [(finding.code, finding.row) for finding in findings] == [("MR402", None)] * 2


def test_an_unknown_name_in_the_defaults_is_reported_once(study):
    study.sheet("sample\na\n")
    head = HEAD.replace("analysisInput", "tags: {userTags: ['{{ row.x }}']}, analysisInput")
    _, findings = study.expand(PER_ROW * 7, head)
    assert [(finding.code, finding.row.line) for finding in findings] == [("MR402", 2)]
    assert "the same" not in findings[0].message


def test_of_many_unused_vars_twenty_are_reported_and_the_rest_counted(study):
    head = HEAD.replace("analyses:", "vars: {" + ", ".join(f"v{number}: x" for number in range(100)) + "}\nanalyses:")
    items, findings = study.expand("  - {kind: nextflow, userReference: a}\n", head)
    assert len(items) == 1
    assert [finding.code for finding in findings] == ["MR603"] * 21
    assert findings[20].message == "no template uses this var and 79 more below"


def test_a_var_of_the_command_line_that_no_template_uses_is_a_warning(study):
    study.loaded(
        "  - {kind: nextflow, userReference: '{{ vars.reference }}-{{ vars.more }}'}\n",
        HEAD.replace("analyses:", "vars: {reference: x}\nanalyses:"),
    )
    loaded = load(study.folder / "study.yaml", env={}, given_vars={"refrence": "y", "more": "z"})
    (finding,) = loaded.findings.all()
    words = 'no template uses the var "refrence", which --var gives; did you mean "reference"?'
    assert (finding.severity, finding.message) == ("warning", words)


def test_a_var_of_the_command_line_for_a_manifest_without_vars_is_a_warning(study):
    study.loaded("  - {kind: nextflow, userReference: a}\n", HEAD)
    (finding,) = load(study.folder / "study.yaml", env={}, given_vars={"x": "y"}).findings.all()
    assert finding.message == 'no template uses the var "x", which --var gives'


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


def test_faults_of_two_kinds_are_counted_each_by_itself_in_many_rows(study):
    study.sheet("sample,tag\n" + "a+,t\n" * 50 + f"a+,{'t' * 300}\n" * 30)
    _, findings = study.expand(PER_ROW.rstrip() + "\n    tags: {userTags: ['{{ row.tag }}']}\n")
    hints = sorted(finding.message.rpartition("; ")[2] for finding in findings)
    assert hints[-1] == "the same in 80 rows (lines 2, 3, 4, 5, 6, …)"


def test_of_faults_of_too_many_kinds_the_others_are_counted_together(study):
    rows = [{"sample": f"a{number}", "more": {f"k{number}": 1}} for number in range(250)]
    study.sheet(json.dumps(rows), "rows.json")
    analysis = (
        "  - {kind: nextflow, forEach: {json: rows.json}, userReference: '{{ row.sample }}', tags: '{{ row.more }}'}\n"
    )
    items, findings = study.expand(analysis)
    assert not items
    assert len(findings) == 101
    assert any("149 more of MR501 not shown" in each.message for each in findings)


# -- what is not a fault, and may not be intended


def test_an_analysis_without_rows_is_reported(study):
    study.sheet("sample\n")
    items, (found,) = study.expand(PER_ROW)
    assert (items, found.code, found.severity, found.place.line) == ([], "MR604", "warning", 7)
    assert found.message == "there are no rows, so this analysis has no items"


@pytest.mark.parametrize("where", ["row.lane == 1", "row.lane | int > 1"])  # compared by Python, and by Jinja
def test_a_condition_that_no_row_meets_is_reported(study, where):
    study.sheet("sample,lane\na,1\nb,1\n")
    each = f"forEach: {{csv: samples.csv, where: {where!r}}}"
    items, (found,) = study.expand(PER_ROW.replace("forEach: {csv: samples.csv}", each))
    assert (items, found.code, found.place.column) == ([], "MR604", each.index(where) + 5 - 1)
    assert found.message == "none of the 2 rows meets the condition, so this analysis has no items"


def test_a_lack_of_rows_is_not_reported_where_all_have_faults(study):
    study.sheet("sample,lane\na\n")
    assert [found.code for found in study.expand(PER_ROW)[1]] == ["MR304", "MR602"]


EMPTY = PER_ROW + "    analysisInput: {inputs: {bed: %s, fixed: fil.1, list: '{{ row.list | split(\";\") }}'}}\n"


def test_an_input_without_data_is_information_and_a_blank_in_it_is_an_error(study):
    study.sheet("sample,bed,list\na,fil.1,fil.x\nb,,fil.x\nc,fil.2,\nd,fil.3,fil.x;\n")
    items, findings = study.expand(EMPTY % "'{{ row.bed }}'")
    assert [item.user_reference for item in items] == ["a", "c"]
    assert [(found.row.line, found.severity, found.code) for found in findings] == [
        (3, "error", "MR504"),
        (4, "info", "MR605"),
        (5, "error", "MR504"),
    ]
    assert all("which is blank" in found.message for found in findings if found.code == "MR504")


def test_an_input_that_null_leaves_out_is_not_reported_and_moves_no_other(study):
    study.sheet("sample,bed,list\na,,\n")
    _, (found,) = study.expand(EMPTY % "'{{ row.bed or none }}'")
    assert (found.message.startswith('the input "list" has no data'), found.place.line) == (True, 9)
    assert found.place.column == EMPTY.splitlines()[3].index("'{{ row.list") + 1 + len("'{{ row.bed or none }}'") - 2


def test_many_inputs_without_data_are_reported_together(study):
    study.sheet("sample,bed,list\n" + "".join(f"a{number},,fil.x\n" for number in range(1000)))
    found = next(each for each in study.expand(EMPTY % "'{{ row.bed }}'")[1] if each.code != "MR609")
    assert "the same in 1,000 rows" in found.message


def test_different_mistakes_in_one_column_of_data_are_reported_one_by_one(study):
    study.sheet("sample,bed,list\n" + "".join(f"a{number},{'s3://b/' * (number % 2)},\n" for number in range(20)))
    found = [each.message for each in study.expand(EMPTY % "'{{ row.bed }}'")[1] if each.code == "MR504"]
    assert ["blank" in found[0], "s3://" in found[1]] == [True, True]
    assert ["the same in 10 rows" in message for message in found] == [True, True]


# -- bounds


def test_of_too_many_different_templates_those_beyond_are_refused_where_they_stand(study):
    parameters = "".join(f"        k{number}: '{{{{ {number} + 1 }}}}'\n" for number in range(2_010))
    study.sheet("sample\na\n")
    items, findings = study.expand(PER_ROW + "    analysisInput:\n      inputs: []\n      parameters:\n" + parameters)
    assert not items
    refused = [found for found in findings if "too many different templates" in found.message]
    first = 5 + PER_ROW.count("\n") + 3 + 1  # the line of k0
    assert [found.place.line for found in refused] == [8, *range(first + 2_000, first + 2_010)]


# -- all that is wrong, at once

FULL = """\
  - kind: nextflow
    forEach: {csv: samples.csv}
    userReference: "{{ row.sample }}"
    pipelineId: %s
    logs: {logsFolderPath: "{{ row.logs }}"}
    analysisInput: {inputs: {fq: "{{ row.fq }}", ref: %s}}
    require: [{that: "row.sample != 'S1'", else: no S1}]
"""
SHEET = "sample,fq,logs\nS1,s3://bucket/x,/logs/\nS2,fil.1,relative\n"


def found_in(findings):
    return {(finding.place.line, finding.code, finding.row and finding.row.line) for finding in findings}


def test_an_item_that_the_api_would_refuse_or_that_misses_a_requirement_is_looked_at_in_full(study):
    study.sheet(SHEET)
    items, findings = study.expand(FULL % ("germline", "/"))
    assert items == []
    assert found_in(findings) >= {
        (9, "MR505", None),
        (10, "MR501", 3),
        (11, "MR504", 2),
        (11, "MR504", None),
        (12, "MR313", 2),
    }


@pytest.mark.parametrize("broken", ["{{ row.nope }}", "{{ row.fq | int }}"])
def test_a_template_at_fault_does_not_hide_what_else_is_wrong_with_its_items(study, broken):
    study.sheet(SHEET)
    items, findings = study.expand(FULL % ("germline", f'"{broken}"'))
    assert items == []
    assert found_in(findings) >= {(9, "MR505", None), (10, "MR501", 3), (11, "MR504", 2), (12, "MR313", 2)}
    assert {finding.code for finding in findings} & {"MR402", "MR403"}


def test_a_fault_in_the_place_of_a_name_is_reported_there(study):
    analysis = FULL.replace("pipelineId: %s", "pipelineId: %s\n    outputParentFolder: results/out")
    study.sheet(SHEET)
    _, findings = study.expand(analysis % ("f606f580-d476-47a8-9679-9ddb39fcb0a8", "fil.2"))
    assert (10, 25) in {finding.place[1:] for finding in findings if finding.code == "MR504"}


def test_rows_that_are_read_again_are_counted_once(study):
    study.sheet("sample\n" + "".join(f"S{i}\n" for i in range(9)))
    loaded = study.loaded(PER_ROW + '    analysisInput: {inputs: {fq: ["{{ row.sample }}"]}}\n')
    for _ in range(2):
        assert list(loaded.stream.items()) == []
    (finding,) = [each for each in loaded.findings.all() if "the same in" in each.message]
    assert "the same in 9 rows" in finding.message


def test_data_that_is_twice_in_one_input_is_a_warning_in_any_item_and_where_no_row_decides(study, monkeypatch):
    monkeypatch.setattr(shared_data, "MAX_ITEMS", 1)
    study.sheet("sample,fq\nS1,fil.1;fil.2\nS2,fil.3;fil.3\nS3,fil.1;fil.2\n")
    inputs = "{fq: \"{{ row.fq | split(';') }}\", ref: [/a, /a]}"
    items, findings = study.expand(PER_ROW + f"    analysisInput: {{inputs: {inputs}}}\n")
    assert len(items) == 3
    found = [(each.severity, each.row and each.row.line, each.message) for each in findings if each.code == "MR608"]
    assert found == [
        ("warning", 3, 'the input "fq" lists "fil.3" twice; was a cell copied by mistake?'),
        ("warning", None, 'the input "ref" lists "/a" twice; was a cell copied by mistake?'),
    ]


@pytest.mark.parametrize(("source", "is_noted"), [("matrix: {a: [1, 2]}", False), ("rows: [{a: 1}, {a: 2}]", True)])
def test_data_that_two_rows_share_is_information_unless_a_matrix_repeats_it(study, source, is_noted):
    inputs = """analysisInput: {inputs: {ref: "{{ 'fil.1' if row.a else none }}"}}"""
    items, findings = study.expand(
        f'  - {{kind: nextflow, userReference: "r{{{{ row.a }}}}", forEach: {{{source}}}, {inputs}}}\n'
    )
    assert (len(items), [each.code for each in findings]) == (2, ["MR609"] if is_noted else [])


def test_the_section_of_a_samplesheet_may_be_a_template(study):
    study.sheet("[Lane_1]\nsample\nS1\n[Lane_2]\nsample\nS2\n")
    head = HEAD.replace(
        "defaults:", "vars: {lane: 2}\ntables: {t: {csv: samples.csv, section: Lane_1, key: sample}}\ndefaults:"
    )
    analysis = '  - {kind: nextflow, userReference: "{{ row.sample }}", forEach: {csv: samples.csv, section: "%s"}}\n'
    items, findings = study.expand(analysis % "Lane_{{ vars.lane }}", head)
    assert ([item.user_reference for item in items], findings) == (["S2"], [])
    _, (finding,) = study.expand(analysis % "{{ [vars.lane] }}", head)
    assert (finding.code, finding.message) == ("MR405", "expected text, got a list")
