"""``init``: what it writes is valid at once, and has the same meaning as its source."""

from __future__ import annotations

import json
import re
from pathlib import Path

import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from manifest_runner.cli.pre_commit import chosen
from manifest_runner.commands.starters.from_payload import write_from_payload
from manifest_runner.commands.starters.starter import PLACEHOLDER_DATA, PLACEHOLDER_UUID, SCHEMA_FILE, write_starter
from manifest_runner.diagnostics.finding import InvalidManifest
from manifest_runner.errors import UsageProblem
from manifest_runner.items.load import load
from manifest_runner.validation.shipped_schemas import schema_text

PROJECT = "7595e8f2-32d3-4c76-a324-c6a85dae87b5"
PIPELINE = "f606f580-d476-47a8-9679-9ddb39fcb0a8"
TAGS = {"technicalTags": [], "userTags": ["a=b"], "referenceTags": []}
NEXTFLOW = {
    "userReference": "alpha",
    "pipelineId": PIPELINE,
    "tags": TAGS,
    "analysisInput": {
        "inputs": [{"parameterCode": "zz", "dataIds": ["fil.1"]}, {"parameterCode": "aa", "dataIds": []}],
        "parameters": [{"code": "x", "value": "0.10"}, {"code": "a", "multiValue": ["NO", "012", "~", "2026-11-23"]}],
    },
    "analysisOutput": [
        {"sourcePath": "out/", "type": "FOLDER", "targetProjectId": PROJECT, "targetPath": "/{{ not a template }}/"}
    ],
}
FORM = {
    "userReference": "beta",
    "pipelineId": PIPELINE,
    "tags": TAGS,
    "inputFormValues": {
        "fields": [{"id": "f", "values": ["{% raw %}", "true"]}, {"id": "d", "dataValues": [{"dataId": "fil.2"}]}]
    },
}
CWL = {
    "userReference": "gamma",
    "pipelineId": PIPELINE,
    "tags": TAGS,
    "analysisInput": {"objectType": "JSON", "inputJson": '{"a": {{ b }}, "c": 1.0}', "dataIds": []},
}


def items(manifest):
    """What a manifest renders to: kind and request of each item."""
    loaded = load(manifest, env={})
    found = [(item.kind, orjson.loads(item.request)) for item in loaded.stream.items()]
    loaded.raise_errors(strict=True)
    return found


def from_payload(folder, payload):
    """A manifest made of a body."""
    body = folder / "body.json"
    body.write_text(json.dumps(payload), encoding="utf-8")
    write_from_payload(folder / "made.yaml", body, PROJECT)
    return folder / "made.yaml"


# -- the starter


@pytest.mark.parametrize(
    "name", ["manifest.yaml", "Größe & more.yaml", "germline.v2.yml", "42.yaml", "null.yaml", "..."]
)
def test_the_starter_is_valid_and_has_an_item(tmp_path, name):
    manifest, samplesheet, _schema = write_starter(tmp_path / name, PROJECT).files
    fill_in(manifest, samplesheet)
    assert [request["pipelineId"] for _, request in items(manifest)] == [PIPELINE]
    assert samplesheet.name in manifest.read_text(encoding="utf-8")


def fill_in(*files):
    """Replace the placeholders, as the comments ask for."""
    for path in files:
        text = path.read_text(encoding="utf-8")
        text = text.replace(PLACEHOLDER_UUID, PIPELINE).replace(PLACEHOLDER_DATA, "fil.1")
        path.write_text(text, encoding="utf-8")


def test_each_line_of_the_starter_with_a_placeholder_says_what_to_fill_in(tmp_path):
    manifest, _, _ = write_starter(tmp_path / "germline.yaml", None).files
    lines = manifest.read_text(encoding="utf-8").splitlines()
    marked = [line for line in lines if "# FILL IN: " in line]
    assert [line for line in lines if "0000" in line and line not in marked] == []
    assert len(marked) == 5
    given, _ = write_starter(tmp_path / "given.yaml", PROJECT).files
    assert "FILL IN: id of the project" not in given.read_text(encoding="utf-8")


