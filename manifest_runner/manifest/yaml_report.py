"""Faults of a YAML text, each at its place; of very many, or where nothing more can be learned, reading stops."""

from __future__ import annotations

from typing import NoReturn

from manifest_runner.diagnostics.finding import Finding
from manifest_runner.manifest.yaml_places import Lines

MAX_FINDINGS = 100


class Stopped(Exception):
    """Nothing more can be learned from this text."""


class Report:
    """The faults of one text. ``is_readable`` unless one of them leaves open what the text means."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self.findings: list[Finding] = []
        self.is_readable = True

    def add(self, code: str, message: str, at: int, *, is_harmless: bool = False) -> None:
        """``is_harmless`` where the rest of the file means what it says all the same.

        Raises Stopped after very many.
        """
        self.findings.append(Finding(self._lines.place(at), code, message))
        self.is_readable = self.is_readable and is_harmless
        if len(self.findings) >= MAX_FINDINGS:
            self.is_readable = False
            raise Stopped

    def stop(self, code: str, message: str, at: int) -> NoReturn:
        """Report a fault after which nothing more can be learned. Raises Stopped."""
        self.add(code, message, at)
        raise Stopped


def shorten(text: str, limit: int = 60) -> str:
    """The start of a text, for a message."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
