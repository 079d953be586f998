"""Groups, tables and requirements: rows that belong together become one item, and none is mixed up."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifest_runner.items.load import load
from manifest_runner.planning.identity import item_digester

HEAD = """\
manifest: 1
name: study
project: 7595e8f2-32d3-4c76-a324-c6a85dae87b5
defaults: {pipelineId: f606f580-d476-47a8-9679-9ddb39fcb0a8}
"""


class Study:
    """A folder with a manifest and its samplesheets."""

    def __init__(self, folder):
        self.folder = folder

    def load(self, manifest, **files):
        for name, text in files.items():
            (self.folder / name.replace("_", ".")).write_text(text, encoding="utf-8")
        path = self.folder / "study.yaml"
        path.write_text(HEAD + manifest, encoding="utf-8")
        return load(path, env={})

    def items(self, manifest, **files):
        """The inputs and parameters of each item by its userReference, and the findings by code and message."""
        self.loaded = loaded = self.load(manifest, **files)
        requests = [json.loads(item.request) for item in loaded.stream.items()]
        found = {each["userReference"]: _values(each["analysisInput"]) for each in requests}
        return found, [(each.code, each.message) for each in loaded.findings.all() if each.severity != "info"]


def _values(given):
    inputs = {each["parameterCode"]: each["dataIds"] for each in given.get("inputs", ())}
    return inputs | {each["code"]: each.get("value", each.get("multiValue")) for each in given.get("parameters", ())}


@pytest.fixture(name="study")
def _study(tmp_path):
    return Study(tmp_path)


LANES = "sample,lane,fq,sex\nP1,1,fil.1,male\nP2,1,fil.2,female\nP1,2,fil.3,male\n"
GROUPED = """\
analyses:
  - kind: nextflow
    forEach: {csv: s.csv, groupBy: sample%s}
    userReference: "{{ row.sample }}"
    analysisInput:
      inputs: {fq: "{{ rows | map(attribute='fq') | list }}"}
      parameters: {sex: "{{ row.sex }}", lanes: "{{ rows | map(attribute='lane') | join('+') }}", n: "{{ index }}"}
"""


def test_lanes_of_a_sample_are_one_item_in_the_order_of_their_first_rows(study):
    found, findings = study.items(GROUPED % "", s_csv=LANES)
    assert findings == []
    assert list(found) == ["P1", "P2"]
    assert found["P1"] == {"fq": ["fil.1", "fil.3"], "sex": "male", "lanes": "1+2", "n": "0"}
    assert found["P2"] == {"fq": ["fil.2"], "sex": "female", "lanes": "1", "n": "1"}


def test_where_looks_at_single_rows_of_a_group(study):
    found, _ = study.items(GROUPED % ", where: \"row.lane != '1'\"", s_csv=LANES)
    assert found == {"P1": {"fq": ["fil.3"], "sex": "male", "lanes": "2", "n": "2"}}


def test_an_empty_list_makes_one_item_of_all_rows_and_none_of_no_rows(study):
    manifest = """\
analyses:
  - kind: nextflow
    forEach: {csv: s.csv, groupBy: []}
    userReference: cohort
    analysisInput:
      inputs: {fq: "{{ rows | map(attribute='fq') | list }}"}
      parameters: {n: "{{ rows | length }}", first: "{{ rows[0].sample }}", lane: "{{ row.lane | default('several') }}"}
