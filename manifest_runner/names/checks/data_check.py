"""Check data by id: whether a project lists it, and whether it can be used now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from manifest_runner.ica import data_endpoints as calls
from manifest_runner.ica.data_responses import DataRecord
from manifest_runner.ica.parallel import in_parallel
from manifest_runner.names.failure import LookupFailure
from manifest_runner.names.lookup.data_paths import status_fault
from manifest_runner.names.lookup.paging import AskPage, find_everywhere, pages_of
from manifest_runner.names.lookup.url_chunks import UrlChunks
from manifest_runner.text import shown

_FIXED_BYTES = len("pageSize=1000")


class DataCheck:
    """Checks the data of one project (None: the client's own).

    ``base_bytes`` is the length of the URL up to the query, ``keys`` are the paths of pinned ids.
    """

    def __init__(self, ask: AskPage, project: str | None, base_bytes: int, keys: Mapping[str, str]) -> None:
        self._keys = keys
        self._is_filtered = True  # until the server returns data that was not asked for
        self._ask = ask
        self._project = project
        self._budget = calls.MAX_QUERY - base_bytes - _FIXED_BYTES

    def failures(self, ids: Collection[str], usable: Callable[[DataRecord], None]) -> dict[str, LookupFailure]:
        """The ids of data that cannot be used, each with the reason; ``usable`` is called with all others.

        URNs are not checked.
        """
        wanted = sorted(each for each in ids if each.startswith(("fil.", "fol.")))
        found: dict[str, DataRecord] = {}
        chunks = UrlChunks(self._budget)
        for _, records in in_parallel(partial(chunks.ask, ask=self._listed), list(chunks.of(wanted, "id"))):
            found |= {each.id: each for each in records}
        if not self._is_filtered and (missing := set(wanted) - found.keys()):
            found |= {each.id: each for each in self._everywhere(missing)}
        failures: dict[str, LookupFailure] = {}
        for each in wanted:
            record = found.get(each)
            if record is None:
                failures[each] = self._unlisted(each)
            elif failure := status_fault(self.label(record), record):
                failures[each] = failure
            else:
                usable(record)
        return failures

    def _everywhere(self, missing: Collection[str]) -> list[DataRecord]:
        """The data of a server that ignores filters."""
        return find_everywhere(self._ask, self._project, missing, lambda each: each.id, lambda each: each.id in missing)

    def label(self, record: DataRecord) -> str:
        """The manifest's name for data, or else its path, or else its id."""
        return self._keys.get(record.id) or record.path or record.id

    def _unlisted(self, data_id: str) -> LookupFailure:
        where = "the project" if self._project is None else f"project {self._project}"
        if key := self._keys.get(data_id):
            words = f"{shown(key)} is {data_id} in the names file, but {where} does not list that"
            return LookupFailure("MR707", f"{words}; `manifest-runner resolve --update` looks it up again")
        words = f'{where} lists no data {shown(data_id)}; write data of another project as "icav2://PROJECT/path"'
        return LookupFailure("MR707", words)

    def _listed(self, ids: Sequence[str]) -> list[DataRecord]:
        """The wanted rows of all pages, up to a page with none but others."""
        missing, wanted = set(ids), set(ids)
        kept: list[DataRecord] = []
        for page in pages_of(self._ask, calls.data_with_ids(ids, self._project)):
            rows = [each for each in page.items if each.id in wanted]
            self._is_filtered = self._is_filtered and len(rows) == len(page.items)
            kept += rows
            missing.difference_update(each.id for each in rows)
            if not missing or (page.items and not rows):
                break
        return kept
