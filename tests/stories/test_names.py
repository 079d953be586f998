"""Names in place of ids: looked up once, pinned in a file, checked before anything is paid for."""

from __future__ import annotations

import json
import time

import pytest
from conftest import PROJECT, Emulator
from served_cli import SECONDS

from manifest_runner.emulator import EmulatorOptions, Fault, running
from manifest_runner.emulator.oddities import parse_oddities

CATALOG = f"""\
catalog: 1
projects:
  - {{name: study, id: {PROJECT}}}
  - {{name: reference data}}
pipelines:
  - code: Germline-4
    inputs: [{{code: fastqs, required: true, multiValue: true}}, {{code: ref_tar, required: true}}]
    parameters:
      - {{code: enable_cnv, type: booleanType, default: false}}
      - {{code: format, type: optionsType, required: true, options: [BAM, CRAM]}}
  - {{code: Draft-4, status: Draft}}
data:
  - /fastq/S{{1..9}}_R{{1,2}}.fastq.gz
  - /results/
  - {{path: /GRCh38.tar, project: reference data, linkedTo: [study]}}
  - {{path: /hg19.tar, project: reference data}}
"""
MANIFEST = f"""\
manifest: 1
name: germline
project: {PROJECT}
defaults:
  pipeline: Germline-4
  analysisStorage: Small
  outputParentFolder: /results
analyses:
  - kind: nextflow
    forEach: {{csv: samples.csv}}
    userReference: "{{{{ row.sample }}}}"
    analysisInput:
      inputs:
        fastqs: ["/fastq/{{{{ row.sample }}}}_R1.fastq.gz", "/fastq/{{{{ row.sample }}}}_R2.fastq.gz"]
        ref_tar: icav2://reference data/GRCh38.tar
      parameters: {{enable_cnv: true, format: CRAM}}
"""


@pytest.fixture(name="emulator")
def _emulator(request, tmp_path):
    """An emulator with a catalog; parametrise it indirectly with more options."""
    catalog = tmp_path / "catalog.yaml"
    catalog.write_text(CATALOG)
    chosen = {"creation_delay": 0.0, "analysis_duration": 0.0, **getattr(request, "param", {})}
    options = EmulatorOptions(database=tmp_path / "emulator.sqlite3", catalog=catalog, **chosen)
    with running(options) as url:
        yield Emulator(url, options.database)


@pytest.fixture(name="study")
def _study(cli, emulator):
    cli.write("germline.yaml", MANIFEST)
    cli.write("samples.csv", "sample\nS1\nS2\n")
    return cli


def names_of(cli, file="germline.names.json"):
    return json.loads(cli.read(file))


def test_a_newcomer_launches_without_seeing_an_id_and_the_launch_is_that_of_the_ids(study, emulator):
    planned = study.ok("plan", "germline.yaml", "--json").json
    assert (planned["new"], planned["unresolved"]) == (["S1", "S2"], 8)
    study.ok("run", "germline.yaml")
    assert sorted(emulator.executed()) == ["S1", "S2"]
    names = names_of(study)
    assert len(names["data"]) == 6
    assert list(names["pipelines"]) == ["Germline-4"]
    assert list(names["projects"]) == ["reference data"]
    offline = {"ICAV2_X_API_KEY": ""}
    assert study.ok("plan", "germline.yaml", "--json", **offline).json["unchanged"] == ["S1", "S2"]
    shown = "<dt>Pipeline</dt><dd>Germline-4</dd>"
    assert shown in study.ok("report", "germline.yaml", **offline).out, "nor does the reader of the report"
    digests = study.digests("germline.yaml")
    with_ids = MANIFEST.replace("pipeline: Germline-4", f"pipelineId: {names['pipelines']['Germline-4']['id']}")
    with_ids = with_ids.replace("analysisStorage: Small", f"analysisStorageId: {names['storages']['Small']}")
    with_ids = with_ids.replace(
        "outputParentFolder: /results", f"outputParentFolderId: {names['data']['/results']['id']}"
    )
    for key, entry in names["data"].items():
        with_ids = with_ids.replace(key, entry["id"]) if key.startswith("icav2") else with_ids
    study.write("germline.yaml", with_ids)
    assert study.digests("germline.yaml") == digests
    before = study.read("germline.lock.json")
    study.ok("run", "germline.yaml")
    assert study.read("germline.lock.json") == before


