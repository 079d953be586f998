"""Arrange the data of a catalog as each of its projects sees it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from manifest_runner.emulator.catalog.braces import expand
from manifest_runner.emulator.catalog.data_rows import NO_ROWS, DataRow, DataRows, folders_above
from manifest_runner.emulator.catalog.format import Data
from manifest_runner.emulator.protocol.identifiers import data_id


def lay_out(entries: Sequence[str | Data], ids: Mapping[str, str], default: str) -> dict[str, DataRows]:
    """The rows of each project, by its id; ``ids`` has those ids by name and by id.

    ``default`` is the project of data that names none; if there are no projects, it is empty and the only one.
    Folders that occur only in paths of files exist as well.
    """
    all_data = [Data(path=entry) if isinstance(entry, str) else entry for entry in entries]
    seen: Counter[tuple[str, str]] = Counter()
    own: defaultdict[str, list[DataRow]] = defaultdict(list)
    for data in all_data:
        owner = ids.get(data.project, default)
        for path in expand(data.path):
            seen[owner, path] += 1
            own[owner].append(_row(data, path, owner, seen[owner, path]))
    rows = {project: DataRows(_with_folders(project, found)) for project, found in own.items()}
    links = _links(all_data, rows, ids, default)
    return rows | {
        project: DataRows(_with_folders(project, [*rows.get(project, NO_ROWS).all, *found]))
        for project, found in links.items()
    }


def _links(
    entries: Iterable[Data], rows: Mapping[str, DataRows], ids: Mapping[str, str], default: str
) -> dict[str, list[DataRow]]:
    """The data that is linked into each project, with everything in a linked folder."""
    links: defaultdict[str, list[DataRow]] = defaultdict(list)
    for data in entries:
        for other in data.linked_to:
            for path in expand(data.path):
                links[ids[other]] += _linked(rows[ids.get(data.project, default)], path)
    return links


def _linked(rows: DataRows, path: str) -> Iterator[DataRow]:
    yield from rows.at(path)
    if path.endswith("/"):
        inside = (row for row in rows.below(path) if row.path != path)
        yield from (msgspec.structs.replace(row, in_link=True) for row in inside)


def _row(data: Data, path: str, owner: str, occurrence: int) -> DataRow:
    text = data.text
    return DataRow(
        id=data.id or data_id(path, owner, *([str(occurrence)] if occurrence > 1 else [])),
        path=path,
        owner=owner,
        size=len(text.encode()) if text is not None else data.size or 0,
        text=text,
        status=data.status,
        region=data.region,
        format=data.format,
        download=data.download,
        user_tags=tuple(data.user_tags),
        technical_tags=tuple(data.technical_tags),
        non_indexed=data.non_indexed,
        will_be_archived_at=data.will_be_archived_at,
        will_be_deleted_at=data.will_be_deleted_at,
    )


def _with_folders(project: str, rows: Sequence[DataRow]) -> Iterator[DataRow]:
    """The rows, and the folders that contain them."""
    yield from rows
    known = {row.path for row in rows if row.is_folder}
    parents = {row.parent for row in rows} - {"/"}
    missing = {folder for parent in parents for folder in (parent, *folders_above(parent))} - known
    yield from (DataRow(id=data_id(folder, project), path=folder, owner=project) for folder in missing)
