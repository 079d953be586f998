"""What is not a fault, and may not be intended."""

from __future__ import annotations

import pytest
from items.items_lab import PER_ROW


def test_an_analysis_without_rows_is_reported(study):
    study.sheet("sample\n")
    items, (found,) = study.expand(PER_ROW)
    assert (items, found.code, found.severity, found.place.line) == ([], "MR604", "warning", 7)
    assert found.message == "there are no rows, so this analysis has no items"


@pytest.mark.parametrize("where", ["row.lane == 1", "row.lane | int > 1"])  # compared by Python, and by Jinja
def test_a_condition_that_no_row_meets_is_reported(study, where):
    study.sheet("sample,lane\na,1\nb,1\n")
    each = f"forEach: {{csv: samples.csv, where: {where!r}}}"
    items, (found,) = study.expand(PER_ROW.replace("forEach: {csv: samples.csv}", each))
    assert (items, found.code, found.place.column) == ([], "MR604", each.index(where) + 5 - 1)
    assert found.message == "none of the 2 rows meets the condition, so this analysis has no items"


def test_a_lack_of_rows_is_not_reported_where_all_have_faults(study):
    study.sheet("sample,lane\na\n")
    assert [found.code for found in study.expand(PER_ROW)[1]] == ["MR304", "MR602"]


EMPTY = PER_ROW + "    analysisInput: {inputs: {bed: %s, fixed: fil.1, list: '{{ row.list | split(\";\") }}'}}\n"


def test_an_input_without_data_is_information_and_a_blank_in_it_is_an_error(study):
    study.sheet("sample,bed,list\na,fil.1,fil.x\nb,,fil.x\nc,fil.2,\nd,fil.3,fil.x;\n")
    items, findings = study.expand(EMPTY % "'{{ row.bed }}'")
    assert [item.user_reference for item in items] == ["a", "c"]
    assert [(found.row.line, found.severity, found.code) for found in findings] == [
        (3, "error", "MR504"),
        (4, "info", "MR605"),
        (5, "error", "MR504"),
    ]
    assert all("which is blank" in found.message for found in findings if found.code == "MR504")


def test_an_input_that_null_leaves_out_is_not_reported_and_moves_no_other(study):
    study.sheet("sample,bed,list\na,,\n")
    _, (found,) = study.expand(EMPTY % "'{{ row.bed or none }}'")
    assert (found.message.startswith('the input "list" has no data'), found.place.line) == (True, 9)
    assert found.place.column == EMPTY.splitlines()[3].index("'{{ row.list") + 1 + len("'{{ row.bed or none }}'") - 2


def test_many_inputs_without_data_are_reported_together(study):
    study.sheet("sample,bed,list\n" + "".join(f"a{number},,fil.x\n" for number in range(1000)))
    found = next(each for each in study.expand(EMPTY % "'{{ row.bed }}'")[1] if each.code != "MR609")
    assert "the same in 1,000 rows" in found.message


def test_different_mistakes_in_one_column_of_data_are_reported_one_by_one(study):
    study.sheet("sample,bed,list\n" + "".join(f"a{number},{'s3://b/' * (number % 2)},\n" for number in range(20)))
    found = [each.message for each in study.expand(EMPTY % "'{{ row.bed }}'")[1] if each.code == "MR504"]
    assert ["blank" in found[0], "s3://" in found[1]] == [True, True]
    assert ["the same in 10 rows" in message for message in found] == [True, True]
