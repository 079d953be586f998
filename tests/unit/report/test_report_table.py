"""The lockfile in a terminal."""

from __future__ import annotations

import io
import re

import pytest
from report_lockfiles import locked
from rich.console import Console

from manifest_runner.lockfile.model import Lockfile
from manifest_runner.report.table import status_lines, status_table

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def shown(lockfile: Lockfile, width: int = 100, *, encoding: str = "utf-8", colour: bool = True, **options: int) -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    console = Console(file=file, force_terminal=True, width=width, no_color=not colour, legacy_windows=False)
    console.print(status_table(lockfile, width=width, encoding=encoding, **options))
    file.flush()
    return raw.getvalue().decode(encoding)


def test_the_table_shows_what_failed_first_and_the_totals_below(every_state: Lockfile) -> None:
    lines = [line.rstrip() for line in COLOUR.sub("", shown(every_state)).splitlines()]
    first = next(line for line in lines if "s-" in line)
    assert first.split() == ["s-refused", "Creation", "failed", "FAILED", "Pipeline", "is", "not", "linked"]
    assert "10 items: 1 creation failed, 1 analysis failed" in " ".join(lines)


def test_without_colours_every_word_is_still_there(every_state: Lockfile) -> None:
    plain = shown(every_state, colour=False)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]", plain)
    assert COLOUR.sub("", plain) == COLOUR.sub("", shown(every_state))


@pytest.mark.parametrize("width", [20, 40, 69, 70, 100, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_no_line_is_wider_than_the_terminal(width: int, encoding: str, every_state: Lockfile, evil: Lockfile) -> None:
    every_state.items |= {**evil.items, "x" * 300: locked("FAILED", message="漢字" * 80)}
    text = COLOUR.sub("", shown(every_state, width, encoding=encoding))
    measure = Console(width=width)
    assert max(measure.measure(line).maximum for line in text.splitlines()) <= width


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_terminal_without_unicode_gets_escapes_and_ascii_lines(encoding: str, empty: Lockfile) -> None:
    empty.items = {str(n): locked("FAILED", message="naïve 漢字") for n in range(3)}
    text = COLOUR.sub("", shown(empty, encoding=encoding, limit=1))
    assert r"\u6f22" in text
    assert "... and 2 more items" in text
    assert ("ï" in text) == (encoding != "ascii")
    assert text.count("+") > 2


def test_text_of_others_is_neither_markup_nor_control_code(evil: Lockfile) -> None:
    evil.items["[bold]x[/bold]"] = locked("FAILED", message="[link=https://evil.example]here[/link]\x1b]0;title\x07")
    text = COLOUR.sub("", shown(evil, 200))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[bold]x[/bold]" in text
    assert "[link=https://evil.example]here[/link]" in text


def test_only_so_many_rows_are_shown_and_the_rest_is_counted(every_state: Lockfile) -> None:
    text = COLOUR.sub("", shown(every_state, limit=3))
    assert text.count("s-") == 3
    assert "… and 7 more items. 10 items:" in text


def test_plain_lines_are_one_item_each_with_tabs_between(every_state: Lockfile, evil: Lockfile) -> None:
    every_state.items |= evil.items
    *lines, totals = status_lines(every_state)
    assert "s-refused\tcreationFailed\tFAILED\tPipeline is not linked" in lines
    assert "s-good\tsucceeded\tSUCCEEDED\t\tan-SUCCEEDED" in lines
    assert len(lines) == 12
    assert all(line.count("\t") <= 4 and line.replace("\t", "").isprintable() for line in lines)
    assert totals.startswith("12 items: 2 creation failed")


def test_plain_lines_can_be_written_in_any_encoding(empty: Lockfile) -> None:
    empty.items["漢"] = locked("FAILED", message="naïve…")
    first, _ = status_lines(empty, encoding="ascii")
    assert first == "\\u6f22\tcreationFailed\tFAILED\tna\\xefve..."


def test_nothing_launched_is_a_table_too(empty: Lockfile) -> None:
    assert "0 items" in shown(empty)
    assert list(status_lines(empty)) == ["0 items"]
