"""A terminal shows the line of a finding, whatever its content."""

from __future__ import annotations

from msgspec import structs

from manifest_runner.diagnostics.finding import Finding, Place
from manifest_runner.diagnostics.formats import finding_lines
from manifest_runner.diagnostics.snippet import excerpt


def test_the_caret_stands_under_the_column(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("first: 1\n  userRefrence: x\n", encoding="utf-8")
    assert excerpt(Place(str(file), 2, 3)) == ["  2 |   userRefrence: x", "    |   ^"]


def test_the_caret_is_under_its_column_behind_characters_that_are_two_columns_wide(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("患者e\u0301: x\n", encoding="utf-8")
    assert excerpt(Place(str(file), 1, 7))[1] == "    |        ^"


def test_information_about_a_whole_file_has_no_excerpt(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("# a comment\n", encoding="utf-8")
    found = Finding(Place(str(file), 1), "MR711", "names", "info")
    assert len(finding_lines(found, on_terminal=True)) == 1
    assert len(finding_lines(structs.replace(found, severity="error"), on_terminal=True)) == 3


def test_of_a_long_line_the_part_around_the_column_is_shown(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("x" * 500 + "HERE" + "y" * 500, encoding="utf-8")
    line, caret = excerpt(Place(str(file), 1, 501))
    assert len(line) < 120
    assert line[caret.index("^") :].startswith("HERE")


def test_control_characters_do_not_reach_the_terminal_and_do_not_move_the_caret(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("a\x1b[31mb: c\n", encoding="utf-8")
    line, caret = excerpt(Place(str(file), 1, 7))
    assert "\x1b" not in line
    assert line[caret.index("^")] == "b"


def test_there_is_no_excerpt_of_what_cannot_be_read(tmp_path):
    assert excerpt(Place(str(tmp_path), 1)) == []
    assert excerpt(Place(str(tmp_path / "none"), 1)) == []


def test_there_is_no_excerpt_of_a_line_that_is_not_there(tmp_path):
    (tmp_path / "a").write_text("one\n", encoding="utf-8")
    assert excerpt(Place(str(tmp_path / "a"), 3)) == []