def test_the_starter_is_invalid_until_each_placeholder_is_replaced(tmp_path):
    manifest, samplesheet, _ = write_starter(tmp_path / "germline.yaml", PROJECT).files
    with pytest.raises(InvalidManifest) as raised:
        items(manifest)
    faults = [finding for finding in raised.value.findings if "placeholder that `init` wrote" in finding.message]
    marked = [number for number, line in enumerate(manifest.read_text().splitlines(), 1) if "FILL IN: " in line]
    assert len(faults) == 3
    assert [finding.row.file for finding in faults if finding.row] == [str(samplesheet)]
    assert any(finding.place.line in marked for finding in faults)


@pytest.mark.parametrize(
    "make", [lambda path: write_starter(path, None).files[0], lambda path: from_payload(path.parent, FORM)]
)
def test_editors_find_the_schema_beside_the_manifest(tmp_path, make):
    manifest = make(tmp_path / "germline.yaml")
    first = manifest.read_text(encoding="utf-8").splitlines()[0]
    named = tmp_path / first.removeprefix("# yaml-language-server: $schema=")
    assert named.read_text(encoding="utf-8") == schema_text("manifest")


def test_a_manifest_of_a_payload_needs_a_project_before_it_is_valid(tmp_path):
    body = tmp_path / "body.json"
    body.write_text(json.dumps(FORM), encoding="utf-8")
    write_from_payload(tmp_path / "made.yaml", body, None)
    with pytest.raises(InvalidManifest) as raised:
        load(tmp_path / "made.yaml", env={})
    (finding,) = raised.value.findings
    assert finding.message.startswith("expected the id of your project")
    fill_in(tmp_path / "made.yaml")
    assert items(tmp_path / "made.yaml") == [("nextflowJson", FORM)]


def test_a_schema_that_exists_stays(tmp_path):
    (tmp_path / SCHEMA_FILE).write_text("{}", encoding="utf-8")
    assert [path.name for path in write_starter(tmp_path / "a.yaml", None).files] == ["a.yaml", "a.samples.csv"]
    assert (tmp_path / SCHEMA_FILE).read_text(encoding="utf-8") == "{}"


def test_the_starter_names_its_own_files(tmp_path):
    manifest, _, _ = write_starter(tmp_path / "germline.yaml", None).files
    text = manifest.read_text(encoding="utf-8")
    assert ("manifest-runner run germline.yaml" in text, "germline.lock.json" in text) == (True, True)


@pytest.mark.parametrize("there", ["germline.yaml", "germline.samples.csv"])
def test_nothing_that_is_there_is_overwritten(tmp_path, there):
    (tmp_path / there).write_text("mine", encoding="utf-8")
    with pytest.raises(UsageProblem, match="already exists"):
        write_starter(tmp_path / "germline.yaml", None)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(there, "mine")]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageProblem, match="no such folder"):
        write_starter(tmp_path / "nowhere" / "germline.yaml", None)


# -- from a payload


@pytest.mark.parametrize(
    ("kind", "request_"),
    [("nextflow", NEXTFLOW), ("nextflowJson", FORM), ("cwl", CWL)],
    ids=["nextflow", "form", "cwl"],
)
def test_a_single_analysis_renders_to_itself(tmp_path, kind, request_):
    assert items(from_payload(tmp_path, request_)) == [(kind, request_)]


def test_a_batch_renders_to_its_items(tmp_path):
    batch = {"cwlItems": [CWL], "nextflowItems": [NEXTFLOW], "nextflowJsonItems": [FORM]}
    assert sorted(items(from_payload(tmp_path, batch)), key=str) == sorted(
        [("cwl", CWL), ("nextflow", NEXTFLOW), ("nextflowJson", FORM)], key=str
    )


def test_the_stamps_of_another_launch_are_left_out(tmp_path):
    stamps = ["manifest-runner:" + "0" * 32, "manifest-runner-name:other"]
    stamped = {**NEXTFLOW, "tags": {**NEXTFLOW["tags"], "technicalTags": ["mine", *stamps]}}
    ((_, made),) = items(from_payload(tmp_path, stamped))
    assert made["tags"]["technicalTags"] == ["mine"]


pieces = st.sampled_from(
    ["{{", "}}", "{%", "%}", "{#", "#}", "{% raw %}", "{% endraw %}", "{%- endraw -%}", "x", " ", "\n"]
)
texts = st.lists(pieces | st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=4)).map("".join)


@given(texts)
def test_any_text_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder: Path = tmp_path_factory.mktemp("payload")
    form = {**FORM, "inputFormValues": {"fields": [{"id": "f", "values": [text]}]}}
    ((_, made),) = items(from_payload(folder, form))
    assert made["inputFormValues"]["fields"][0]["values"] == [text]


