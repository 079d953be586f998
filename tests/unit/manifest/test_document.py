"""From YAML to a typed document: defaults merged, faulty parts left out, everything else kept to be checked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from manifest_runner.diagnostics.collector import MAX_OF_A_CODE
from manifest_runner.diagnostics.finding import InvalidManifest, Place
from manifest_runner.errors import UsageProblem
from manifest_runner.manifest import document as module
from manifest_runner.manifest.check import MAX_WORDED, load_document
from manifest_runner.manifest.document import Document
from manifest_runner.manifest.yaml_file import read_yaml
from manifest_runner.validation.shipped_schemas import schema_text

HEAD = "manifest: 1\nname: m\nproject: p\n"
ITEM = "- {kind: nextflow, userReference: a}\n"


@pytest.fixture(name="load")
def _load(tmp_path):
    def load(text: str, env: dict[str, str] | None = None, given: dict[str, str] | None = None) -> Document:
        path = tmp_path / "m.yaml"
        path.write_text(text, encoding="utf-8")
        return load_document(read_yaml(path, "m.yaml"), env=env or {}, given_vars=given or {})

    return load


def test_defaults_are_those_of_the_schema(load):
    properties = json.loads(schema_text("manifest"))["properties"]
    document = load(HEAD + "analyses:\n" + ITEM)
    assert document.revision == properties["revision"]["default"] == module.DEFAULT_REVISION
    assert document.batch_size == properties["batchSize"]["default"]
    assert document.stamp is properties["stamp"]["default"]
    assert document.max_launches is None
    assert document.faults == ()


def test_defaults_merge_deep_and_lists_are_replaced(load):
    text = """
defaults:
  pipelineId: urn:p
  revision: 2
  tags: {userTags: [a, b], technicalTags: [t]}
  analysisInput: {parameters: {x: 1, y: 2}}
analyses:
- kind: nextflow
  tags: {userTags: [c]}
  analysisInput: {parameters: {y: 3, x: null}}
