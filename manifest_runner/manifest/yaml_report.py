"""Collect the faults of a YAML text with their places; stop after very many, or when nothing more can be learned."""

from __future__ import annotations

from typing import NoReturn

from manifest_runner.diagnostics.finding import Finding, Place
from manifest_runner.manifest.yaml_places import Lines

MAX_FINDINGS = 100
_LONGEST = 60


class Stopped(Exception):
    """Nothing more can be learned from this text."""


class Report:
    """The faults of one text. ``is_readable`` is false if one of them makes the meaning of the text unclear."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self.findings: list[Finding] = []
        self.is_readable = True

    def add(self, code: str, message: str, at: int, *, is_harmless: bool = False) -> None:
        """``is_harmless`` if the meaning of the rest of the file is clear all the same.

        Raises Stopped after very many.
        """
        self.findings.append(Finding(self.place(at), code, message))
        self.is_readable = self.is_readable and is_harmless
        if len(self.findings) >= MAX_FINDINGS:
            self.is_readable = False
            raise Stopped

    def place(self, at: int) -> Place:
        """The place of a character, by its offset in the text."""
        return self._lines.place(at)

    def stop(self, code: str, message: str, at: int) -> NoReturn:
        """Report a fault after which nothing more can be learned. Raises Stopped."""
        self.add(code, message, at)
        raise Stopped


def shorten(text: str) -> str:
    """The start of a text, for a message."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