"""
    found, findings = study.items(manifest, s_csv=LANES)
    assert found["cohort"]["fq"] == ["fil.1", "fil.2", "fil.3"]
    assert (found["cohort"]["n"], found["cohort"]["first"], found["cohort"]["lane"]) == ("3", "P1", "several")
    found, findings = study.items(manifest, s_csv="sample,lane,fq,sex\n")
    assert (found, [code for code, _ in findings]) == ({}, ["MR604"])


def test_groups_of_mappings_are_as_groups_of_cells(study):
    rows = [
        dict(zip(LANES.splitlines()[0].split(","), line.split(","), strict=True)) for line in LANES.splitlines()[1:]
    ]
    as_json = GROUPED.replace("csv: s.csv", "json: s.json")
    assert study.items(as_json % "", s_json=json.dumps(rows)) == study.items(GROUPED % "", s_csv=LANES)
    del rows[1]["sample"]
    _, findings = study.items(as_json % "", s_json=json.dumps(rows))
    assert findings == [("MR402", 'the row has no column "sample" to group it by')]


@pytest.mark.parametrize("use", ["{{ row.fq }}", "fil.{{ row.fq }}", "{{ row.fq | split(';') }}"])
def test_a_column_that_differs_points_to_rows(study, use):
    manifest = GROUPED.replace("{{ rows | map(attribute='fq') | list }}", use)
    found, findings = study.items(manifest % "", s_csv=LANES)
    assert list(found) == ["P2"]
    assert [code for code, _ in findings] == ["MR402"]
    assert "`rows | map(attribute='fq') | list`" in findings[0][1]


CELLS = st.sampled_from(["", "a", "b", "x y", "é"])
ROWS = st.lists(st.tuples(st.sampled_from(["S1", "S2", "S3"]), CELLS, CELLS), max_size=6)


@settings(max_examples=40, deadline=None)
@given(rows=ROWS, seed=st.randoms())
def test_any_order_that_keeps_the_rows_of_each_group_in_order_gives_the_same_digests(tmp_path_factory, rows, seed):
    keys = [row[0] for row in rows]
    seed.shuffle(keys)
    waiting = {key: [row for row in rows if row[0] == key] for key in keys}
    others = [waiting[key].pop(0) for key in keys]
    digests = []
    for each in (rows, others):
        study = Study(tmp_path_factory.mktemp("study"))
        text = "sample,fq,lane,sex\n" + "".join(f"{a},fil.{b or 'z'},{c},male\n" for a, b, c in each)
        loaded = study.load(GROUPED.replace(', n: "{{ index }}"', "") % "", s_csv=text)
        digest = item_digester(loaded.document.name, loaded.project)
        items = loaded.stream.items()
        digests.append({each.user_reference: digest(each.request, each.kind, each.revision, 0) for each in items})
    assert digests[0] == digests[1]


# -- tables

TABLES = """\
tables:
  lanes: {csv: lanes.csv, key: sample, many: true}
  refs: {csv: refs.csv, key: [genome, kind]}
analyses:
  - kind: nextflow
    forEach: {csv: s.csv}
    userReference: "{{ row.sample }}"
    analysisInput:
      inputs:
        fq: "{{ tables.lanes[row.sample] | map(attribute='fq') | list }}"
        ref: "{{ tables.refs[row.genome, 'fasta'].id }}"
      parameters:
        known: "{{ row.sample in tables.lanes }}"
        lanes: "{{ tables.lanes[row.sample] | default([]) | length }}"
"""
REFS = "id,kind,genome\nfil.h,fasta,hg38\nfil.g,fasta,hg19\nfil.x,gtf,hg38\n"


def test_a_table_joins_two_sheets(study):
    lanes = "sample,lane,fq\nP1,1,fil.1\nP2,1,fil.2\nP1,2,fil.3\n"
    found, findings = study.items(TABLES, s_csv="sample,genome\nP1,hg38\nP2,hg19\n", lanes_csv=lanes, refs_csv=REFS)
    assert findings == []
    assert found == {
        "P1": {"fq": ["fil.1", "fil.3"], "ref": ["fil.h"], "known": "true", "lanes": "2"},
        "P2": {"fq": ["fil.2"], "ref": ["fil.g"], "known": "true", "lanes": "1"},
    }


def test_what_a_table_lacks_is_an_error_with_the_row_and_the_nearest_key(study):
    lanes = "sample,lane,fq\nP1-T,1,fil.1\n"
    found, findings = study.items(TABLES, s_csv="sample,genome\nP1-N,hg18\n", lanes_csv=lanes, refs_csv=REFS)
    assert found == {}
    assert {code for code, _ in findings} == {"MR402"}
    messages = "\n".join(message for _, message in findings)
    assert 'the table "lanes" has no row with sample "P1-N"; did you mean "P1-T"?' in messages
    assert 'the table "refs" has no row with genome and kind "hg18" and "fasta"' in messages


def test_an_error_value_in_a_table_counts_only_where_it_is_used(study):
    lanes = "sample,lane,fq\nP1,#N/A,fil.1\nP2,1,#N/A\nP3,1,#N/A\n"
    found, findings = study.items(TABLES, s_csv="sample,genome\nP1,hg38\nP2,hg38\n", lanes_csv=lanes, refs_csv=REFS)
    assert list(found) == ["P1"]
    assert [code for code, _ in findings] == ["MR310"]
    (finding,) = [each for each in study.loaded.findings.all() if each.code == "MR310"]
    assert finding.place[1:] == (3, 1)
    assert finding.place.file.endswith("lanes.csv")


@pytest.mark.parametrize(
    "read", ["[0].fq | default('fil.9')", "[0].get('fq', 'fil.9')", "| map(attribute='fq', default='fil.9') | list"]
)
def test_no_default_takes_an_error_value_for_something_missing(study, read):
    manifest = TABLES.replace("| map(attribute='fq') | list", read)
    assert manifest != TABLES
    lanes = "sample,lane,fq\nP1,1,#N/A\n"
    found, findings = study.items(manifest, s_csv="sample,genome\nP1,hg38\n", lanes_csv=lanes, refs_csv=REFS)
    assert found == {}
    assert [code for code, _ in findings] == ["MR310"]


def test_a_key_of_too_few_columns_is_an_error_whatever_the_default(study):
    manifest = """\
