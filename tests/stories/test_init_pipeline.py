"""A manifest from what a pipeline declares: what it requires must be filled in, the rest can be."""

from __future__ import annotations

import json

import pytest
from conftest import PROJECT
from studies import change
from terminals import on_terminal

CATALOG = f"""\
catalog: 1
projects: [{{name: study, id: {PROJECT}}}]
pipelines:
  - code: Germline-4
    description: Germline calling
    inputs: [{{code: fastqs, required: true, multiValue: true}}, {{code: ref-tar, required: true}}, {{code: bed}}]
    parameters:
      - {{code: depth, type: integerType, required: true}}
      - {{code: format, type: optionsType, required: true, options: [BAM, CRAM], default: CRAM}}
      - {{code: enable_sv, type: booleanType, default: false}}
      - {{code: note, type: stringType}}
  - code: Form-1
    form:
      fields:
        - {{id: sample, type: textbox, minValues: 1, label: Name of the sample, sensitive: true}}
        - {{id: ref, type: data, minValues: 1}}
        - {{id: mode, type: select, choices: [{{value: fast}}, {{value: exact}}]}}
        - {{id: pairs, type: fieldgroup, fields: [{{id: x, type: number}}]}}
        - id: lanes
          type: fieldgroup
          minValues: 1
          fields: [{{id: lane, type: number, minValues: 1}}, {{id: depth, type: number}}]
data: ["/fastq/S1_R{{1,2}}.fastq.gz", /ref.tar]
"""

pytestmark = pytest.mark.parametrize("emulator", [{"catalog": CATALOG}], indirect=True)


def test_a_starter_of_a_pipeline_is_valid_once_all_is_filled_in(cli, emulator):
    made = cli.ok("init", "germline.yaml", "--pipeline", "Germline-4", "--project", PROJECT)
    assert "next: replace each REPLACE_ME in germline.yaml, and the rows of germline.samples.csv; then" in made.out
    text = cli.read("germline.yaml")
    assert text.startswith("# yaml-language-server: $schema=manifest.schema.json\n")
    assert "manifest.schema.json" in cli.files()
    assert "format: CRAM " in text
    assert "# enable_sv: false " in text
    assert "# bed: /path/of/data " in text
    assert '# note: "{{ REPLACE_ME }}"' in text, "a comment becomes an error, not a value, where it is only uncommented"
    assert "required, one of BAM, CRAM, default CRAM" in text
    assert cli.read("germline.samples.csv") == "sample,fastqs,ref_tar\nS1,<path of fastqs>,<path of ref-tar>\n"
    assert list(json.loads(cli.read("germline.names.json"))["pipelines"]) == ["Germline-4"]
    done = cli("validate", "germline.yaml")
    assert (done.code, "REPLACE_ME" in done.out) == (3, True)
    cli.write("germline.yaml", text.replace('"{{ REPLACE_ME }}"', "30"))
    done = cli("validate", "germline.yaml")
    assert (done.code, "<path of fastqs>" in done.out, "<path of ref-tar>" in done.out) == (3, True, True)
    cli.write(
        "germline.samples.csv", "sample,fastqs,ref_tar\nS1,/fastq/S1_R1.fastq.gz;/fastq/S1_R2.fastq.gz,/ref.tar\n"
    )
    cli.ok("run", "germline.yaml")
    assert emulator.executed() == ["S1"]


def test_a_starter_of_a_form_has_its_fields_and_groups(cli, emulator):
    cli.ok("init", "form.yaml", "--pipeline", "Form-1", "--project", PROJECT)
    text = cli.read("form.yaml")
    assert "kind: nextflowJson" in text
    assert "required, textbox, Name of the sample" in text
    assert "optional, select, one of fast, exact" in text
    assert "      #   - id: pairs\n      #     values:\n" in text
    assert "                # depth: " in text, "an optional field of a required group is a comment, not a value"
    unfilled = cli("validate", "form.yaml").out
    assert "`{{ REPLACE_ME }}`: this is the placeholder that `init` wrote" in unfilled
    text = text.replace('lane: "{{ REPLACE_ME }}"', "lane: 1")
    cli.write("form.yaml", text.replace('"{{ REPLACE_ME }}"', '"{{ row.sample }}"', 1))
    cli.write("form.samples.csv", "sample,ref\nS1,/ref.tar\n")
    cli.ok("run", "form.yaml")
    assert emulator.executed() == ["S1"]
    change(cli, 'sample: "{{ row.sample }}"', 'sample: "hush-{{ row.sample }}"', "form.yaml")
    planned = cli.ok("plan", "form.yaml")
    assert 'inputFormValues.fields[sample]: "(not shown)" → "(not shown)"' in planned.out
    assert "hush" not in planned.out + cli.ok("plan", "form.yaml", "--json").out


def test_an_unknown_pipeline_is_named_and_nothing_is_written(cli, emulator):
    done = cli("init", "germline.yaml", "--pipeline", "Germlin-4", "--project", PROJECT)
    assert (done.code, 'did you mean "Germline-4"?' in done.err, cli.files()) == (2, True, [])


def test_on_a_terminal_project_and_pipeline_are_chosen_by_number(cli, emulator):
    answers = {"Number of the project": "1\n", "Number of the pipeline": "2\n"}
    seen = on_terminal(cli, "init", "germline.yaml", answers=answers)
    assert seen.code == 0, seen.text
    assert f"study  {PROJECT}" in seen.text
    text = cli.read("germline.yaml")
    assert (f"project: {PROJECT}\n" in text, "pipeline: Germline-4\n" in text) == (True, True)
