"""The types of values on the command line that click does not have."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path
from typing import Any

import click


class Seconds(click.FloatRange):
    """A finite time. Python would read ``nan`` and ``inf`` as numbers, too."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a number of seconds", param, ctx)
        return number


def name_value_pairs(_context: click.Context, _parameter: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise click.BadParameter(f"{pair!r} is not NAME=VALUE")
        found[name] = value
    return found


def plan_digest(_context: click.Context, _parameter: click.Parameter, digest: str | None) -> str | None:
    if digest is not None and not re.fullmatch("[0-9a-f]{64}", digest):
        raise click.BadParameter("a plan's digest has 64 hex digits")
    return digest


class FilePath(click.Path):
    """The path of a file, which may not exist yet. A path without a file name, such as ``.``, is refused."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = super().convert(value, param, ctx)
        if not Path(os.fsdecode(path)).name:
            self.fail(f"{str(value)!r} is not the path of a file", param, ctx)
        return path


SECONDS = Seconds(min=0)
COUNT = click.IntRange(min=0)
FILE = FilePath()
FOLDER = click.Path(path_type=Path)
