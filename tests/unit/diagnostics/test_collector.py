"""The same fault in ten thousand rows is one message with a count."""

from __future__ import annotations

from manifest_runner.diagnostics.collector import MAX_OF_A_CODE, Findings
from manifest_runner.diagnostics.finding import Finding, Place

PLACE = Place("m.yaml", 4, 7)


def row(line: int) -> Place:
    return Place("s.csv", line)


def test_one_finding_stays_as_it_is():
    findings = Findings()
    findings.add(Finding(PLACE, "MR501", "wrong", row=row(2)), "x")
    assert findings.all() == [Finding(PLACE, "MR501", "wrong", row=row(2))]


def test_alike_findings_are_one_with_the_first_rows():
    findings = Findings()
    for line in range(2, 10_002):
        findings.add(Finding(PLACE, "MR501", f"wrong {line}", row=row(line)), "x")
    assert [each.message for each in findings.all()] == ["wrong 2; the same in 10,000 rows (lines 2, 3, 4, 5, 6, …)"]
    assert findings.count("error") == 1


def test_up_to_five_rows_have_a_finding_each_with_its_own_words():
    findings = Findings()
    for line in (2, 9, 10, 11, 12):
        findings.add(Finding(PLACE, "MR501", f"wrong {line}", row=row(line)), "x")
    assert [(each.row, each.message) for each in findings.all()] == [
        (row(line), f"wrong {line}") for line in (2, 9, 10, 11, 12)
    ]
    findings.add(Finding(PLACE, "MR501", "wrong 13", row=row(13)), "x")
    (found,) = findings.all()
    assert (found.row, found.message) == (row(2), "wrong 2; the same in 6 rows (lines 2, 9, 10, 11, 12, …)")


def test_many_findings_in_one_row_are_that_row_once():
    findings = Findings()
    for value in range(24):
        findings.add(Finding(PLACE, "MR504", f"wrong {value}", row=row(2)), "x")
    assert [each.message for each in findings.all()] == ["wrong 0; the same 24 times in this row"]
    for value in range(8):
        findings.add(Finding(PLACE, "MR504", f"wrong {value}", row=row(7)), "x")
    assert [each.message for each in findings.all()] == ["wrong 0; the same in 2 rows (lines 2, 7)"]


def test_rows_of_a_matrix_which_have_one_place_are_several():
    findings = Findings()
    for _ in range(8):
        findings.add(Finding(PLACE, "MR504", "wrong", row=Place(PLACE.file, 5, 9)), "x")
    assert [each.message for each in findings.all()] == ["wrong; the same in 8 rows (lines 5:9, …)"]


def test_rows_of_other_files_are_reported_with_their_file():
    findings = Findings()
    for number in range(6):
        findings.add(Finding(PLACE, "MR501", "wrong", row=Place(f"{number % 2}.csv", number)), "x")
    assert findings.all()[0].message.endswith("(lines 0, 1.csv:1, 2, 1.csv:3, 4, …)")


def test_rows_on_one_line_are_counted_and_rows_that_are_read_again_are_not():
    findings = Findings()
    for line in [1, 1, 2, 3, 4, 5] * 2:
        findings.add(Finding(row(line), "MR306", "no object", row=row(line)), "type")
    assert findings.all()[0].message.endswith("in 6 rows (lines 1, 2, 3, 4, …)")


def test_other_places_codes_and_groups_are_other_faults():
    findings = Findings()
    for place, code, group in (
        (PLACE, "MR501", "x"),
        (PLACE, "MR501", "y"),
        (PLACE, "MR403", "x"),
        (row(1), "MR501", "x"),
    ):
        findings.add(Finding(place, code, "wrong", row=row(2)), group)
    assert len(findings.all()) == 4


def test_a_fault_of_rows_themselves_is_alike_in_one_file_only():
    findings = Findings()
    for file in ("a.csv", "b.csv"):
        for line in (2, 3):
            findings.add(Finding(Place(file, line), "MR304", "ragged", row=Place(file, line)), "ragged")
    assert [(each.place.file, each.place.line) for each in findings.all()] == [
        ("a.csv", 2),
        ("a.csv", 3),
        ("b.csv", 2),
        ("b.csv", 3),
    ]


def test_a_fault_of_the_defaults_that_analyses_share_is_reported_once():
    findings = Findings()
    for _ in range(3):
        findings.add(Finding(PLACE, "MR402", "no column"))
    assert findings.all() == [Finding(PLACE, "MR402", "no column")]


def test_findings_are_sorted_by_place_and_counted_by_severity():
    findings = Findings()
    findings.add(Finding(Place("m.yaml", 9), "MR201", "b"))
    findings.add(Finding(Place("m.yaml", 2), "MR602", "a", severity="warning"))
    assert [each.message for each in findings.all()] == ["a", "b"]
    assert [each.message for each in findings.all("warning")] == ["a"]
    assert (findings.count("error"), findings.count("warning"), findings.count("info")) == (1, 1, 0)


def test_what_many_rows_share_is_the_manifest_s_fault():
    findings = Findings()
    for line in range(2, 7):
        findings.add(Finding(PLACE, "MR501", "wrong", row=row(line), is_of_row=True), "x")
    assert {each.places for each in findings.all()} == {(row(line), PLACE) for line in range(2, 7)}
    findings.add(Finding(PLACE, "MR501", "wrong", row=row(7), is_of_row=True), "x")
    assert [each.places for each in findings.all()] == [(PLACE, row(2))]


def test_of_one_code_the_first_hundred_are_reported_and_the_others_counted():
    findings = Findings()
    for line in range(1, MAX_OF_A_CODE + 31):
        findings.add(Finding(Place("m.yaml", line), "MR402", f"wrong {line}", row=row(2)), "x")
    findings.add(Finding(PLACE, "MR404", "another"), "x")
    reported = [each.message for each in findings.all() if each.code == "MR402"]
    assert reported[:MAX_OF_A_CODE] == [f"wrong {line}" for line in range(1, MAX_OF_A_CODE + 1)]
    assert reported[MAX_OF_A_CODE:] == ["wrong 101; 29 more of MR402 not shown"]
    assert findings.is_full("MR402")
    assert not findings.is_full("MR404")


def test_a_fault_that_is_known_well_enough_is_only_counted():
    findings = Findings()
    assert not findings.is_reported("MR501", PLACE, "x")
    for line in range(2, 7):
        assert not findings.is_reported("MR501", PLACE, "x")
        findings.add(Finding(PLACE, "MR501", "wrong", row=row(line)), "x")
    assert findings.is_reported("MR501", PLACE, "x")
    assert [each.message for each in findings.all()] == ["wrong; the same in 6 rows (lines 2, 3, 4, 5, 6, …)"]
