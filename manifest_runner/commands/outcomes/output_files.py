"""The files of the outputs of analyses, where each goes, and the signed URLs to fetch them by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from fnmatch import fnmatchcase
from http import HTTPStatus
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import msgspec

from manifest_runner.errors import Refused
from manifest_runner.lockfile.model import LockedItem, LockedOutput
from manifest_runner.text import clean

if TYPE_CHECKING:  # requests is imported only when something is sent
    from manifest_runner.ica.client import Client
    from manifest_runner.ica.data_responses import DataRecord

URLS_AT_ONCE = 50
AVAILABLE = "AVAILABLE"


class WantedFile(msgspec.Struct, frozen=True):
    """A file of an output. ``path`` is relative to the download folder; the time is RFC 3339 text."""

    path: Path
    data_id: str
    project: str | None
    size: int | None
    time_modified: str | None


class MissingOutput(msgspec.Struct, frozen=True):
    """A file or an output that is not available, and why."""

    path: str
    reason: str


class _Place(msgspec.Struct, frozen=True):
    """An output of an item, and the path of its folder or file."""

    path: str
    output: LockedOutput


def find_files(
    client: Client, items: Mapping[str, LockedItem], include: tuple[str, ...]
) -> list[WantedFile | MissingOutput]:
    """The files of all outputs of these items, in order; with ``include`` only files that match a glob.

    Each has a path of its own: of two with the same path, as of the items ``a`` and ``/a``, the second is missing.
    """
    from manifest_runner.ica.parallel import in_parallel

    places = [place for name, item in items.items() for place in _places(name, item)]
    records = _records(client, places)
    found = in_parallel(lambda place: [*_files(client, place, records.get(_key(place.output)), include)], places)
    return [*_apart(chain.from_iterable(files for _, files in found))]


def _apart(files: Iterable[WantedFile | MissingOutput]) -> Iterator[WantedFile | MissingOutput]:
    reason = "the file of another item has the same path; download this item, with --target, to another folder"
    first: dict[Path, WantedFile] = {}
    for each in files:
        is_apart = isinstance(each, MissingOutput) or first.setdefault(each.path, each) is each
        yield each if is_apart else MissingOutput(str(each.path), reason)


def _places(name: str, item: LockedItem) -> Iterator[_Place]:
    """Where the outputs of an item go: under their names, or under their codes if two have the same name."""
    outputs = [(code, each) for code, data in (item.outputs or {}).items() for each in data]
    seen: set[tuple[str | None, str]] = set()
    for code, each in sorted(outputs, key=lambda pair: (pair[1].name, pair[0])):
        if _key(each) in seen:  # one folder can be the output of two codes
            continue
        seen.add(_key(each))
        same = {_key(other) for _, other in outputs if other.name.casefold() == each.name.casefold()}
        yield _Place(f"{name.strip('/')}/{each.name if len(same) == 1 else f'{code}/{each.name}'}", each)


def _key(output: LockedOutput) -> tuple[str | None, str]:
    return output.project_id, output.data_id


def _records(client: Client, places: Iterable[_Place]) -> dict[tuple[str | None, str], DataRecord]:
    """ICA's records of the outputs themselves: an analysis's outputs have no path and no size."""
    from manifest_runner.ica.data_endpoints import MAX_QUERY, list_data
    from manifest_runner.ica.data_responses import read_data_page
    from manifest_runner.ica.parallel import in_parallel
    from manifest_runner.names.lookup.url_chunks import UrlChunks

    by_project: dict[str | None, list[str]] = {}
    for place in places:
        by_project.setdefault(place.output.project_id, []).append(place.output.data_id)
    chunks = UrlChunks(MAX_QUERY)
    questions = [(project, ids) for project, all_ids in by_project.items() for ids in chunks.of(all_ids, "id")]

    def records_of(question: tuple[str | None, list[str]]) -> list[DataRecord]:
        project, ids = question
        return chunks.ask(ids, lambda some: [*client.pages(list_data(project, id=some), read_data_page)])

    answers = in_parallel(records_of, questions)
    return {(project, each.id): each for (project, _), records in answers for each in records}


def _files(
    client: Client, place: _Place, record: DataRecord | None, include: tuple[str, ...]
) -> Iterator[WantedFile | MissingOutput]:
    if record is None:
        yield MissingOutput(clean(place.path, 200), "ICA no longer lists it")
    elif place.output.type != "FOLDER":
        if _is_included(place.output.name, "", include):
            yield _wanted(place, "", record)
    elif record.path is None:
        yield MissingOutput(clean(place.path, 200), "ICA does not say where the folder is")
    else:
        for inside, each in _inside(client, place.output.project_id, record.path):
            if _is_included(inside, place.output.name, include):
                yield _wanted(place, inside, each)


def _inside(client: Client, project: str | None, folder: str) -> Iterator[tuple[str, DataRecord]]:
    """The files in a folder, at any depth, with their paths in it. The API compares without case; this is exact."""
    from manifest_runner.ica.data_endpoints import list_data
    from manifest_runner.ica.data_responses import read_data_page

    start = f"{folder}/"
    call = list_data(project, filePath=[start], filePathMatchMode=["STARTS_WITH_CASE_INSENSITIVE"], type=["FILE"])
    for record in client.pages(call, read_data_page):
        if record.path is not None and record.path.startswith(start) and record.type in ("FILE", None):
            yield record.path.removeprefix(start), record


def _is_included(inside: str, folder: str, include: tuple[str, ...]) -> bool:
    """A glob without a ``/`` matches the file's name, any other its path in the output or from the output on."""
    name, whole = inside.rpartition("/")[2], f"{folder}/{inside}"
    return not include or any(
        fnmatchcase(name, glob) if "/" not in glob else fnmatchcase(inside, glob) or fnmatchcase(whole, glob)
        for glob in include
    )


