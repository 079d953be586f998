"""What two items claim: a userReference, or a place for their results."""

from __future__ import annotations

import pytest
from items.items_lab import PER_ROW, lines


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


def test_each_repetition_of_a_reference_is_reported_up_to_five(study):
    study.sheet("sample\n" + "a\n" * 4)
    _, findings = study.expand(PER_ROW)
    assert lines(findings, "MR502") == [3, 4, 5]
    _, findings = study.expand("  - {kind: nextflow, userReference: a}\n" * 6)
    assert [finding.place.line for finding in findings] == [7, 8, 9, 10, 11]
    _, findings = study.expand("  - {kind: nextflow, userReference: a}\n" * 7)
    assert [finding.place.line for finding in findings] == [7]
    assert findings[0].message.endswith("the same in 6 places (lines 7, 8, 9, 10, 11, …)")


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