tables: {lanes: {csv: lanes.csv, key: [sample, lane]}}
analyses:
  - kind: nextflow
    forEach: {csv: s.csv}
    userReference: "{{ row.sample }}"
    analysisInput: {inputs: {fq: "{{ tables.lanes[row.sample] | default('fil.9') }}"}}
"""
    found, findings = study.items(manifest, s_csv="sample\nP1\n", lanes_csv="sample,lane,fq\nP1,1,fil.1\n")
    assert found == {}
    ((code, message),) = findings
    assert code == "MR402"
    assert 'is "sample" and "lane": write tables.lanes[row.sample, row.lane]' in message


@settings(max_examples=60, deadline=None)
@given(
    lanes=st.lists(st.tuples(CELLS, CELLS, st.sampled_from(["fil.1", "fil.2"])), max_size=6),
    wanted=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=3, unique=True),
)
def test_a_look_up_equals_a_nested_loop(tmp_path_factory, lanes, wanted):
    manifest = """\
tables: {lanes: {tsv: lanes.tsv, key: [a, b], many: true}}
analyses:
  - kind: nextflow
    forEach: {tsv: s.tsv}
    userReference: "{{ row.n }}"
    analysisInput:
      inputs: []
      parameters: {fq: "{{ tables.lanes[row.a, row.b] | default([]) | map(attribute='fq') | join(' ') }}-"}
  - kind: nextflow
    forEach: {tsv: s.tsv, where: "(row.a, row.b) in tables.lanes"}
    userReference: "fast-{{ row.n }}"
    analysisInput: {inputs: [], parameters: {fq: "{{ tables.lanes[row.a, row.b] | map(attribute='fq') | join(' ') }}-"}}
