"""What is known before the first row: names in templates, the templates themselves, and what they choose."""

from __future__ import annotations

from items.items_lab import HEAD, PER_ROW


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


def test_of_too_many_different_templates_those_beyond_are_refused_where_they_stand(study):
    parameters = "".join(f"        k{number}: '{{{{ {number} + 1 }}}}'\n" for number in range(2_010))
    study.sheet("sample\na\n")
    items, findings = study.expand(PER_ROW + "    analysisInput:\n      inputs: []\n      parameters:\n" + parameters)
    assert not items
    refused = [found for found in findings if "too many different templates" in found.message]
    first = 5 + PER_ROW.count("\n") + 3 + 1  # the line of k0
    assert [found.place.line for found in refused] == [8, *range(first + 2_000, first + 2_010)]


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
