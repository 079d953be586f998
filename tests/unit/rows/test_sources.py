"""Rows of each source: streamed, with their lines, text where a table is text and numbers as spelled elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from manifest_runner.diagnostics.collector import Findings
from manifest_runner.diagnostics.finding import Finding, InvalidManifest, Place
from manifest_runner.manifest.document import SourceSpec
from manifest_runner.rows.base import Rows, listed_rows, matrix_rows
from manifest_runner.rows.csv_rows import CsvReading, csv_rows
from manifest_runner.rows.json_rows import json_rows
from manifest_runner.rows.sources import Source, Sources, yaml_rows


@pytest.fixture(name="sheet")
def _sheet(tmp_path):
    def sheet(content: str | bytes, name: str = "s.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return sheet


def table(path: Path, delimiter: str = ",", section: str | None = None) -> Rows:
    return csv_rows(path, "s.csv", CsvReading(delimiter, section))


def read(rows: Rows) -> list[tuple[int, object]]:
    def refuse(finding: Finding, _group: object) -> None:
        raise AssertionError(finding)

    return list(rows.read(refuse))


def fault_of(act) -> Finding:
    with pytest.raises(InvalidManifest) as raised:
        act()
    return raised.value.findings[0]


# -- tables


def test_cells_are_text_whatever_they_look_like(sheet):
    cells = "NO,012,0x1F,+1,.5,1_000,12:30,2026-11-23,1e5,true,null,,NaN,=1+1".split(",")
    header = ",".join(f"c{i}" for i in range(len(cells)))
    rows = table(sheet(f"{header}\n{','.join(cells)}\n"))
    assert read(rows) == [(2, cells)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_line_ends_and_a_bom_do_not_matter(sheet, end, bom):
    rows = table(sheet(bom + end.join(["a,b", "1,2", '"3', '4",5', "6,7"])))
    assert rows.columns == ("a", "b")
    assert read(rows) == [(2, ["1", "2"]), (3, [f"3{end}4", "5"]), (5, ["6", "7"])]


def test_quotes_hold_delimiters_quotes_and_line_ends(sheet):
    rows = table(sheet('a,b\n"x,""y""","1\n\n2"\n\n3,4\n'))
    assert read(rows) == [(2, ['x,"y"', "1\n\n2"]), (6, ["3", "4"])]


def test_rows_of_empty_cells_do_not_count_and_padding_is_cut(sheet):
    rows = table(sheet("\n,,\na,b,,\n1,2,,\n,,,\n3,4\n5,6,\n\n"))
    assert rows.columns == ("a", "b")
    assert read(rows) == [(4, ["1", "2"]), (6, ["3", "4"]), (7, ["5", "6"])]


def test_a_table_can_be_read_again(sheet):
    rows = table(sheet("a\n1\n"))
    assert read(rows) == read(rows) == [(2, ["1"])]


def test_a_tsv_has_tabs(sheet):
    assert read(table(sheet("a\tb\n1,2\t3\n"), "\t")) == [(2, ["1,2", "3"])]


def test_ragged_rows_are_reported_once_with_their_first_lines(sheet):
    findings = Findings()
    rows = table(sheet("a,b\n1,2\n" + "x\n" * 10_000 + "1,2,3\n3,4\n"))
    assert [row_id for row_id, _ in rows.read(findings.add)] == [2, 10_004]
    short, long = findings.all()
    assert short.place == short.row == Place("s.csv", 3)
    assert short.message.endswith("the same in 10,000 rows (lines 3, 4, 5, 6, 7, …)")
    assert "quote a cell" in long.message


V1 = "[Header],,\nIEMFileVersion,4,\n,,\n[Data],,\nSample_ID,Lane,\nS1,1,\n\nS2,2,\n,,\n[Other],,\nx,y,z\n"
V2 = "[Header]\nFileFormatVersion,2\n\n[BCLConvert_Settings]\nAdapter,ACGT\n\n[BCLConvert_Data]\nLane,Sample_ID\n1,S1\n"


