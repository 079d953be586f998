"""Several files as one source of rows: a list of paths, or the files that a pattern matches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter

from msgspec.structs import replace

from manifest_runner.diagnostics.finding import Finding, InvalidManifest, Place
from manifest_runner.model import RowId
from manifest_runner.rows.base import FileName, IdentifiedRow, OddRow, Report, Rows
from manifest_runner.text import shown

Opened = tuple[Rows, FileName, str]


def joined_rows(files: Sequence[Opened]) -> Rows:
    """The rows of files, one file after the other. Each file comes with its name in templates and its label.

    The columns are those of the first file. Raises InvalidManifest for a column that only some of them have.
    """
    if len(files) == 1:
        rows, name, _ = files[0]
        return replace(rows, file=lambda _: name)
    if faults := list(_lacking_columns(files)):
        raise InvalidManifest(faults)
    columns = files[0][0].columns
    arrange = [_arrange(columns, rows.columns) for rows, _, _ in files]

    def read(report: Report) -> Iterator[IdentifiedRow]:
        for number, ((rows, _, _), arranged) in enumerate(zip(files, arrange, strict=True)):
            for row_id, row in rows.read(report):
                inner = row_id if isinstance(row_id, tuple) else (row_id,)
                yield (number, *inner), row if arranged is None else arranged(row)

    def place_of_row(row: RowId) -> Place | None:
        number, inner = _parts(row)
        return files[number][0].place(inner)

    def place_of_cell(row: RowId, cell: int) -> Place | None:
        number, inner = _parts(row)
        rows = files[number][0]
        return rows.cell_place(inner, cell if columns is None else (rows.columns or ()).index(columns[cell]))

    notes = tuple(note for rows, _, _ in files for note in rows.notes)
    return Rows(columns, read, place_of_row, lambda row: files[_parts(row)[0]][1], notes=notes, cell=place_of_cell)


def _parts(row: RowId) -> tuple[int, RowId]:
    """The number of the file, and the row's id in it."""
    assert isinstance(row, tuple)
    return row[0], row[1] if len(row) == 2 else row[1:]


def _lacking_columns(files: Sequence[Opened]) -> Iterator[Finding]:
    known: dict[str, str] = {}
    for rows, _, label in files:
        for column in rows.columns or ():
            known.setdefault(column, label)
    for rows, _, label in files:
        if rows.columns is not None:
            lacking = [column for column in known if column not in rows.columns]
            for column in lacking[:10]:
                message = f"there is no column {shown(column)}, which {known[column]} has"
                yield Finding(Place(label, 1), "MR312", message)


def _arrange(wanted: Sequence[str] | None, given: Sequence[str] | None) -> Callable[[list[str]], list[str]] | None:
    """A function that puts the cells of a row into the wanted order; None if they are already in it."""
    if wanted is None or given is None or wanted == given:
        return None
    if len(wanted) == 1:
        return None
    pick: Callable[[list[str]], tuple[str, ...]] = itemgetter(*(given.index(column) for column in wanted))
    return lambda row: OddRow(pick(row)) if type(row) is OddRow else list(pick(row))
