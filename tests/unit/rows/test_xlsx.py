"""Workbooks: cells as in a csv file of the same sheet, and nothing that Excel could not compute is read as blank."""

from __future__ import annotations

import builtins
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from manifest_runner.diagnostics.finding import InvalidManifest, Place
from manifest_runner.errors import UsageProblem
from manifest_runner.manifest.document import SourceSpec
from manifest_runner.rows.base import OddRow
from manifest_runner.rows.cells import NO_RESULT
from manifest_runner.rows.sources import Source, Sources
from manifest_runner.rows.xlsx import cut, limits, parts
from manifest_runner.rows.xlsx.xlsx_rows import xlsx_rows

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
FORMATS = '<xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/>'
STYLES = f'<styleSheet xmlns="{MAIN}"><cellXfs>{FORMATS}</cellXfs></styleSheet>'


def text(place: str, value: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'


def related(*targets: tuple[str, str, str]) -> str:
    """The relationships of a part, of (id, type, target)."""
    each = (f'<Relationship Id="{i}" Type="{OFFICE}/{kind}" Target="{target}"/>' for i, kind, target in targets)
    return f'<Relationships xmlns="{PACKAGE}/relationships">{"".join(each)}</Relationships>'


def workbook(path, *sheets: str, strings: str = "", properties: str = "") -> None:
    """Write a workbook; each sheet is its rows as XML."""
    numbers, namespaces = range(1, len(sheets) + 1), f'xmlns="{MAIN}" xmlns:r="{OFFICE}"'
    names = "".join(f'<sheet name="Sheet{n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    parts = {
        "_rels/.rels": related(("main", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f"<workbook {namespaces}>{properties}<sheets>{names}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": related(
            *((f"rId{n}", "worksheet", f"worksheets/sheet{n}.xml") for n in numbers),
            ("styles", "styles", "styles.xml"),
            ("strings", "sharedStrings", "sharedStrings.xml"),
        ),
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"/>',
        "xl/styles.xml": STYLES,
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{strings}</sst>',
    }
    for n, rows in enumerate(sheets, 1):
        body = f"<sheetData>{rows}</sheetData>"
        parts[f"xl/worksheets/sheet{n}.xml"] = f'<worksheet xmlns="{MAIN}">{body}</worksheet>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name, content)


HEADER = '<row r="1">' + text("A1", "sample") + text("B1", "value") + "</row>"


@pytest.fixture(name="rows_of")
def _rows_of(tmp_path):
    def rows_of(*sheets, name=None, strings="", **reading):
        workbook(tmp_path / "s.xlsx", *sheets, strings=strings)
        options = {"sheet_name": name, "trim": True, "comment": None} | reading
        return xlsx_rows(tmp_path / "s.xlsx", "s.xlsx", **options)

    return rows_of


def values(rows):
    found = []
    return [(row_id, row[1]) for row_id, row in rows.read(lambda finding, _: found.append(finding))]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ('<c r="B2"><v>1</v></c>', "1"),
        ('<c r="B2"><v>12.0</v></c>', "12"),
        ('<c r="B2"><v>0.1</v></c>', "0.1"),
        ('<c r="B2" t="b"><v>1</v></c>', "TRUE"),
        ('<c r="B2" t="str"><f>A2</f><v>P1</v></c>', "P1"),
        ('<c r="B2"><f>1+1</f><v>2</v></c>', "2"),
        ('<c r="B2" t="str"><f>""</f><v></v></c>', ""),
        ('<c r="B2" s="1"><v>46349</v></c>', "2026-11-23"),
        ('<c r="B2" s="2"><v>46349.4375</v></c>', "2026-11-23T10:30:00"),
        ('<c r="B2" t="s"><v>1</v></c>', "shared &"),
        (text("B2", "012"), "012"),
        ('<c r="B2" t="e"><v>#N/A</v></c>', "#N/A"),
        ('<c r="B2" t="e"><f>1/0</f><v>#DIV/0!</v></c>', "#DIV/0!"),
        ('<c r="B2"><f>A2</f></c>', NO_RESULT),
        ('<c r="B2"><f>A2</f><v></v></c>', NO_RESULT),
        ('<c r="B2"><f t="shared" si="0"/><v/></c>', NO_RESULT),
    ],
)
def test_a_cell_is_the_text_that_excel_shows_or_an_error(rows_of, cell, shown):
    strings = "<si><t>other</t></si><si><t>shared &amp;</t></si>"
    rows = rows_of(HEADER + '<row r="2">' + text("A2", "P1") + cell + "</row>", strings=strings)
    ((_, row),) = rows.read(print)
    assert row == ["P1", shown]
    assert (type(row) is OddRow) == shown.startswith("#")


def test_error_cells_alone_in_their_row_or_column_are_seen(rows_of):
    last = '<row r="5"><c r="B5" t="e"><v>#REF!</v></c></row>'
    rows = rows_of(HEADER + last + '<row r="7"><c r="A7"><f>x</f></c></row>')
    assert list(rows.read(print)) == [(5, ["", "#REF!"]), (7, [NO_RESULT, ""])]
    assert rows.cell_place(5, 1) == Place("s.xlsx", 5, 2)


def test_a_table_may_start_anywhere_and_blank_rows_do_not_count(rows_of):
    body = '<row r="3">' + text("C3", "a") + text("D3", "b ") + '</row><row r="9">' + text("D9", " x") + "</row>"
    rows = rows_of(body)
    assert (rows.columns, values(rows), rows.cell_place(9, 1)) == (("a", "b"), [(9, "x")], Place("s.xlsx", 9, 4))


def test_hidden_rows_and_merged_cells_are_read_with_a_warning(rows_of):
    hidden = '<row r="2" hidden="1">' + text("A2", "P1") + text("B2", "x") + "</row>"
    rows = rows_of(HEADER + hidden + '<row r="3" hidden="1"/><row r="4">' + text("A4", "P2") + "</row>")
    assert values(rows) == [(2, "x"), (4, "")]
    (note,) = rows.notes
    assert (note.code, note.severity, note.place) == ("MR612", "warning", Place("s.xlsx", 2))
    assert note.message.startswith("1 row is hidden")
    merged = '</sheetData><mergeCells count="1"><mergeCell ref="B2:B3"/></mergeCells><sheetData>'
    (note,) = rows_of(HEADER + hidden.replace(' hidden="1"', "") + merged).notes
    assert (note.code, note.place) == ("MR612", Place("s.xlsx", 2, 2))
    assert rows_of(HEADER.replace("<row", '<row hidden="1"')).notes == ()


def test_a_sheet_is_found_by_its_name(rows_of):
    assert rows_of(HEADER, HEADER.replace("value", "other"), name="Sheet2").columns == ("sample", "other")
    with pytest.raises(InvalidManifest) as raised:
        rows_of(HEADER, name="sheet 1")
    assert 'did you mean "Sheet1"?' in raised.value.findings[0].message


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (HEADER + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', "more than 5,000,000 cells"),
        (HEADER + '<row r="2"><c r="XFD1048576"><v>1</v></c></row>', "more than 5,000,000 cells"),
        (HEADER + '<row r="2"><c r="A2" t="str"><v>' + "x" * 5 * 2**20, "a text of more than 4 MiB"),
        ("<row><!-- a comment -->", "not XML"),
        ("", "empty"),
    ],
)
def test_a_sheet_that_would_take_too_much_memory_is_refused(rows_of, rows, words):
    with pytest.raises(InvalidManifest) as raised:
        rows_of(rows)
    assert words in raised.value.findings[0].message