- {kind: cwl, tags: null, revision: null, pipelineId: "{{ q }}"}
"""
    one, two = load(HEAD + text).analyses
    assert one.revision == 2
    assert one.fields == {
        "pipelineId": "urn:p",
        "tags": {"userTags": ["c"], "technicalTags": ["t"]},
        "analysisInput": {"parameters": {"x": None, "y": 3}},
    }
    assert (two.fields["tags"], two.fields["pipelineId"], two.revision) == (None, "{{ q }}", 1)


def test_a_place_is_where_the_value_was_written(load):
    text = "defaults:\n  tags: {userTags: [a]}\nanalyses:\n- kind: nextflow\n  tags: {technicalTags: [b]}\n"
    document = load(HEAD + text)
    assert document.place(0, ("tags", "userTags", 0)) == Place("m.yaml", 5, 21)
    assert document.place(0, ("tags", "technicalTags", 0)) == Place("m.yaml", 8, 26)
    assert document.place(0, ("userReference",)) == Place("m.yaml", 7, 3)


def test_a_source_of_rows_is_known_by_its_format(load):
    text = (
        HEAD + "analyses:\n- {kind: cwl, forEach: {tsv: s.tsv, where: 'true', schema: s.json, section: Data}}\n" + ITEM
    )
    one, two = load(text).analyses
    assert one.for_each == module.ForEach("tsv", "s.tsv", "Data", where="true", schema="s.json")
    assert two.for_each is None


def test_of_the_environment_only_what_is_listed_is_kept(load):
    document = load(HEAD + "env: [RUN, SITE]\nanalyses:\n" + ITEM, env={"RUN": "1", "HOME": "/x"})
    assert document.env == {"RUN": "1"}
    assert document.env_names == ("RUN", "SITE")


@pytest.mark.parametrize(
    "name",
    ["ICAV2_PROJECT_ID", "GITHUB_TOKEN", "token", "AWS_SECRET_ACCESS", "MY_KEY", "Password", "monkey", "icav2_x"],
)
def test_what_looks_like_a_credential_is_refused(load, name):
    document = load(HEAD + f"env: [A, {name}]\nanalyses:\n" + ITEM, env={name: "hush", "A": "1"})
    assert [(fault.code, fault.place.line) for fault in document.faults] == [("MR202", 4)]
    assert document.env == {"A": "1"}
    assert "hush" not in repr(document) + repr(document.faults)


def test_text_of_the_environment_that_is_not_utf8_is_refused(load):
    document = load(HEAD + "env: [RUN]\nanalyses:\n" + ITEM, env={"RUN": "\udcff"})
    assert [fault.code for fault in document.faults] == ["MR202"]
    with pytest.raises(UsageProblem, match="--var RUN"):
        load(HEAD + "analyses:\n" + ITEM, given={"RUN": "a\udcff"})


def test_a_faulty_analysis_does_not_hide_the_others(load):
    text = (
        HEAD
        + "unknown: 1\nbatchSize: x\nanalyses:\n- {kind: nextflow, x: 1, pipelineId: urn:p}\n"
        + ITEM
        + "- 5\n- {pipelineId: urn:p}\n"
    )
    document = load(text)
    assert [fault.place.line for fault in document.faults] == [4, 5, 7, 9, 10]
    assert [(spec.index, not spec.broken) for spec in document.analyses] == [(0, False), (1, True), (3, False)]
    assert document.analyses[0].fields == {"pipelineId": "urn:p"}
    assert document.batch_size == module.DEFAULT_BATCH_SIZE


def test_faulty_defaults_leave_no_analysis_sound(load):
    document = load(HEAD + "defaults: {pipelin: x, pipelineId: urn:p}\nanalyses:\n" + ITEM)
    assert [(not spec.broken, spec.fields["pipelineId"]) for spec in document.analyses] == [(False, "urn:p")]


def test_a_faulty_source_is_left_out_as_a_whole(load):
    document = load(HEAD + "analyses:\n- {kind: cwl, forEach: {matrix: {a: [], b: [1]}}}\n")
    assert document.analyses[0].for_each is None


@pytest.mark.parametrize(
    "text",
    [
        "manifest: 2\nname: m\nanalyses:\n" + ITEM,
        HEAD,
        HEAD + "analyses: {}\n",
        HEAD + "analyses: []\n",
        HEAD + "vars: []\nanalyses:\n" + ITEM,
        HEAD + "env: A\nanalyses:\n" + ITEM,
        HEAD + "defaults: x\nanalyses:\n" + ITEM,
        "manifest: 1\nname: m\nproject: '!'\nanalyses:\n" + ITEM,
        "[]",
        "text",
    ],
)
def test_where_nothing_else_can_be_checked_the_faults_are_raised(load, text):
    with pytest.raises(InvalidManifest) as raised:
        load(text)
    assert {fault.code for fault in raised.value.findings} == {"MR201"}


def test_of_very_many_faulty_analyses_the_first_are_worded_and_the_rest_counted(load):
    faulty = "- {kind: cwl, x: 1}\n" * MAX_WORDED + "- {kind: cwl, forEach: csv}\n" * 20
    document = load(HEAD + "analyses:\n" + faulty + ITEM)
    assert len(document.faults) == MAX_WORDED + 1
    assert document.faults[-1].message == "20 more have problems, starting with this one"
    assert [bool(spec.broken) for spec in document.analyses] == [True] * MAX_WORDED + [False]


@pytest.mark.parametrize("key", ["revision", "batchSize", "maxLaunches"])
def test_a_whole_number_is_spelled_as_one(load, key):
    document = load(HEAD + f"{key}: 1.0\nanalyses:\n" + ITEM)
    assert [fault.message for fault in document.faults] == ["expected a whole number, got the number 1.0"]


def test_the_examples_have_no_faults():
    for path in (Path(__file__).parents[3] / "examples").glob("*/*.yaml"):
        if not path.name.startswith("."):
            source = read_yaml(path, path.name)
            if isinstance(source.data, dict) and "manifest" in source.data:
                assert load_document(source, env={}).faults == ()


def test_a_number_beyond_a_double_keeps_its_spelling_and_is_not_a_revision(load):
    document = load(HEAD + "vars: {a: 1e400}\nrevision: 1e400\nanalyses:\n" + ITEM)
    assert str(document.vars["a"]) == "1e400"
    assert [fault.message for fault in document.faults] == ["expected a whole number, got the number 1e400"]
    assert document.revision == module.DEFAULT_REVISION


def test_of_very_many_variables_that_are_not_text_none_is_looked_up(load):
    document = load(HEAD + f"env: [{'[a], [b, c], ' * MAX_WORDED}USER]\nanalyses:\n" + ITEM)
    assert document.env_names == ("USER",)


def test_of_faults_that_leave_nothing_to_go_by_the_first_hundred_are_reported(load):
    keys = "".join(f"k{number}: 1\n" for number in range(150))
    names = ", ".join(f"{number}: 1" for number in range(150))
    with pytest.raises(InvalidManifest) as raised:
        load(f"manifest: 1\nname: m\nanalyses: 1\nenv: [{'1, ' * 150}]\n{keys}vars: {{{names}}}\n")
    assert len(raised.value.findings) == MAX_OF_A_CODE + 1
    assert raised.value.findings[-1].message.endswith(" more of MR201 not shown")