def test_accept_needs_the_names_of_what_it_accepts_and_no_others(study, emulator):
    study.ok("run", "germline.yaml")
    study.write("samples.csv", "sample\nS1\nS2\nS3\n")
    study.write("germline.yaml", MANIFEST.replace("enable_cnv: true", "enable_cnv: false"))
    assert study.ok("accept", "germline.yaml", "--json").json["accepted"] == ["S1", "S2"]
    study.write("germline.yaml", MANIFEST.replace("/results", "/results/new"))
    done = study("accept", "germline.yaml")
    assert (done.code, '"/results/new"' in done.err) == (3, True)


def test_a_lost_lockfile_is_rebuilt_once_the_names_are_known(study, emulator):
    study.ok("run", "germline.yaml")
    for file in ("germline.lock.json", "germline.names.json"):
        (study.folder / file).unlink()
    done = study("import", "germline.yaml")
    assert (done.code, '"/fastq/S1_R1.fastq.gz"' in done.err, "germline.lock.json" in study.files()) == (3, True, False)
    study.ok("resolve", "germline.yaml")
    study.ok("import", "germline.yaml")
    assert study.ok("plan", "germline.yaml", "--json").json["unchanged"] == ["S1", "S2"]


@pytest.mark.parametrize("emulator", [{"creation_delay": 0.7}], indirect=True)
def test_what_another_machine_has_just_sent_is_recognised_without_its_names_file(study, emulator):
    study.write("germline.yaml", MANIFEST.replace("defaults:", f"state: file://{study.folder}/store\ndefaults:"))
    study.ok("run", "germline.yaml", "--wait", "none")
    (study.folder / "germline.names.json").unlink()
    (study.folder / "store" / PROJECT / "germline.lock.json").unlink()
    assert "reading 1 batch" in study.ok("run", "germline.yaml", "--target", "S1").err
    assert study.ok("plan", "germline.yaml", "--json").json["unchanged"] == ["S1", "S2"]
    assert sorted(emulator.executed()) == ["S1", "S2"]


def test_a_name_that_is_new_is_added_and_nothing_else_of_the_names_file_changes(study, emulator):
    study.ok("run", "germline.yaml")
    before = names_of(study)
    study.write("samples.csv", "sample\nS2\nS3\n")
    assert study.ok("plan", "germline.yaml", "--json").json["unresolved"] == 2
    study.ok("run", "germline.yaml")
    after = names_of(study)
    assert after["data"].keys() - before["data"].keys() == {"/fastq/S3_R1.fastq.gz", "/fastq/S3_R2.fastq.gz"}
    assert before["data"].items() <= after["data"].items()
    shown = study.ok("resolve", "germline.yaml").out
    assert "- /fastq/S1_R1.fastq.gz" in shown
    assert "/fastq/S1_R1.fastq.gz" not in names_of(study)["data"]


@pytest.mark.parametrize(
    ("wrong", "line", "words"),
    [
        (("ref_tar:", "ref_tarr:"), 15, 'has no input "ref_tarr"; did you mean "ref_tar"?'),
        (("enable_cnv", "enable_cvn"), 16, 'has no parameter "enable_cvn"; did you mean "enable_cnv"?'),
        (("icav2://reference data/GRCh38.tar", "fil." + "0" * 32), 15, "is the placeholder that `init` wrote"),
        (("icav2://reference data/GRCh38.tar", "fil." + "f" * 32), 15, 'lists no data "fil.ffff'),
        (("CRAM", "CRMA"), 16, 'takes "BAM" or "CRAM", found "CRMA"; did you mean "CRAM"?'),
        (("GRCh38.tar", "grch38.tar"), 15, 'case matters, and there is "icav2://reference data/GRCh38.tar"'),
        (("kind: nextflow", "kind: cwl"), 9, "is of kind nextflow, but this analysis is cwl"),
        (("Germline-4", "Germline-5"), 5, 'no pipeline "Germline-5"; did you mean "Germline-4"?'),
        (("Small", "Smal"), 6, 'no analysis storage is named "Smal"; did you mean "Small"?'),
        (("_R2.fastq.gz", "_R2.fastq"), 14, 'did you mean "/fastq/S1_R2.fastq.gz"?'),
    ],
)
def test_a_typo_is_caught_at_its_line_before_anything_is_sent(study, emulator, wrong, line, words):
    study.write("germline.yaml", MANIFEST.replace(*wrong))
    done = study("run", "germline.yaml")
    assert done.code == 3
    assert any(each.startswith(f"germline.yaml:{line}:") and words in each for each in done.err.splitlines()), done.err
    assert emulator.executed() == []
    assert "germline.lock.json" not in study.files()
    assert study("resolve", "germline.yaml").code == 3


