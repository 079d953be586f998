"""Samplesheets as people make them: nothing odd in them becomes a sample, or goes unnoticed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_runner.diagnostics.finding import Finding, InvalidManifest, Place
from manifest_runner.rows.base import OddRow
from manifest_runner.rows.cells import BLANKS, trimmed
from manifest_runner.rows.csv_rows import CsvReading, csv_rows


class Sheet:
    """A csv file as it is read: its columns, its rows by line, and what was reported."""

    def __init__(self, path, text, **reading):
        path.write_text(text, encoding="utf-8")
        self.findings: list[Finding] = []
        rows = csv_rows(path, "s.csv", CsvReading(**reading))
        self.columns = rows.columns
        self.rows = list(rows.read(lambda finding, _group: self.findings.append(finding)))
        self.codes = [finding.code for finding in self.findings]


@pytest.fixture(name="sheet")
def _sheet(tmp_path):
    return lambda text, **reading: Sheet(tmp_path / "s.csv", text, **reading)


@given(st.text(st.sampled_from(BLANKS + "a\x00é"), max_size=8))
def test_trimming_again_changes_nothing(text):
    assert trimmed(trimmed(text)) == trimmed(text)
    assert not trimmed(text).startswith(tuple(BLANKS))


def test_blanks_are_removed_with_one_warning_a_column(sheet):
    found = sheet("a , b,c\nx ,1,\u00a0y\nz\t,2,\u202aw w\u200e\n , ,\u200b\n")
    assert (found.columns, found.rows) == (("a", "b", "c"), [(2, ["x", "1", "y"]), (3, ["z", "2", "w w"])])
    assert [(each.code, each.severity, each.place.line) for each in found.findings] == [
        ("MR606", "warning", 1),
        ("MR606", "warning", 1),
        ("MR606", "warning", 2),
    ]
    assert 'around 3 cells of the column "a", first "a "' in found.findings[0].message
    assert "2 cells of" in found.findings[2].message


@pytest.mark.parametrize(
    "text", ["a,b\n x,1\n", 'a,b\n"x ",1\n', "a,b\n1,x \n", "a,b\nx ,1\n", "a,b\n1, x", "a,b\n1,\tx\n"]
)
def test_blanks_are_found_wherever_the_cell_is(sheet, text):
    assert "MR606" in sheet(text).codes
    kept = sheet(text, trim=False)
    assert kept.codes == []
    assert any(cell != cell.strip() for _, row in kept.rows for cell in row)


def test_spaces_within_cells_stay(sheet):
    found = sheet('a,b\nwhole genome,"x, y z"\n' + "one two three four five six seven eight nine ten,1\n")
    assert found.codes == []
    assert found.rows[0] == (2, ["whole genome", "x, y z"])


def test_rows_that_are_commented_out_are_errors_or_left_out(sheet):
    text = 'a,b\n#x,1\n"#y",2\n  # z\nv#,3\n'
    found = sheet(text)
    assert (found.rows, found.codes) == ([(5, ["v#", "3"])], ["MR309"] * 3)
    assert '`comment: "#"`' in found.findings[0].message
    assert sheet("# made by hand\n" + text, comment="#").rows == [(6, ["v#", "3"])]
    assert sheet(text.replace("#", "//"), comment="//").rows == [(5, ["v//", "3"])]
    assert sheet("a,b\n#x,1\n", comment="//").rows == [(2, ["#x", "1"])]


def test_a_commented_row_is_left_out_wherever_the_file_is_cut_in_pieces(sheet):
    text = "a\nb\n" + "x" * (2**20 - 6)
    assert len(sheet(text + "\n//c\n", comment="//").rows) == 2


def test_a_note_above_the_header_is_not_the_header(sheet):
    with pytest.raises(InvalidManifest) as raised:
        sheet("# exported today\na,b\n1,2\n")
    assert raised.value.findings[0].code == "MR309"
    assert sheet("#a,b\n1,2\n").columns == ("#a", "b")


def test_a_row_with_an_error_value_of_excel_is_marked(sheet):
    found = sheet("a,b\nx,#N/A\ny,#1\n#REF!,z\n")
    assert [(line, type(row) is OddRow) for line, row in found.rows] == [(2, True), (3, False), (4, True)]


def test_the_delimiter_is_the_manifests_or_that_of_the_line_of_excel(sheet):
    assert sheet("a;b\n1;x,y\n", delimiter=";").rows == [(2, ["1", "x,y"])]
    assert sheet("sep=;\na;b\n1; x\n").rows == [(3, ["1", "x"])]
    assert sheet('"sep=|"\r\na|b\r\n1|x\r\n').rows == [(3, ["1", "x"])]
    with pytest.raises(InvalidManifest) as raised:
        sheet("sep=;\na;b\n1;x\n", delimiter="|")
    assert raised.value.findings[0].place == Place("s.csv", 1)


@pytest.mark.parametrize(("text", "key"), [("a;b\n1;2\n", 'delimiter: ";"'), ("a\tb\n1\t2\n", "`tsv`")])
def test_a_header_of_one_column_says_which_key_to_add(sheet, text, key):
    with pytest.raises(InvalidManifest) as raised:
        sheet(text)
    assert key in raised.value.findings[0].message


def test_a_large_file_with_one_odd_line_at_its_end_is_read_as_a_small_one(sheet):
    text = "a,b\n" + "whole genome,1\n" * 100_000
    plain, odd = sheet(text), sheet(text + "x ,2\n")
    assert (len(plain.rows), plain.codes) == (100_000, [])
    assert (odd.rows[-1], odd.codes) == ((100_002, ["x", "2"]), ["MR606"])
