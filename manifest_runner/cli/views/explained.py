"""The output of ``explain``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from manifest_runner.diagnostics.codes import Code


def list_lines(codes: Mapping[str, Code]) -> list[str]:
    return [f"{code}  {about.title}" for code, about in codes.items()]


def code_lines(code: str, about: Code) -> list[str]:
    lines = [f"{code}: {about.title}", "", about.cause, "", about.cure]
    if about.example:
        lines += ["", "For example:", "", *(f"  {line}" for line in about.example.splitlines())]
    return lines


def code_document(code: str, about: Code) -> dict[str, Any]:
    return {
        "code": code,
        "title": about.title,
        "cause": about.cause,
        "cure": about.cure,
        "example": about.example or None,
    }