"""
    study = Study(tmp_path_factory.mktemp("study"))
    found, findings = study.items(
        manifest,
        lanes_tsv="a\tb\tfq\n" + "".join("\t".join(each) + "\n" for each in lanes),
        s_tsv="n\ta\tb\n" + "".join(f"{n}\t{a}\t{b}\n" for n, (a, b) in enumerate(wanted)),
    )
    expected = [" ".join(fq for x, y, fq in lanes if (x, y) == key) + "-" for key in wanted]
    assert [found[str(n)]["fq"] for n in range(len(wanted))] == expected
    assert all(found[f"fast-{n}"]["fq"] == text for n, text in enumerate(expected) if text != "-")
    assert {code for code, _ in findings} <= {"MR604"}


# -- requirements


def test_a_requirement_is_checked_before_anything_is_rendered(study):
    manifest = GROUPED.replace(
        "    analysisInput",
        "    require:\n"
        '      - {that: "rows | length == 2", else: "{{ row.sample }} has {{ rows | length }} of 2 lanes"}\n'
        '      - {that: "tables is defined", else: never}\n'
        "    analysisInput",
    )
    found, findings = study.items(manifest % "", s_csv=LANES)
    assert (list(found), findings) == (["P1"], [("MR313", "P2 has 1 of 2 lanes")])


def test_a_requirement_of_the_defaults_holds_for_each_analysis_that_has_none_of_its_own(study):
    analysis = "  - kind: nextflow\n    userReference: %s\n    analysisInput: {inputs: []}\n%s"
    head = (
        "defaults: {pipelineId: f606f580-d476-47a8-9679-9ddb39fcb0a8, require: [{that: 'name == \"x\"', else: no}]}\n"
    )
    path = study.folder / "study.yaml"
    body = "analyses:\n" + analysis % ("a", "") + analysis % ("b", "    require: []\n")
    path.write_text("".join(HEAD.splitlines(keepends=True)[:3]) + head + body, encoding="utf-8")
    loaded = load(path, env={})
    assert [item.user_reference for item in loaded.stream.items()] == ["b"]
    assert [(each.code, each.message) for each in loaded.findings.all()] == [("MR313", "no")]


# -- files


def test_rows_of_several_files_know_their_file(study):
    (study.folder / "runs").mkdir()
    for name, text in {"b": "fq,sample\nfil.2,P2\n", "a": "sample,fq\nP1,fil.1\n", ".c": "x\n"}.items():
        (study.folder / "runs" / f"{name}.csv").write_text(text)
    manifest = """\
analyses:
  - kind: nextflow
    forEach: {csv: runs/*.csv}
    userReference: "{{ row.sample }}-{{ source.stem }}"
    analysisInput: {inputs: {fq: "{{ row.fq }}"}, parameters: {file: "{{ source.file }}", n: "{{ index }}"}}
"""
    found, findings = study.items(manifest)
    assert {code for code, _ in findings} <= set()
    assert found == {
        "P1-a": {"fq": ["fil.1"], "file": "runs/a.csv", "n": "0"},
        "P2-b": {"fq": ["fil.2"], "file": "runs/b.csv", "n": "1"},
    }


# -- data that is there twice


def test_data_of_two_rows_that_is_one_input_of_both_is_information(study):
    manifest = """\
vars: {ref: fil.r}
analyses:
  - kind: nextflow
    forEach: {csv: s.csv}
    userReference: "{{ row.s }}"
    analysisInput: {inputs: {tumor: "{{ row.t | split(';') }}", normal: "{{ row.n }}", ref: "{{ vars.ref }}"}}
"""
    loaded = study.load(manifest, s_csv="s,t,n\nA,fil.1;fil.2,fil.9\nB,fil.9,fil.2\nC,fil.3;fil.2,fil.9\n")
    assert len(list(loaded.stream.items())) == 3
    assert [(each.severity, each.row.line, each.message) for each in loaded.findings.all()] == [
        ("info", 4, 'fil.2 is also the input "tumor" of "A"'),
        ("info", 4, 'fil.9 is also the input "normal" of "A"'),
    ]


@pytest.mark.parametrize(("text", "code"), [("{{ none }}", "MR403"), ("{{ [1] }}", "MR403"), ("{{ 3 }}", "MR313")])
def test_a_requirement_is_never_left_out_for_what_its_text_gives(study, text, code):
    manifest = f"""\
analyses:
  - kind: nextflow
    forEach: {{csv: s.csv}}
    userReference: "{{{{ row.sample }}}}"
    require: [{{that: "false", else: "{text}"}}]
    analysisInput: {{inputs: []}}
"""
    found, findings = study.items(manifest, s_csv="sample\nP1\n")
    assert found == {}
    assert [each for each, _ in findings] == [code]


def test_a_column_to_group_by_that_is_not_text_is_one_error(study):
    _, findings = study.items((GROUPED % "").replace("groupBy: sample", "groupBy: [sample, null]"), s_csv=LANES)
    assert findings == [("MR201", "expected text, got null")]


def test_two_groups_of_one_name_point_to_the_columns_of_group_by(study):
    manifest = (GROUPED % "").replace("groupBy: sample", "groupBy: [sample, lane]")
    _, findings = study.items(manifest, s_csv=LANES)
    assert [(code, "all columns of `groupBy`" in message) for code, message in findings] == [("MR502", True)]
