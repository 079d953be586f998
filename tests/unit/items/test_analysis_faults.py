"""Faults of many rows: which are reported one by one, and which together."""

from __future__ import annotations

import json

from items.items_lab import PER_ROW, lines


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


def test_faults_of_a_few_rows_are_reported_one_by_one(study):
    study.sheet("sample\na+\nb\nc+\n")
    _, findings = study.expand(PER_ROW)
    assert [(finding.row.line, finding.message[-4:]) for finding in findings] == [(2, '"a+"'), (4, '"c+"')]


def test_a_ragged_row_that_two_analyses_read_is_reported_once(study):
    study.sheet("sample\na\nb,c\n" + "c,d\n" * 10)
    _, findings = study.expand(PER_ROW + PER_ROW.replace("row.sample }}", "row.sample }}2"))
    assert ["the same in 11 rows (lines 3, 4, 5, 6, 7, …)" in finding.message for finding in findings] == [True]


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


def test_rows_that_are_read_again_are_counted_once(study):
    study.sheet("sample\n" + "".join(f"S{i}\n" for i in range(9)))
    loaded = study.loaded(PER_ROW + '    analysisInput: {inputs: {fq: ["{{ row.sample }}"]}}\n')
    for _ in range(2):
        assert list(loaded.stream.items()) == []
    (finding,) = [each for each in loaded.findings.all() if "the same in" in each.message]
    assert "the same in 9 rows" in finding.message
