"""The codes of findings: the meaning of each, and how to fix it. codes.toml has the table."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import msgspec


class Code(msgspec.Struct, frozen=True):
    """``cause`` says why the finding occurs, ``cure`` what to do; ``example`` is part of a manifest or row."""

    title: str
    cause: str
    cure: str
    example: str = ""


def _read() -> dict[str, Code]:
    table = tomllib.loads(files(__package__).joinpath("codes.toml").read_text(encoding="utf-8"))
    return msgspec.convert(table, dict[str, Code])


CODES = _read()