def test_a_bomb_is_refused_by_what_comes_out_of_it(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MAX_STRINGS", 2**20)
    workbook(tmp_path / "s.xlsx", HEADER, strings="<si><t>" + "x" * 2**21 + "</t></si>")
    with pytest.raises(InvalidManifest) as raised:
        xlsx_rows(tmp_path / "s.xlsx", "s.xlsx", sheet_name=None, trim=True, comment=None)
    assert "is larger than" in raised.value.findings[0].message


@pytest.mark.parametrize("formula", ["", "<f>A1</f>"])
def test_texts_in_the_cells_themselves_are_limited_too(rows_of, monkeypatch, formula):
    monkeypatch.setattr(limits, "MAX_STRINGS", 2**20)
    long = "x" * 2000
    rows = [f'<row r="{n}"><c r="A{n}" t="str">{formula}<v>{long}</v></c></row>' for n in range(2, 700)]
    with pytest.raises(InvalidManifest) as raised:
        rows_of(HEADER + "".join(rows))
    assert "its texts may take more than 1 MiB" in raised.value.findings[0].message


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04nonsense", b"\xd0\xcf\x11\xe0old", b"a,b\n1,2\n"])
def test_what_is_not_a_workbook_is_reported(tmp_path, raw):
    (tmp_path / "s.xlsx").write_bytes(raw)
    with pytest.raises(InvalidManifest) as raised:
        xlsx_rows(tmp_path / "s.xlsx", "s.xlsx", sheet_name=None, trim=True, comment=None)
    assert raised.value.findings[0].code == "MR305"


@pytest.mark.parametrize(
    ("part", "before", "after"),
    [
        ("xl/worksheets/sheet1.xml", None, ""),
        ("xl/_rels/workbook.xml.rels", " Target=", " Other="),
        ("xl/workbook.xml", "<workbook", '<?xml version="1.0" encoding="UTF-81"?><workbook'),
    ],
)
def test_a_workbook_with_a_part_that_is_damaged_is_reported(tmp_path, part, before, after):
    path = tmp_path / "s.xlsx"
    workbook(path, HEADER)
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name).decode() for name in book.namelist() if name != part or before is not None}
    parts = {name: text.replace(before, after) if name == part else text for name, text in parts.items()}
    with zipfile.ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content)
    with pytest.raises(InvalidManifest) as raised:
        xlsx_rows(path, "s.xlsx", sheet_name=None, trim=True, comment=None)
    assert (raised.value.findings[0].code, "damaged" in raised.value.findings[0].message) == ("MR305", True)


