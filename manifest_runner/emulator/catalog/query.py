"""The filters for a list of data, and whether a row matches them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from manifest_runner.emulator.catalog.data_rows import DataRow, DataRows

MatchMode = Literal["EXACT", "EXCLUDE", "FUZZY"]


class Texts(msgspec.Struct, frozen=True):
    """Values with which one or several texts are compared; without values everything matches."""

    values: tuple[str, ...] = ()
    mode: MatchMode = "FUZZY"

    def match(self, *texts: str) -> bool:
        """Whether one of the texts matches, or with EXCLUDE none does."""
        if not self.values:
            return True
        if self.mode == "FUZZY":
            return any(value.lower() in text.lower() for value in self.values for text in texts)
        return any(value in texts for value in self.values) == (self.mode == "EXACT")


class DataQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Filters that a row must all match. ``paths`` are ``spelled_paths`` in lower case, since the API ignores case.

    With ``exact_slashes`` the path of a folder matches only with the ``/`` at its end.
    """

    ids: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    spelled_paths: tuple[str, ...] = ()
    by_prefix: bool = True
    exact_slashes: bool = False
    parent_path: str | None = None
    parent_ids: tuple[str, ...] = ()
    names: Texts = Texts()
    full_text: str = ""
    kind: str = ""
    statuses: frozenset[str] = frozenset()
    formats: frozenset[str] = frozenset()
    owners: frozenset[str] = frozenset()
    analyses: frozenset[str] = frozenset()
    user_tags: Texts = Texts()
    technical_tags: Texts = Texts()
    non_indexed: bool | None = None
    created_after: float | None = None
    created_before: float | None = None
    nothing: bool = False


def select(rows: DataRows, query: DataQuery, project: str) -> list[DataRow]:
    """The rows that match a query of ``project``, sorted by path."""
    parents = frozenset(row.path for parent in query.parent_ids for row in rows.with_id(parent) if row.is_folder)
    found = {id(row): row for row in _candidates(rows, query, parents)}.values()
    met = [row for row in found if meets(row, query, project) and _is_in(row, query, parents)]
    return sorted(met, key=lambda row: (row.path.lower(), row.path, row.id))


def meets(row: DataRow, query: DataQuery, project: str) -> bool:
    """Whether a row matches all filters except those for its folder."""
    if query.nothing or not query.names.match(row.name):
        return False
    return _meets_exact(row, query, project) and _meets_path(row, query) and _meets_rest(row, query)


def _meets_exact(row: DataRow, query: DataQuery, project: str) -> bool:
    return (
        (not query.ids or row.id in query.ids)
        and (not query.kind or query.kind == ("FOLDER" if row.is_folder else "FILE"))
        and (not query.statuses or row.status in query.statuses)
        and (not query.formats or format_of(row) in query.formats)
        and (not query.owners or (row.owner or project) in query.owners)
        and (not query.analyses or row.source_analysis in query.analyses)
    )


def _meets_path(row: DataRow, query: DataQuery) -> bool:
    if not query.paths:
        return True
    path = row.path.lower()
    if query.by_prefix:
        return path.startswith(query.paths)
    return path in query.paths or (not query.exact_slashes and path.rstrip("/") in query.paths)


def _meets_rest(row: DataRow, query: DataQuery) -> bool:
    return (
        (not query.full_text or query.full_text.lower() in row.path.lower())
        and query.user_tags.match(*row.user_tags)
        and query.technical_tags.match(*row.technical_tags)
        and query.non_indexed in (None, row.non_indexed)
        and (query.created_after is None or row.created > query.created_after)
        and (query.created_before is None or row.created < query.created_before)
    )


def _is_in(row: DataRow, query: DataQuery, parents: frozenset[str]) -> bool:
    if query.parent_ids and row.parent not in parents:
        return False
    # A listing by the folder's path does not look into a linked folder; one by its id does.
    return query.parent_path is None or (row.parent == query.parent_path and not row.in_link)


def _candidates(rows: DataRows, query: DataQuery, parents: Iterable[str]) -> Iterator[DataRow]:
    """Candidates that include all matching rows, as few as the indexes allow."""
    if query.ids:
        for data_id in query.ids:
            yield from rows.with_id(data_id)
    elif query.paths:
        for path in query.paths:
            yield from rows.below(path) if query.by_prefix else _spelled_either_way(rows, path)
    elif query.parent_path is not None:
        yield from rows.children(query.parent_path)
    elif query.parent_ids:
        for parent in parents:
            yield from rows.children(parent)
    else:
        yield from rows.all


def _spelled_either_way(rows: DataRows, path: str) -> Iterator[DataRow]:
    yield from rows.at(path)
    if not path.endswith("/"):
        yield from rows.at(path + "/")


_FORMATS = {
    "fastq": "FASTQ", "fq": "FASTQ", "bam": "BAM", "bai": "BAI", "cram": "CRAM", "crai": "CRAI", "vcf": "VCF",
    "fa": "FASTA", "fasta": "FASTA", "bed": "BED", "csv": "CSV", "tsv": "TSV", "txt": "TXT", "json": "JSON",
    "html": "HTML", "tar": "TAR",
}  # fmt: skip


def format_of(row: DataRow) -> str:
    """The code of a row's format: as given, or by the ending of its name."""
    if row.format or row.is_folder:
        return row.format or "UNKNOWN"
    ending = row.name.lower().removesuffix(".gz").rpartition(".")[2]
    return _FORMATS.get(ending, "UNKNOWN")
