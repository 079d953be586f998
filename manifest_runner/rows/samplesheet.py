"""Sources of rows: samplesheets in their formats, and rows or a matrix in the manifest itself."""

from __future__ import annotations

from pathlib import Path

from manifest_runner.diagnostics.finding import Finding, InvalidManifest, Place
from manifest_runner.manifest.yaml_file import read_yaml
from manifest_runner.rows.base import Rows, listed_rows, matrix_rows
from manifest_runner.rows.csv_rows import csv_rows
from manifest_runner.rows.json_rows import json_rows

__all__ = ["Rows", "csv_rows", "json_rows", "listed_rows", "matrix_rows", "yaml_rows"]


def yaml_rows(path: Path, label: str) -> Rows:
    """Rows of a YAML file: a list of mappings, read as a manifest is."""
    file = read_yaml(path, label)
    if not isinstance(file.data, list):
        raise InvalidManifest([Finding(Place(label, 1), "MR306", "expected a list of mappings")])
    return listed_rows(file.data, lambda number: file.place((number,)))
