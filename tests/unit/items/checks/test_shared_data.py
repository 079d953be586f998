"""Data that an input lists twice, or that several rows share."""

from __future__ import annotations

import pytest
from items.items_lab import PER_ROW

from manifest_runner.items.checks import shared_data


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
