"""Open the sources of a ``forEach`` or a table: its files or the rows themselves, and the JSON Schema of the rows.

A new kind of source is a function that returns ``Rows``, and an entry in ``_INLINE`` or ``_FILES``.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Any

import msgspec

from manifest_runner.diagnostics.finding import Finding, InvalidManifest, Place
from manifest_runner.manifest.document import SourceSpec
from manifest_runner.manifest.input_file import refuse_unreadable
from manifest_runner.manifest.yaml_file import read_yaml
from manifest_runner.model import DataPath, RowId
from manifest_runner.near_miss import near_miss
from manifest_runner.rows.base import FileName, Rows, listed_rows, matrix_rows
from manifest_runner.rows.csv_rows import CsvReading, csv_rows
from manifest_runner.rows.joined_files import Opened, joined_rows
from manifest_runner.rows.patterns import MAX_SEEN, TooManyFiles, is_pattern, matching_files
from manifest_runner.rows.raw_lockfile import LockfileOf, lockfile_beside
from manifest_runner.rows.row_schema import RowSchema, open_row_schema
from manifest_runner.text import kind_of, shown

_MAX_LISTED = 10_000
_SHEET = "samplesheet"

PlaceOf = Callable[[DataPath], Place]


class Source(msgspec.Struct, frozen=True):
    """A source of rows to open: its spec, the spec's value with templates rendered, and where that was written.

    ``place`` returns a place below the key that names the source.
    """

    spec: SourceSpec
    value: Any
    place: PlaceOf


class Sources:
    """Paths in the manifest are relative to ``folder``; ``label`` is its name in messages.

    ``lockfile_of`` finds the lockfile of another manifest, given its path and its name in messages.
    """

    def __init__(self, folder: Path, label: Path, lockfile_of: LockfileOf = lockfile_beside) -> None:
        self._folder = folder
        self._label = label
        self._lockfile_of = lockfile_of

    def rows(self, source: Source) -> Rows:
        """The rows of a source. Raises InvalidManifest."""
        open_rows = _INLINE.get(source.spec.format)
        if open_rows is not None:
            return open_rows(source)
        if source.spec.format == "launched":
            return self._launched(source)
        found, (names, faults) = list[Opened](), self._names(source)
        for name, at in names:
            try:
                rows = self._opened(_FILES[source.spec.format], source, name, at)
                found.append((rows, FileName(name, PurePath(name).stem), str(self._label / name)))
            except InvalidManifest as e:
                faults += e.findings
        if faults:
            raise InvalidManifest(faults)
        return joined_rows(found)

    def _launched(self, source: Source) -> Rows:
        from manifest_runner.rows.launched import launched_rows

        file, label = self._file(source.value, source.place(()), "manifest")
        if file.resolve() == (self._folder / Path(source.place(()).file).name).resolve():
            message = "a manifest cannot start from its own items: each run would launch more; name another manifest"
            raise InvalidManifest.at(source.place(()), "MR301", message)
        return launched_rows(self._lockfile_of(file, label), label, source.place(()))

    def schema(self, name: Any, at: Place) -> RowSchema:
        """The compiled schema of the rows. Raises InvalidManifest."""
        file, label = self._file(name, at, "row schema")
        return open_row_schema(file, label, at)

    def _opened(self, open_file: _OpenFile, source: Source, name: str, at: Place) -> Rows:
        file, label = self._file(name, at, _SHEET)
        return open_file(file, label, source.spec)

    def _names(self, source: Source) -> tuple[list[tuple[str, Place]], list[Finding]]:
        """The paths of a source's files, patterns expanded, each with its place in the manifest; and their faults."""
        given = source.value if isinstance(source.value, list) else [source.value]
        names, faults, seen = list[tuple[str, Place]](), list[Finding](), set[str]()
        for i, name in enumerate(given):
            at = source.place((i,) if isinstance(source.value, list) else ())
            try:
                matches = self._matches(name, at)
            except InvalidManifest as e:
                faults += e.findings
                continue
            again = [found for found in matches if os.path.normpath(found) in seen]
            faults += [Finding(at, "MR301", f"the {_SHEET} {found} is listed twice") for found in again]
            names += [(found, at) for found in matches if found not in again]
            seen.update(map(os.path.normpath, matches))
        if not given:
            faults.append(Finding(source.place(()), "MR301", f"no {_SHEET} is named"))
        return names, faults

    def _matches(self, name: Any, at: Place) -> list[str]:
        """The path itself, or if it is a pattern all matching paths, sorted."""
        if not isinstance(name, str) or not name or "\0" in name:
            self._file(name, at, _SHEET)  # raises
        if not is_pattern(name) or os.path.lexists(self._folder / name):
            return [name]
        try:
            matching = matching_files(self._folder, name)
            found = sorted(each.as_posix() for each in itertools.islice(matching, _MAX_LISTED + 1))
        except TooManyFiles as e:
            message = f"{shown(name)} looks through more than {MAX_SEEN:,} files and folders; name a folder of its own"
            raise InvalidManifest.at(at, "MR301", message) from e
        if not found:
            raise InvalidManifest.at(at, "MR301", f"no {_SHEET} matches {shown(name)}")
        if len(found) > _MAX_LISTED:
            raise InvalidManifest.at(at, "MR301", f"more than {_MAX_LISTED:,} files match {shown(name)}")
        return found

    def _file(self, name: Any, at: Place, what: str) -> tuple[Path, str]:
        """An existing file, and its name in messages, which is relative in the same way as the manifest's."""
        if not isinstance(name, str) or not name:
            raise InvalidManifest.at(at, "MR301", f"expected the path of a {what}, got {kind_of(name)}")
        file, label = self._folder / name, str(self._label / name)
        if not os.path.lexists(file):
            elsewhere = "" if Path(name).is_absolute() else "; paths are relative to the manifest"
            hint = near_miss(file.name, _neighbours(file.parent)) or elsewhere
            raise InvalidManifest.at(at, "MR301", f"there is no {what} {label}{hint}")
        try:
            refuse_unreadable(file, label)
        except InvalidManifest as e:
            message = f"the {what} {label} {e.findings[0].message}"
            raise InvalidManifest.at(at, "MR301", message) from e
        return file, label