def test_all_that_is_wrong_is_reported_at_once_and_warnings_are_where_a_name_is_used(study, emulator):
    study.write("samples.csv", "sample\nS1\nS0\n")
    wrong = MANIFEST.replace("icav2://reference data/GRCh38.tar", "fil." + "f" * 32).replace("Small", "Smal")
    study.write("germline.yaml", wrong.replace("Germline-4", "Draft-4"))
    for command in ("run", "resolve"):
        done = study(command, "germline.yaml")
        found = [each for each in done.err.splitlines() if each.startswith("germline.yaml:")]
        assert done.code == 3
        assert {(each.split(":")[1], each.split(" [")[1][:5]) for each in found} == {
            ("5", "MR709"),
            ("6", "MR701"),
            ("14", "MR701"),
            ("15", "MR707"),
        }, done.err
    assert emulator.executed() == []
    assert "germline.names.json" not in study.files()


def test_a_path_and_a_uri_are_resolved_and_a_url_is_an_error_that_says_so(study, emulator):
    manifest = f"""\
manifest: 1
name: field
project: {PROJECT}
analyses:
  - kind: nextflow
    forEach: {{csv: samples.csv}}
    userReference: "{{{{ row.sample }}}}"
    pipeline: Germline-4
    analysisInput:
      inputs: {{fastqs: "{{{{ row.fastqs | split(';') }}}}", ref_tar: /GRCh38.tar}}
      parameters: {{format: BAM}}
"""
    study.write("field.yaml", manifest)
    study.write("samples.csv", "sample,fastqs\nP1,/fastq/S1_R1.fastq.gz;s3://bucket/P1_R2.fastq.gz\n")
    done = study("run", "field.yaml")
    assert done.code == 3
    assert "s3://bucket/P1_R2.fastq.gz" in done.err
    assert "not in ICA" in done.err
    study.write("samples.csv", "sample,fastqs\nP1,/fastq/S1_R1.fastq.gz;icav2://study/fastq/S1_R2.fastq.gz\n")
    study.ok("run", "field.yaml")
    assert emulator.executed() == ["P1"]


def test_offline_commands_say_what_is_not_looked_up_yet(study):
    study.ok("validate", "germline.yaml")
    for command in (["validate", "germline.yaml", "--strict"], ["render", "germline.yaml"]):
        done = study(*command)
        said = done.out + done.err
        assert (done.code, "MR711" in said, "/fastq/S1_R1.fastq.gz" in said) == (3, True, True)
    assert study("run", "germline.yaml", "--locked").code == 8
    assert study("resolve", "germline.yaml", "--check").code == 3
    assert "germline.names.json" not in study.files()
    study.ok("resolve", "germline.yaml")
    assert "up to date; nothing was written" in study.ok("resolve", "germline.yaml", "--check").out
    names = study.read("germline.names.json")
    study.write("germline.names.json", names.replace('"data": {', '"data": {\n"/unused": {"id": "fil.x"},'))
    assert "would be updated; nothing was written" in study.ok("resolve", "germline.yaml", "--check").out
    study.write("germline.names.json", names)
    study.ok("validate", "germline.yaml", "--strict")
    codes = json.loads(study.ok("schema", "manifest", "--for", "germline.yaml").out)["definitions"]
    assert list(codes["inputs"]["properties"]) == ["fastqs", "ref_tar"]


def test_a_plan_made_before_names_were_looked_up_is_not_the_one_that_runs(study, emulator):
    reviewed = study.ok("plan", "germline.yaml", "--json").json["planDigest"]
    stopped = study("run", "germline.yaml", "--expect", reviewed)
    assert (stopped.code, "since this run looked up" in stopped.err, emulator.executed()) == (7, True, [])
    reviewed = study.ok("plan", "germline.yaml", "--json").json["planDigest"]
    study.ok("run", "germline.yaml", "--expect", reviewed)


