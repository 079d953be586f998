"""Looks up paths to data with as few requests as possible.

Paths are grouped by folder. Of four ways, the one with the fewest bytes of URLs is used: list a folder, ask for the
wanted names in it, scan below the folder that all have in common, or ask for batches of exact paths. A way is abandoned
once it costs more than exact batches, which in the end find the paths that are still missing.

A server may ignore a filter, answer with shorter pages than requested, or refuse long URLs. So only wanted rows count,
and a page with none but others ends a way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import partial
from math import ceil
from posixpath import commonpath

from manifest_runner.ica import data_endpoints as calls
from manifest_runner.ica.data_responses import DataRecord
from manifest_runner.ica.endpoints import Call
from manifest_runner.ica.parallel import in_parallel
from manifest_runner.names.failure import LookupFailure
from manifest_runner.names.lookup.data_paths import (
    FoundData,
    bare,
    choose_data,
    folder_of,
    missing_words,
    other_spelling,
)
from manifest_runner.names.lookup.paging import AskPage, find_everywhere, pages_of
from manifest_runner.names.lookup.url_chunks import UrlChunks

_FIXED_BYTES = 80  # the query without paths: the mode of the match and the size of the page
# Maximum number of folders listed to explain missing paths.
_MAX_EXPLAINED = 20


class DataLookup:
    """Looks up paths of one project (None: the client's own). ``base_bytes`` is the size of the URL up to its query."""

    def __init__(self, ask: AskPage, project: str | None, base_bytes: int) -> None:
        self._ask = ask
        self._project = project
        self._chunks = UrlChunks(calls.MAX_QUERY - _FIXED_BYTES - base_bytes)
        self._found: dict[str, dict[str, DataRecord]] = {}
        self._missing: set[str] = set()
        self._lowered: set[str] = set()
        self._listed: set[str] = set()  # folders that were requested as such
        self._spellings: dict[str, str] = {}  # for wanted paths in lower case: data with the same path in another case
        self._is_filtered = True  # until the server returns data that an exact batch did not ask for

    def look_up(self, paths: Collection[str]) -> dict[str, FoundData | LookupFailure]:
        """The data at each path, or why there is none."""
        self._missing = {bare(path) for path in paths}
        self._lowered = {each.lower() for each in self._missing}
        written = {bare(path): path for path in sorted(paths)}
        self._list_folders(written)
        self._scan(written)
        self._ask_exactly([path for path in sorted(paths) if bare(path) in self._missing])
        self._ask_exactly([other_spelling(path) for path in sorted(paths) if bare(path) in self._missing])
        if self._missing and not self._is_filtered:
            self._take(self._everywhere())
        failed = self._explain([path for path in paths if self._chosen(path) is None])
        return {path: self._chosen(path) or failed[path] for path in paths}

    def _chosen(self, path: str) -> FoundData | LookupFailure | None:
        return choose_data(path, list(self._found.get(bare(path), {}).values()))

    # -- ways to ask

    def _list_folders(self, written: dict[str, str]) -> None:
        """List folders with many of the paths, since that may cost less than asking for each."""
        groups = _by_folder(written)
        large = [folder for folder, group in groups.items() if self._chunks.count(group) > 1]
        self._listed.update(large)
        for _, records in in_parallel(lambda folder: self._list_folder(folder, groups[folder]), large):
            self._take(records)
        for folder in large:
            left = [each for each in groups[folder] if each in self._missing]
            if self._chunks.count(left) > 1:
                self._ask_names(folder, left)

    def _list_folder(self, folder: str, group: Sequence[str]) -> list[DataRecord]:
        return self._follow(calls.data_in_folder(folder, self._project), group)

    def _ask_names(self, folder: str, group: Sequence[str]) -> None:
        """Ask for names in one folder, which are shorter than paths. A server that ignores that shows it at once."""
        names = [each.rpartition("/")[2] for each in group]
        chunks = list(self._chunks.of(names, "filename"))
        if len(chunks) >= self._chunks.count(group):
            return

        def ask(names: Sequence[str]) -> list[DataRecord]:
            return self._follow(calls.data_in_folder(folder, self._project, names), group)

        before = len(self._missing)
        for chunk in chunks[:1]:
            self._take(self._chunks.ask(chunk, ask))
        if len(self._missing) < before:
            for _, records in in_parallel(partial(self._chunks.ask, ask=ask), chunks[1:]):
                self._take(records)

    def _scan(self, written: dict[str, str]) -> None:
        """Scan everything below one folder, as when each sample has a folder of its own."""
        left = [each for each in self._missing if folder_of(each) not in self._listed]
        files = [each for each in left if not written[each].endswith("/")]
        if self._chunks.count(files) > 2:
            folder = commonpath(folder_of(each) for each in files).rstrip("/") + "/"
            self._take(self._follow(calls.files_below(folder, self._project), files))

    def _follow(self, call: Call, group: Sequence[str]) -> list[DataRecord]:
        """The wanted rows of a list, page by page as long as that costs less than exact batches."""
        wanted, missing = set(group), set(group)
        kept: list[DataRecord] = []
        for page in pages_of(self._ask, call):
            rows = [each for each in page.items if _lowered(each) in self._lowered]
            kept += rows
            missing -= {each.path for each in rows if each.path in wanted}
            left = ceil(page.remaining / max(1, len(page.items))) if page.remaining else 1
            if not missing or left > self._chunks.count(missing) or (not page.remaining and not rows):
                break
        return kept

    def _ask_exactly(self, paths: Sequence[str]) -> None:
        chunks = list(self._chunks.of(paths, "filePath"))
        for _, records in in_parallel(partial(self._chunks.ask, ask=self._exact_rows), chunks):
            self._take(records)

    def _exact_rows(self, paths: Sequence[str]) -> list[DataRecord]:
        """The wanted rows of an exact batch, up to a page with none but others."""
        asked = {bare(path).lower() for path in paths}
        kept: list[DataRecord] = []
        for page in pages_of(self._ask, calls.data_at(paths, self._project)):
            self._is_filtered = self._is_filtered and all(_lowered(each) in asked for each in page.items)
            rows = [each for each in page.items if _lowered(each) in self._lowered]
            kept += rows
            if page.items and not rows:
                break
        return kept

    def _everywhere(self) -> list[DataRecord]:
        """The wanted rows of a server that ignores filters."""
        return find_everywhere(
            self._ask,
            self._project,
            self._missing,
            lambda each: each.path or "",
            lambda each: _lowered(each) in self._lowered,
        )

    def _take(self, records: Iterable[DataRecord]) -> None:
        for each in records:
            path = each.path or ""
            if path in self._missing or path in self._found:
                self._found.setdefault(path, {})[each.id] = each
                self._missing.discard(path)
            else:
                self._spellings.setdefault(path.lower(), path)

    # -- what is missing

    def _explain(self, paths: Sequence[str]) -> dict[str, LookupFailure]:
        """Why there is nothing at these paths. Lists the folders of the first of them, and takes what that shows."""
        if paths:
            self._spellings |= {path.lower(): path for path in self._found}
        spellings = {path: self._spellings.get(bare(path).lower()) for path in paths}
        unknown = [folder_of(bare(path)) for path in paths if spellings[path] is None]
        names = {folder: self._names_in(folder) for folder in list(dict.fromkeys(unknown))[:_MAX_EXPLAINED]}
        return {
            path: LookupFailure("MR701", missing_words(path, spellings[path], names.get(folder_of(bare(path)))))
            for path in paths
        }

    def _names_in(self, folder: str) -> list[str]:
        records = self._ask(calls.data_in_folder(folder, self._project)).items
        self._take(records)
        return [each.path for each in records if each.path is not None and folder_of(each.path) == folder]


def _lowered(record: DataRecord) -> str:
    return (record.path or "").lower()


def _by_folder(paths: Iterable[str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for path in paths:
        groups.setdefault(folder_of(path), []).append(path)
    return groups
