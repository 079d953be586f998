"""The lockfile in a terminal."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from report_lockfiles import locked
from rich.console import Console
from rich.text import Text

from manifest_runner.cli import watch_screen
from manifest_runner.cli.views.status import status_lines, status_table
from manifest_runner.cli.watch_screen import WatchScreen
from manifest_runner.lockfile.model import Lockfile
from manifest_runner.report.summary import summarise
from manifest_runner.timestamps import seconds_of

COLOUR = re.compile(r"\x1b(\[[0-9;]*m|\]8;[^\x1b]*\x1b\\)")
WEB = "https://ica.illumina.com"
NOW = seconds_of("2026-11-24T12:00:00Z")


def shown(lockfile: Lockfile, width: int = 100, *, encoding: str = "utf-8", colour: bool = True, **options: int) -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    console = Console(file=file, force_terminal=True, width=width, no_color=not colour, legacy_windows=False)
    console.print(status_table(summarise(lockfile, WEB), width=width, encoding=encoding, now=NOW, **options))
    file.flush()
    return raw.getvalue().decode(encoding)


def test_the_table_shows_what_failed_first_and_the_totals_below(every_state: Lockfile) -> None:
    lines = [line.rstrip() for line in COLOUR.sub("", shown(every_state)).splitlines()]
    first = next(line for line in lines if "s-" in line)
    assert " ".join(first.split()).startswith("s-refused Creation failed 1 d 02 h Pipeline is not linked")
    assert "11 items: 1 not created, 1 failed, 1 aborted" in " ".join(lines)


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


def test_foreign_text_is_neither_markup_nor_control_code(evil: Lockfile) -> None:
    evil.items["[bold]x[/bold]"] = locked("FAILED", message="[link=https://evil.example]here[/link]\x1b]0;title\x07")
    text = COLOUR.sub("", shown(evil, 400))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[bold]x[/bold]" in text
    assert "[link=https://evil.example]here[/link]" in text


def test_names_have_the_room_of_reasons_that_nobody_has(empty: Lockfile) -> None:
    name = "WGS26-4101-germline"
    empty.items = {name: locked(analysis="SUCCEEDED")}
    assert name in COLOUR.sub("", shown(empty, 70)), "on one line"
    assert "Reason" not in shown(empty, 70)


def test_only_so_many_rows_are_shown_and_the_rest_is_counted(every_state: Lockfile) -> None:
    text = COLOUR.sub("", shown(every_state, limit=3))
    assert text.count("s-") == 3
    assert "… and 8 more items (--verbose shows all). 11 items:" in " ".join(text.split())


def test_plain_lines_are_one_item_each_with_tabs_between(every_state: Lockfile, evil: Lockfile) -> None:
    every_state.items |= evil.items
    *lines, totals = status_lines(summarise(every_state))
    assert "s-refused\tcreationFailed\tFAILED\tPipeline is not linked" in lines
    assert "s-good\tsucceeded\tSUCCEEDED\t\tan-SUCCEEDED" in lines
    assert len(lines) == 13
    assert all(line.count("\t") <= 4 and line.replace("\t", "").isprintable() for line in lines)
    assert totals.startswith("13 items: 2 not created")


def test_nothing_launched_is_a_table_too(empty: Lockfile) -> None:
    assert "0 items" in shown(empty)
    assert list(status_lines(summarise(empty))) == ["0 items"]


def test_the_table_says_since_when_and_links_the_analysis(every_state: Lockfile) -> None:
    raw = shown(every_state)
    (bad,) = (line for line in COLOUR.sub("", raw).splitlines() if "s-bad" in line)
    assert bad.split()[:8] == ["s-bad", "Analysis", "failed", "1", "d", "01", "h", "an-FAILE"]
    assert f"{WEB}/ica/link/project/" in raw
    assert "an-FAILED_FINAL" in COLOUR.sub("", shown(every_state, 140))


# -- status --watch


def screen_of(lockfile: Lockfile, height: int, width: int = 80) -> list[str]:
    screen = WatchScreen(Path("m.yaml"))
    screen.update(lockfile, 1)
    return rendered(screen, height, width)


def rendered(screen: WatchScreen, height: int, width: int = 80) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height)
    return ["".join(part.text for part in line).rstrip() for line in console.render_lines(screen, pad=False)]


@pytest.mark.parametrize("height", [1, 5, 12, 24, 60])
@pytest.mark.parametrize("width", [10, 40, 80])
def test_the_watch_screen_fits_the_terminal(empty: Lockfile, height: int, width: int) -> None:
    empty.items = {f"s{n:03}": locked("FAILED", message="no quota " * 9) for n in range(100)}
    empty.items |= {f"r{n:03}": locked(analysis="IN_PROGRESS") for n in range(100)}
    lines = screen_of(empty, height, width)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width


def test_a_change_that_comes_while_the_screen_is_drawn_does_not_break_it(empty: Lockfile, monkeypatch) -> None:
    screen = WatchScreen(Path("m.yaml"))
    screen.update(empty, 0)
    for number in range(3):
        screen.note(f"note {number}")

    def drawn(text: str = "", *style: str) -> Text:
        screen.note("another")
        return Text(text, *style)

    monkeypatch.setattr(watch_screen, "Text", drawn)
    assert [line.plain for line in screen.lines(24)][-3:] == ["note 2", "note 1", "note 0"]


def test_the_watch_screen_shows_states_then_failures_then_changes(empty: Lockfile) -> None:
    empty.items = {"a": locked(analysis="IN_PROGRESS"), "b": locked(analysis="IN_PROGRESS")}
    screen = WatchScreen(Path("m.yaml"))
    screen.update(empty, 2)
    assert not any("Latest" in line or "failures" in line for line in rendered(screen, 24))
    empty.items["a"] = locked(analysis="FAILED", end="2026-11-23T10:06:00Z")
    screen.update(empty, 1)
    lines = [line for line in rendered(screen, 24) if line]
    assert lines[0].startswith("m.yaml: 2 items, watched for ")
    assert [line.split()[-1] for line in lines[1:3]] == ["1", "1"]
    assert lines[3] == "Newest failures"
    assert lines[4].startswith("a  The analysis ended as FAILED")
    assert lines[5] == "Latest changes"
    assert lines[6].endswith("a: Running → Analysis failed")
