"""Colour marks the kind of a line; the words stay the same."""

from __future__ import annotations

import io

import click
import pytest

from manifest_runner.cli.colour import coloured
from manifest_runner.cli.console import wants_colour

LINES = [
    "+ new",
    "~ 11 items: a: 1 → 2",
    "! failed before",
    "x to abort",
    "error: no such manifest",
    "failed: S1: no quota (m.yaml:4)",
    "next: fix it",
    'm.yaml:4:2: unknown key "x" [MR201]',
    "m.yaml:4:2: warning: odd [MR602] (row at s.csv:3)",
    "    |   ^",
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("line", LINES)
def test_a_line_keeps_its_words_in_colour(line):
    assert coloured(line) != line
    assert click.unstyle(coloured(line)) == line


@pytest.mark.parametrize("line", ["", "lockfile: m.lock.json", "24 new; 24 to launch in 1 batch", "    a: 1 → 2"])
def test_other_lines_stay_plain(line):
    assert coloured(line) == line


@pytest.mark.parametrize(
    ("env", "wanted"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_a_person_may_want_no_colour_and_a_terminal_may_have_none(monkeypatch, env, wanted):
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert wants_colour(Terminal()) is wanted
    assert not wants_colour(io.StringIO())