def test_a_section_of_an_illumina_samplesheet_is_a_table(sheet):
    assert read(table(sheet(V1), section="Data")) == [(6, ["S1", "1"]), (8, ["S2", "2"])]
    rows = table(sheet(V2.replace("\n", "\r\n")), section="[bclconvert_data]")
    assert rows.columns == ("Lane", "Sample_ID")
    assert read(rows) == [(9, ["1", "S1"])]


def test_a_quote_that_is_not_closed_is_reported_where_it_opens(sheet):
    rows = table(sheet('a,b\n1,2\n3,"4\n' + "5,6\n" * 100))
    fault = fault_of(lambda: read(rows))
    assert (fault.code, fault.place) == ("MR305", Place("s.csv", 3))


def test_a_cell_may_be_a_mebibyte_and_no_more_than_two(sheet):
    assert len(read(table(sheet("a\n" + "x" * 2**20 + "\n")))[0][1][0]) == 2**20
    rows = table(sheet("a\n" + "x" * (2**21 + 1) + "\n"))
    assert "more than 2 MiB" in fault_of(lambda: read(rows)).message


def test_a_file_that_changes_its_encoding_after_it_was_checked_is_an_error_not_a_bug(sheet):
    path = sheet("a\n1\n")
    rows = table(path)
    path.write_bytes(b"a\n\xff\n")
    assert fault_of(lambda: read(rows)).code == "MR301"