def test_without_the_library_the_command_that_installs_it_is_named(rows_of, monkeypatch):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name == "python_calamine":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(UsageProblem, match=r"pip install 'manifest-runner\[xlsx\]'"):
        rows_of(HEADER)


def test_a_cell_of_one_of_several_workbooks_is_found_where_its_file_has_it(tmp_path):
    body = '<row r="2">' + text("A2", "%s") + '<c r="%s2" t="e"><v>#N/A</v></c></row>'
    turned = '<row r="1">' + text("A1", "value") + text("B1", "z") + text("C1", "sample") + "</row>"
    workbook(tmp_path / "b.xlsx", turned + body % ("v", "C"))
    workbook(
        tmp_path / "a.xlsx", '<row r="1">' + text("A1", "sample") + text("B1", "value") + text("C1", "z") + "</row>"
    )
    spec = SourceSpec("xlsx", ["a.xlsx", "b.xlsx"])
    rows = Sources(tmp_path, Path()).rows(Source(spec, spec.source, lambda _: Place("m.yaml", 1)))
    ((row_id, cells),) = list(rows.read(lambda _finding, _group: None))
    assert cells == ["#N/A", "v", ""]
    assert rows.cell_place(row_id, 0) == Place("b.xlsx", 2, 3)


# -- large sheets are read in pieces

CELLS = [
    '<c r="{0}"><v>12.5</v></c>',
    '<c r="{0}" s="1"><v>46349</v></c>',
    '<c r="{0}" t="s"><v>0</v></c>',
    '<c r="{0}" t="e"><v>#N/A</v></c>',
    '<c r="{0}"><f>A1</f></c>',
    '<c r="{0}" t="str"><f>A1</f><v> x </v></c>',
    "",
]
cells = st.lists(st.sampled_from(CELLS), max_size=4)


def sheet(rows: list[tuple[int, list[str]]], first: str) -> str:
    """Rows below a header, each some lines after the one before."""
    names = [chr(ord(first) + at) for at in range(4)]
    xml = ['<row r="1">' + "".join(text(f"{name}1", f"column {name}") for name in names) + "</row>"]
    line = 1
    for skipped, row in rows:
        line += 1 + skipped
        inside = "".join(cell.format(f"{name}{line}") for name, cell in zip(names, row, strict=False))
        hidden = ' hidden="1"' if skipped == 2 else ""
        xml.append(f'<row r="{line}"{hidden}>{inside}</row>')
    return "".join(xml)


