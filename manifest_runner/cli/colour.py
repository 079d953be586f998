"""Colour lines on a terminal by how they begin. The text stays the same, so nothing is lost without colour."""

from __future__ import annotations

import re

import click

_MARKS = {"+": "green", "~": "yellow", "!": "red", "-": "magenta", "?": "magenta", ">": "cyan", "x": "red"}
_WORDS = {"error": "red", "failed": "red", "warning": "yellow", "next": "cyan"}
_MARK = re.compile(r"[-+~!?>x](?= )")
_WORD = re.compile(rf"({'|'.join(_WORDS)}):")
_FINDING = re.compile(r"(?P<place>.+?:\d+:\d+:) (?P<severity>(?:warning|info): )?(?P<message>.*) (?P<code>\[MR\d{3}\])")
_CARET = re.compile(r"( +\| +)(\^+)")


def coloured(line: str) -> str:
    """The line, with its mark, its first word or the parts of a finding in colour."""
    if found := _MARK.match(line):
        return click.style(found[0], fg=_MARKS[found[0]]) + line[1:]
    if found := _WORD.match(line):
        return click.style(found[0], fg=_WORDS[found[1]], bold=True) + line[found.end() :]
    if found := _FINDING.match(line):
        return _finding(found) + line[found.end() :]
    if found := _CARET.fullmatch(line):
        return found[1] + click.style(found[2], fg="red", bold=True)
    return line


def _finding(found: re.Match[str]) -> str:
    severity = (found["severity"] or "").removesuffix(": ")
    word = click.style(f"{severity}:", fg="yellow" if severity == "warning" else "cyan") + " " if severity else ""
    place = click.style(found["place"], bold=True, fg=None if severity else "red")
    return f"{place} {word}{found['message']} {click.style(found['code'], dim=True)}"