@pytest.mark.parametrize("codec", ["latin-1", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_encoding_is_reported(sheet, codec):
    assert fault_of(lambda: table(sheet("é,b\n1,2\n".encode(codec)))).code == "MR102"


def test_a_byte_that_is_not_utf8_is_reported_at_its_line_far_into_the_file(sheet):
    content = b"a,b\n" + b"\xc3\xa91,2\n" * 400_000 + b"x\xffy,3\n"
    assert fault_of(lambda: table(sheet(content))).place == Place("s.csv", 400_002, 2)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_its_line_is_right_whatever_ends_the_lines_and_wherever_the_file_is_cut(sheet, end):
    start = b"a" + end
    content = start + b"x" * (2**20 - len(start) - 1) + end + b"y" + end + b"z\xff"
    assert fault_of(lambda: table(sheet(content))).place == Place("s.csv", 4, 2)


def test_a_character_cut_off_at_the_end_is_reported(sheet):
    assert fault_of(lambda: table(sheet(b"a\nx\xc3"))).code == "MR102"


# -- json


def lines(path: Path) -> list[tuple[int, object]]:
    rows = json_rows(path, "s.json")
    return [(rows.place(row_id).line, row) for row_id, row in read(rows)]


def test_json_numbers_keep_their_spelling(sheet):
    spellings = ["0.10", "1e5", "-0", "1E+2", "100.0", "9007199254740993", "1e400", "-0.0"]
    row = lines(sheet("[{" + ", ".join(f'"c{i}": {text}' for i, text in enumerate(spellings)) + "}]"))[0][1]
    assert [str(value) for value in row.values()] == spellings


def test_json_rows_come_with_their_lines(sheet):
    text = '\ufeff [\n {"a": 1},\n\n {"a":\n  2}, {"a": "\\n"}\n]\n'
    rows = json_rows(sheet(text), "s.json")
    found = [(rows.place(row_id), row) for row_id, row in read(rows)]
    places = [Place("s.json", 2), Place("s.json", 4), Place("s.json", 5, 7)]
    assert found == list(zip(places, [{"a": 1}, {"a": 2}, {"a": "\n"}], strict=True))
    assert lines(sheet("[]")) == []


def test_json_rows_of_one_line_come_with_their_columns_however_long_the_line(sheet):
    rows = [{"a": "x" * 500, "n": number} for number in range(5000)]
    path = sheet(json.dumps(rows))
    found = json_rows(path, "s.json")
    (first, _), *others = read(found)
    assert found.place(first) == Place("s.json", 1)
    text = path.read_text(encoding="utf-8")
    for row_id, row in others:
        assert text[found.place(row_id).column - 1 :][:530].startswith(json.dumps(row))


def test_json_that_is_larger_than_what_is_read_at_once_comes_whole(sheet):
    rows = [{"sample": f"S{i}", "text": "x" * (i % 977), "n": i, "é": "𝄞\\"} for i in range(9000)]
    path = sheet("[\n" + ",\n".join(json.dumps(row, ensure_ascii=i % 2 == 0) for i, row in enumerate(rows)) + "\n]")
    assert path.stat().st_size > 4 * 2**20
    assert lines(path) == [(i + 2, row) for i, row in enumerate(rows)]


def test_a_row_of_json_can_be_larger_than_what_is_read_at_once(sheet):
    assert len(lines(sheet(json.dumps([{"a": "x" * 3_000_000}, {"a": 1}])))[0][1]["a"]) == 3_000_000


BAD_JSON = {
    "": 1,
    "{}": 1,
    "[": 1,
    "[{}": 1,
    "[{},\n]": 2,
    "[{}\n{}]": 2,
    "[{}]\n[]": 2,
    '[{"a": NaN}]': 1,
    '[{"a": Infinity}]': 1,
    '[{"a": -Infinity}]': 1,
    '[\n{"a": 01}]': 2,
    '[\n{"a": 1, "a": 2}]': 2,
    '[\n{"a": "\\ud800"}]': 2,
    '[\n{"a": "\\udc00\\ud800"}]': 2,
    '[{"a": ' + "1" * 5000 + "}]": 1,
    '[\n{"a": ' + "[" * 101 + "]" * 101 + "}]": 2,
    '[\n{"a": ' + "[" * 100_000 + "]" * 100_000 + "}]": 2,
    '[\n{"a": ' + '{"a": ' * 100_000: 2,
    "[{'a': 1}]": 1,
    '[\n{"a": "\t"}]': 2,
    "[{}, // x\n{}]": 1,
}


@pytest.mark.parametrize("text", BAD_JSON, ids=lambda text: text[:20])
def test_invalid_json_is_reported_at_its_line(sheet, text):
    fault = fault_of(lambda: lines(sheet(text)))
    assert (fault.code, fault.place.line) == ("MR306", BAD_JSON[text])


def test_a_surrogate_pair_is_one_character(sheet):
    assert lines(sheet('[{"a": "\\ud834\\udd1e"}]')) == [(1, {"a": "𝄞"})]


def test_json_rows_that_are_not_objects_are_reported_once(sheet):
    findings = Findings()
    rows = json_rows(sheet('[{"a": 1},\n' + "5,\n" * 1000 + '{"a": 2}]'), "s.json")
    assert [row for _, row in rows.read(findings.add)] == [{"a": 1}, {"a": 2}]
    assert [finding.row for finding in findings.all()] == [Place("s.json", 2)]


def test_json_lines_are_rows(sheet):
    rows = json_rows(sheet('{"a": 0.10}\n\n  {"a": "x"}\n5\n', "s.jsonl"), "s.jsonl")
    findings = Findings()
    found = [(rows.place(row_id).line, str(row["a"])) for row_id, row in rows.read(findings.add)]
    assert found == [(1, "0.10"), (3, "x")]
    assert [(each.place.line, each.message) for each in findings.all()] == [(4, "a row must be an object")]


@pytest.mark.parametrize(
    ("text", "line"), [('{"a": 1} {"a": 2}', 1), ('{"a": 1}\n[{"a": 2}', 2), ('{"a": 1}\n{"a"', 2)]
)
def test_invalid_json_lines_are_reported_at_their_line(sheet, text, line):
    fault = fault_of(lambda: read(json_rows(sheet(text, "s.jsonl"), "s.jsonl")))
    assert (fault.code, fault.place.line) == ("MR306", line)


# -- yaml, rows, matrix


def test_yaml_rows_are_mappings_with_their_places(sheet):
    rows = yaml_rows(sheet("- {a: 0.10}\n- {a: NO}\n", "s.yaml"), "s.yaml")
    assert [(row_id, {key: str(value) for key, value in row.items()}) for row_id, row in read(rows)] == [
        (0, {"a": "0.10"}),
        (1, {"a": "NO"}),
    ]
    assert rows.place(1) == Place("s.yaml", 2)


def test_rows_on_one_line_differ_by_their_columns(sheet):
    rows = yaml_rows(sheet("[{a: 1}, {a: 2}]\n", "s.yaml"), "s.yaml")
    assert [rows.place(row_id) for row_id, _ in read(rows)] == [Place("s.yaml", 1), Place("s.yaml", 1, 10)]


def test_rows_that_are_not_mappings_are_reported(sheet):
    findings = Findings()
    rows = listed_rows([{"a": 1}, "x"], lambda number: Place("m.yaml", number + 1))
    assert list(rows.read(findings.add)) == [(0, {"a": 1})]
    assert [finding.place.line for finding in findings.all()] == [2]


def test_in_a_matrix_the_first_key_varies_slowest():
    rows = matrix_rows({"b": [1, 2], "a": ["x", "y"]}, lambda _: Place("m.yaml", 1))
    assert [row for _, row in read(rows)] == [
        {"b": 1, "a": "x"},
        {"b": 1, "a": "y"},
        {"b": 2, "a": "x"},
        {"b": 2, "a": "y"},
    ]


def test_a_matrix_of_too_many_combinations_is_refused_before_it_is_made():
    with pytest.raises(ValueError, match="1,000,000"):
        matrix_rows({f"k{i}": range(10) for i in range(30)}, lambda _: Place("m.yaml", 1))


@pytest.mark.parametrize(("start", "repeated", "end"), [('[{"a": "', "x", '"}]'), ('[{"a": [', "10,", "1]}]")])
def test_a_json_row_that_is_too_long_is_refused_for_that(tmp_path, start, repeated, end):
    path = tmp_path / "s.json"
    path.write_text(start + repeated * (9 * 2**20 // len(repeated)) + end)
    with pytest.raises(InvalidManifest) as raised:
        list(json_rows(path, "s.json").read(lambda _finding, _group: None))
    assert [finding.message for finding in raised.value.findings] == ["a row of more than 8 MiB"]


def test_json_rows_of_some_megabytes_are_read_wherever_they_are_cut(tmp_path):
    path = tmp_path / "s.json"
    rows = [{"a": "x" * 700_000, "b": [number] * 50_000} for number in range(20)]
    path.write_text(json.dumps(rows))
    assert [row for _, row in json_rows(path, "s.json").read(lambda _finding, _group: None)] == rows


def test_a_section_that_appears_twice_is_an_error_since_its_rows_would_be_lost(tmp_path):
    path = tmp_path / "s.csv"
    path.write_text("[Data]\nSample_ID\nS1\n[Header]\nx\n[data]\nSample_ID\nS2\n")
    rows = csv_rows(path, "s.csv", CsvReading(section="Data"))
    with pytest.raises(InvalidManifest) as caught:
        list(rows.read(lambda *_: None))
    (finding,) = caught.value.findings
    assert (finding.place.line, finding.message) == (6, "duplicate section [Data]; it first starts on line 1")


@pytest.mark.parametrize("line", ['"[Data]",,', "[Data] ,,", "[Data],,,", '"[Data]","",""', "[Data]||"])
def test_a_section_begins_however_a_spreadsheet_writes_its_line(tmp_path, line):
    path = tmp_path / "s.csv"
    path.write_text(f"[Header]\nx\n{line}\nSample_ID\nS1\n")
    assert [row for _, row in csv_rows(path, "s.csv", CsvReading(section="Data")).read(print)] == [["S1"]]


def test_every_file_that_is_missing_or_named_twice_is_reported(tmp_path):
    (tmp_path / "a.csv").write_text("sample\nS1\n")
    spec = SourceSpec("csv", ["a.csv", "gone.csv", "x*.csv", "./a.csv"])
    source = Source(spec, spec.source, lambda path: Place("m.yaml", 1, 1 + (path[0] if path else 0)))
    with pytest.raises(InvalidManifest) as refused:
        Sources(tmp_path, Path()).rows(source)
    assert sorted((each.place.column, each.message.split(";")[0]) for each in refused.value.findings) == [
        (2, "there is no samplesheet gone.csv"),
        (3, 'no samplesheet matches "x*.csv"'),
        (4, "the samplesheet ./a.csv is listed twice"),
    ]