def contents(path):
    """Everything that can be known of a workbook's rows."""
    rows = xlsx_rows(path, "s.xlsx", sheet_name=None, trim=True, comment=None)
    found = []
    read = [(row_id, list(row), type(row)) for row_id, row in rows.read(lambda finding, _: found.append(finding))]
    return rows.columns, rows.first_column, rows.notes, read, found


def read_in_pieces(patch, size: int) -> None:
    patch.setattr(cut, "LARGE", 0)
    patch.setattr(cut, "PIECE", size)
    patch.setattr(parts, "CHUNK", 250)


@given(st.lists(st.tuples(st.integers(0, 2), cells), max_size=12), st.sampled_from("AC"), st.booleans())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_sheet_in_pieces_has_the_same_rows_places_and_notes(tmp_path, rows, first, is_of_1904):
    path = tmp_path / "s.xlsx"
    properties = '<workbookPr date1904="1"/>' if is_of_1904 else ""
    workbook(path, sheet(rows, first), strings="<si><t>shared</t></si>", properties=properties)
    whole = contents(path)
    with pytest.MonkeyPatch.context() as patch:
        read_in_pieces(patch, size=60)
        assert contents(path) == whole


ROWS = [f'<row r="{n}">' + text(f"A{n}", f"P{n}") + text(f"B{n}", "x") + "</row>" for n in range(2, 9)]


@pytest.mark.parametrize(
    ("body", "is_cut"),
    [
        (ROWS, True),
        ([*ROWS, "</sheetData><mergeCells><mergeCell ref='B2:B3'/></mergeCells><sheetData>"], True),
        ([ROWS[0], ROWS[2], ROWS[1], *ROWS[3:]], False),
        ([*ROWS[:3], "<!-- a comment -->", *ROWS[3:]], False),
        ([row.replace(' r="', ' s="1" r="') for row in ROWS], False),
        ([row.replace("<row r", "<row  r") for row in ROWS], False),
        ([row.replace('<c r="A', '<c n="A') for row in ROWS], False),
        (['<row r="2">' + '<c r="A2"/>' * 200 + "</row>"], False),
    ],
)
def test_only_a_sheet_that_shows_its_rows_and_their_order_is_cut(tmp_path, monkeypatch, body, is_cut):
    path = tmp_path / "s.xlsx"
    workbook(path, HEADER + "".join(body))
    whole = contents(path)
    read_in_pieces(monkeypatch, size=60)
    monkeypatch.setattr(cut, "_MAX_ROW", 1000)
    with zipfile.ZipFile(path) as book:
        names = cut.cut_sheet(book, parts.find_sheets(book)["Sheet1"], tmp_path / "pieces.xlsx")
    assert (bool(names), len(names) > 2) == (is_cut, is_cut)
    assert contents(path) == whole


def test_a_cell_outside_of_its_row_is_not_read_into_another_piece(tmp_path, monkeypatch):
    path = tmp_path / "s.xlsx"
    workbook(path, HEADER + "".join(ROWS).replace('"A3"', '"A9"'))
    read_in_pieces(monkeypatch, size=60)
    with pytest.raises(InvalidManifest) as raised:
        contents(path)
    assert "not in the order of their rows" in raised.value.findings[0].message


@pytest.mark.parametrize("folder", ["does/not/exist", "/dev/full"])
def test_a_large_sheet_is_read_whole_where_nothing_can_be_written(tmp_path, monkeypatch, folder):
    path = tmp_path / "s.xlsx"
    workbook(path, HEADER + "".join(ROWS))
    whole = contents(path)
    read_in_pieces(monkeypatch, size=60)
    monkeypatch.setattr(tempfile, "tempdir", folder)
    assert contents(path) == whole


def test_a_control_character_does_not_end_a_cell_and_a_nul_is_refused_as_in_a_csv_file(rows_of):
    body = HEADER + '<row r="2">' + text("A2", "%s") + text("B2", "x") + "</row>"
    assert list(rows_of(body % "_x0001_a").read(print)) == [(2, ["\1a", "x"])]
    with pytest.raises(InvalidManifest) as raised:
        rows_of(body % "a_x0000_")
    assert "a cell of row 2 contains a NUL" in raised.value.findings[0].message