def _csv(file: Path, label: str, spec: SourceSpec) -> Rows:
    reading = CsvReading(spec.delimiter or ",", spec.section, trim=spec.trim, comment=spec.comment)
    return csv_rows(file, label, reading)


def _tsv(file: Path, label: str, spec: SourceSpec) -> Rows:
    reading = CsvReading("\t", spec.section, trim=spec.trim, comment=spec.comment, is_tsv=True)
    return csv_rows(file, label, reading)


def _xlsx(file: Path, label: str, spec: SourceSpec) -> Rows:
    from manifest_runner.rows.xlsx.xlsx_rows import xlsx_rows

    return xlsx_rows(file, label, sheet_name=spec.sheet, trim=spec.trim, comment=spec.comment)


def _json(file: Path, label: str, _spec: SourceSpec) -> Rows:
    from manifest_runner.rows.json_rows import json_rows

    return json_rows(file, label)


def yaml_rows(path: Path, label: str) -> Rows:
    """Rows of a YAML file: a list of mappings, read as a manifest is."""
    file = read_yaml(path, label)
    if not isinstance(file.data, list):
        raise InvalidManifest.at(Place(label, 1), "MR306", "expected a list of mappings")
    return listed_rows(file.data, lambda row: file.place((_index(row),)))


def _index(row: RowId) -> int:
    assert isinstance(row, int)
    return row


def _neighbours(folder: Path) -> list[str]:
    try:
        return [file.name for file in itertools.islice(folder.iterdir(), _MAX_LISTED)]
    except (OSError, ValueError):
        return []


def _listed(source: Source) -> Rows:
    if not isinstance(source.value, list):
        message = f"expected a list of mappings, got {kind_of(source.value)}"
        raise InvalidManifest.at(source.place(()), "MR306", message)
    return listed_rows(source.value, lambda row: source.place((_index(row),)))


def _matrix(source: Source) -> Rows:
    matrix, place = source.value, source.place
    if not isinstance(matrix, dict) or not matrix:
        raise InvalidManifest.at(place(()), "MR306", f"expected a mapping of lists, got {kind_of(matrix)}")
    faults = [
        Finding(place((key,)), "MR306", f'expected a list of values for "{key}", got {kind_of(values)}')
        for key, values in matrix.items()
        if not isinstance(values, list)
    ]
    if faults:
        raise InvalidManifest(faults)
    try:
        return matrix_rows(matrix, lambda _: place(()))
    except ValueError as e:
        raise InvalidManifest.at(place(()), "MR306", str(e)) from e


_OpenFile = Callable[[Path, str, SourceSpec], Rows]

# How to open the rows of each kind of source: those in the manifest itself, and those in files.
_INLINE: Mapping[str, Callable[[Source], Rows]] = {"rows": _listed, "matrix": _matrix}
_FILES: Mapping[str, _OpenFile] = {
    "csv": _csv,
    "tsv": _tsv,
    "xlsx": _xlsx,
    "json": _json,
    "yaml": lambda file, label, _: yaml_rows(file, label),
}
