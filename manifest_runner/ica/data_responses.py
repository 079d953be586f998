"""Answers about files and folders as values. Pure; all text is cleaned as it is read."""

from __future__ import annotations

from typing import Any

import msgspec

from manifest_runner.ica.connection.redact import Cleaner
from manifest_runner.ica.wire import Page, PagedList, Text, Wire, Word, cleaned_name, decode, page_of, plain_id


class DataRecord(msgspec.Struct, frozen=True):
    """A file or a folder of a project. ``path`` starts at the project's root and has no ``/`` at its end.

    ``size`` is in bytes, of files only; the time is RFC 3339 text. What the API left out is None. Name and path are as
    they are, so that they can be asked for again: make them plain before showing them.
    """

    id: str
    name: str
    path: str | None
    type: str | None
    status: str | None = None
    size: int | None = None
    region_id: str | None = None
    owning_project: str | None = None
    time_modified: str | None = None


class _Region(Wire, frozen=True):
    id: Text | None = None


class _Details(Wire, frozen=True):
    name: Text | None = None
    path: str | None = None
    data_type: Text | None = None
    status: Text | None = None
    file_size_in_bytes: Any = None
    region: _Region | None = None
    owning_project_id: Text | None = None
    time_modified: Text | None = None


class WireData(Wire, frozen=True):
    """Data as it occurs in many answers."""

    id: Word
    details: _Details | None = None


class _ProjectData(Wire, frozen=True):
    data: WireData


class _Url(Wire, frozen=True):
    data_id: Word
    url: str | None = None


_PAGE = msgspec.json.Decoder(PagedList[_ProjectData])
_URLS = msgspec.json.Decoder(PagedList[_Url])


def read_data_page(body: bytes, clean: Cleaner) -> Page[DataRecord]:
    """A page of a project's data. Raises WireError."""
    page = decode(body, _PAGE)
    return page_of(page, tuple([data_record(each.data, clean) for each in page.items]))


def read_download_urls(body: bytes, clean: Cleaner) -> dict[str, str]:
    """The signed URLs by data id, as they are: never show them. Raises WireError."""
    return {plain_id(each.data_id, clean): each.url for each in decode(body, _URLS).items if each.url}


def data_record(data: WireData, clean: Cleaner) -> DataRecord:
    """Data with what its details say."""
    details = data.details or _Details()
    size, region = details.file_size_in_bytes, details.region
    name = clean.message(details.name or "")
    return DataRecord(
        id=plain_id(data.id, clean),
        name=name,
        path=_full_path(details, name, clean),
        type=cleaned_name(details.data_type, clean),
        status=cleaned_name(details.status, clean),
        size=size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None,
        region_id=None if region is None else cleaned_name(region.id, clean),
        owning_project=cleaned_name(details.owning_project_id, clean),
        time_modified=cleaned_name(details.time_modified, clean),
    )


def _full_path(details: _Details, name: str, clean: Cleaner) -> str | None:
    """The specification calls it the parent's path; the service gives the full one. Both are understood.

    The full path of a file has no slash at its end, even where the file has the name of its folder.
    """
    if details.path is None:
        return None
    path = clean.message(details.path)
    bare = path.rstrip("/")
    is_folder_of_file = details.data_type == "FILE" and path.endswith("/")
    is_full = bare.rpartition("/")[2] == name and not is_folder_of_file
    return bare if is_full or not name else f"{bare}/{name}"
