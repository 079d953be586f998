"""All that is wrong with an item, at once."""

from __future__ import annotations

import pytest

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