def _wanted(place: _Place, inside: str, record: DataRecord) -> WantedFile | MissingOutput:
    path = f"{place.path}/{inside}" if inside else place.path
    parts = path.split("/")
    if not all(map(_is_safe, parts)):
        return MissingOutput(clean(path, 200), "its name is not a valid file name, or leads out of the folder")
    if record.status not in (AVAILABLE, None):
        return MissingOutput(path, f"its status is {record.status}")
    return WantedFile(Path(*parts), record.id, place.output.project_id, record.size, record.time_modified)


def _is_safe(part: str) -> bool:
    return part not in ("", ".", "..") and "\\" not in part and all(c.isprintable() or c.isspace() for c in part)


class _Chunk:
    """Files of one project whose URLs are asked for together."""

    def __init__(self, project: str | None, ids: list[str]) -> None:
        self.project = project
        self.ids = ids
        self.urls: dict[str, str] | None = None
        self.lock = Lock()


class SignedUrls:
    """The signed URL of each file, asked for shortly before it is needed, many at once. For several threads.

    Raises Refused if the credential may not download; with ``lenient`` such files have no URL.
    """

    def __init__(self, client: Client, files: Iterable[WantedFile], *, lenient: bool) -> None:
        self._client = client
        self._lenient = lenient
        self._chunks: dict[tuple[str | None, str], _Chunk] = {}
        by_project: dict[str | None, list[str]] = {}
        for file in files:
            by_project.setdefault(file.project, []).append(file.data_id)
        for project, ids in by_project.items():
            for start in range(0, len(ids), URLS_AT_ONCE):
                chunk = _Chunk(project, ids[start : start + URLS_AT_ONCE])
                self._chunks |= dict.fromkeys(((project, each) for each in chunk.ids), chunk)

    def of(self, file: WantedFile) -> str | None:
        """The URL of a file, None if ICA gives none."""
        chunk = self._chunks[file.project, file.data_id]
        with chunk.lock:
            if chunk.urls is None:
                chunk.urls = self._ask_for_all(chunk)
            return chunk.urls.get(file.data_id)

    def renewed(self, file: WantedFile) -> str | None:
        """A new URL for a file whose first one is no longer accepted."""
        return self._ask([file.data_id], file.project).get(file.data_id)

    def _ask_for_all(self, chunk: _Chunk) -> dict[str, str]:
        """The API does not document how one unknown file affects the rest: if all are refused, ask for each alone."""
        try:
            return self._ask(chunk.ids, chunk.project)
        except Refused as e:
            if e.status == HTTPStatus.FORBIDDEN and self._lenient:
                return {}
            if e.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
                raise
        urls: dict[str, str] = {}
        for each in chunk.ids:
            with suppress(Refused):
                urls |= self._ask([each], chunk.project)
        return urls

    def _ask(self, ids: list[str], project: str | None) -> dict[str, str]:
        from manifest_runner.ica.data_endpoints import create_download_urls
        from manifest_runner.ica.data_responses import read_download_urls

        return self._client.ask(create_download_urls(ids, project), read_download_urls)