ONE = json.dumps(NEXTFLOW)
FORM_WITH = '{{"userReference": "b", "pipelineId": "' + PIPELINE + '", "tags": {tags}, "inputFormValues": {{{form}}}}}'
NO_TAGS = json.dumps(TAGS)


def with_values(text):
    """The text of a form's body, with this JSON as the values of its only field."""
    return FORM_WITH.format(tags=NO_TAGS, form=f'"fields": [{{"id": "f", "values": {text}}}]')


@pytest.mark.parametrize(("text", "words"), [
    ("{", "not JSON"), ("[]", "a JSON object"), ("[" * 100_000, "nested more than 100"), (ONE + "x", "not JSON"),
    ('{"nextflowItems": []}', "no items"), ('{"cwlItems": null}', "no items"), ("{}", "not a launch request"),
    ('{"a": 1}', "not a launch request"), ('{"cwlItems": {}}', "cwlItems: expected a list"),
    ('{"cwlItems": [5]}', "cwlItems[0]: expected an object"), ('{"cwlItems": [], "a": 1}', 'unknown key "a"'),
    ('{"nextflowItems": [{"userReference": "a"}]}', 'nextflowItems[0]: "analysisInput" is missing'),
    (ONE.replace('"alpha"', '"a+b"'), "userReference: "), (ONE[:-1] + ', "forEach": null, "x": 1}', '"x"'),
    (ONE[:-1] + ', "userReference": "b"}', 'duplicate key "userReference"'),
    (f'{{"nextflowItems": [{ONE}, {ONE}]}}', 'duplicate userReference "alpha"'),
    (with_values("[NaN]"), "NaN is not JSON"), (with_values("[1" + "0" * 5000 + "]"), "5,001 characters"),
    (with_values('["\\ud800"]'), "surrogate"), (with_values("[" * 400 + "]" * 400), "nested more than 100"),
    (with_values("[" * 300 + "]" * 300), "nested more than 100"),
    (with_values('["a"]').replace('"values"', '"{{ x }}"'), "{{ x }}"),
])  # fmt: skip
def test_what_is_not_a_launch_request_is_explained(tmp_path, text, words):
    (tmp_path / "body.json").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidManifest) as raised:
        write_from_payload(tmp_path / "made.yaml", tmp_path / "body.json", None)
    assert words in raised.value.findings[0].message
    assert {finding.place.file for finding in raised.value.findings} == {str(tmp_path / "body.json")}
    assert not (tmp_path / "made.yaml").exists()


def test_a_body_that_is_not_there_is_wrong_use(tmp_path):
    with pytest.raises(UsageProblem, match="no such file"):
        write_from_payload(tmp_path / "made.yaml", tmp_path / "body.json", None)


def test_numbers_are_sent_as_they_were_spelled(tmp_path):
    (tmp_path / "body.json").write_text(with_values("[0.10, 1e5, -0, 12, 1e400, true]"), encoding="utf-8")
    write_from_payload(tmp_path / "made.yaml", tmp_path / "body.json", PROJECT)
    ((_, made),) = items(tmp_path / "made.yaml")
    assert made["inputFormValues"]["fields"][0]["values"] == ["0.10", "1e5", "-0", "12", "1e400", "true"]


def test_what_a_manifest_takes_a_body_may_have(tmp_path):
    body = {**CWL, "analysisInput": {"inputJson": {"b": 1.5, "a": [None, "{{ x }}"]}}, "outputParentFolderId": None}
    ((kind, made),) = items(from_payload(tmp_path, body))
    given = {"objectType": "JSON", "inputJson": '{"a":[null,"{{ x }}"],"b":1.5}'}
    assert (kind, made["analysisInput"]) == ("cwl", given)


# -- the hook of pre-commit


def test_the_hook_checks_what_init_writes(tmp_path: Path) -> None:
    starter, samplesheet, schema = map(str, write_starter(tmp_path / "a.yaml", None).files)
    made = str(from_payload(tmp_path, FORM))
    assert chosen([starter, made]) == [starter, made]
    (hook,) = yaml.safe_load((Path(__file__).parents[3] / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert [path for path in (starter, made, samplesheet, schema) if re.search(hook["files"], path)] == [starter, made]
