"""Sources of rows: samplesheets in their formats, and rows or a matrix in the manifest itself."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from manifest_runner.errors import InvalidManifest
from manifest_runner.manifest.yaml_file import read_yaml
from manifest_runner.model import Finding, Place
from manifest_runner.rows.base import NumberedRow, Report, Rows
from manifest_runner.rows.csv_rows import csv_rows
from manifest_runner.rows.json_rows import json_rows

__all__ = ["Rows", "csv_rows", "json_rows", "listed_rows", "matrix_rows", "yaml_rows"]

MAX_MATRIX = 1_000_000


def yaml_rows(path: Path, label: str) -> Rows:
    """Rows of a YAML file: a list of mappings, read as a manifest is."""
    file = read_yaml(path, label)
    if not isinstance(file.data, list):
        raise InvalidManifest([Finding(Place(label, 1), "MR306", "expected a list of mappings")])
    return listed_rows(file.data, lambda number: file.place((number,)))


def listed_rows(rows: Sequence[Any], place: Callable[[int], Place]) -> Rows:
    """Rows that are there already, numbered from 0."""

    def read(report: Report) -> Iterator[NumberedRow]:
        for number, row in enumerate(rows):
            if isinstance(row, dict):
                yield number, row
            else:
                at = place(number)
                report(Finding(at, "MR306", "a row must be a mapping of columns to values", row=at), "type")

    def place_of_row(number: int) -> Place:
        """Its line will do, unless it shares that with the row before it."""
        at = place(number)
        shares_line = number > 0 and place(number - 1).line == at.line
        return at if shares_line else at._replace(column=1)

    return Rows(None, read, place_of_row)


def matrix_rows(matrix: Mapping[str, Sequence[Any]], place: Callable[[int], Place]) -> Rows:
    """Every combination of the values, the first key varying slowest. Raises ValueError where there are too many."""
    count = math.prod(map(len, matrix.values()))
    if count > MAX_MATRIX:
        raise ValueError(f"{count:,} combinations; the most is {MAX_MATRIX:,}")

    def read(_: Report) -> Iterator[NumberedRow]:
        for number, values in enumerate(itertools.product(*matrix.values())):
            yield number, dict(zip(matrix, values, strict=True))

    return Rows(None, read, place)