def test_a_name_that_stands_for_something_else_is_a_change_that_needs_approval(study, emulator):
    study.ok("run", "germline.yaml")
    names = names_of(study)["data"]
    one, other = names["/fastq/S1_R1.fastq.gz"]["id"], names["/fastq/S2_R1.fastq.gz"]["id"]
    pinned = study.read("germline.names.json").replace(one, other)
    study.write("germline.names.json", pinned)
    done = study("run", "germline.yaml")
    assert (done.code, emulator.executed()) == (7, ["S1", "S2"])
    checked = study("resolve", "germline.yaml", "--check")
    assert checked.code == 3
    assert f'"/fastq/S1_R1.fastq.gz" is now {one}, but {other} in the names file' in checked.err
    assert f"~ /fastq/S1_R1.fastq.gz: {other} → {one}" in study.ok("resolve", "germline.yaml", "--update").out
    assert study.ok("plan", "germline.yaml", "--json").json["unchanged"] == ["S1", "S2"]
    study.write("germline.yaml", MANIFEST.replace("analysisStorage: Small", "analysisStorage: Large"))
    shown = study.ok("plan", "germline.yaml").out
    assert '~ 2 items: analysisStorageId: "Small" → "(to be looked up)"' in shown, "a reader of the plan sees names"


def test_a_names_file_of_another_project_or_with_conflict_markers_is_refused(study, emulator):
    study.ok("resolve", "germline.yaml")
    text = study.read("germline.names.json")
    for broken, words in (
        (text.replace(PROJECT, "11111111-1111-4111-8111-111111111111"), "belongs to project 11111111"),
        (text.replace('"data": {', '<<<<<<< HEAD\n"data": {'), "germline.names.json:5: git conflict markers"),
        (text[:200], "damaged"),
    ):
        study.write("germline.names.json", broken)
        for command in ("run", "plan", "validate", "render", "resolve"):
            done = study(command, "germline.yaml")
            assert (done.code, words in done.err) == (6, True), done.err
    assert emulator.executed() == []


@pytest.mark.parametrize("emulator", [{"oddities": parse_oddities(["forbid-pipelines"])}], indirect=True)
def test_without_a_look_at_pipelines_an_id_goes_with_a_warning_and_a_code_does_not(study, emulator):
    assert study("run", "germline.yaml").code == 4
    study.write("germline.yaml", MANIFEST.replace("pipeline: Germline-4", f"pipelineId: {PROJECT}"))
    done = study("run", "germline.yaml", "--json")
    assert "MR710" in done.err


@pytest.mark.parametrize("emulator", [{"latency": 0.2}], indirect=True)
def test_a_run_that_is_killed_after_it_wrote_the_names_launches_each_item_once(study, emulator):
    with study.start("run", "germline.yaml") as run:
        limit = time.monotonic() + SECONDS
        while "germline.names.json" not in study.files():
            assert time.monotonic() < limit
            time.sleep(0.01)
        run.kill()
    assert len(names_of(study)["data"]) == 6
    study.ok("run", "germline.yaml")
    assert sorted(emulator.executed()) == ["S1", "S2"]
    assert not [name for name in study.files() if name.endswith(".new")]


def test_only_what_is_launched_is_looked_up(study, emulator):
    study.ok("run", "germline.yaml", "--limit", "1")
    assert not [path for path in names_of(study)["data"] if "/S2_" in path]
    study.ok("run", "germline.yaml", "--target", "S2")
    assert [path for path in names_of(study)["data"] if "/S2_" in path]
    assert sorted(emulator.executed()) == ["S1", "S2"]


@pytest.mark.parametrize("emulator", [{"faults": (Fault("403", 1, 99, "get"),)}], indirect=True)
def test_without_the_right_to_list_data_nothing_is_resolved_or_sent(study, emulator):
    for command in ("resolve", "run"):
        done = study(command, "germline.yaml")
        assert (done.code, "403" in done.err) == (4, True)
    assert (emulator.executed(), "germline.names.json" in study.files()) == ([], False)
