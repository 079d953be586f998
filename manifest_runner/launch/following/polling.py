"""Follow launches with few requests, only for those that can still change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

from msgspec import structs

from manifest_runner.errors import Refused, Unreachable
from manifest_runner.launch.following.batch_items import BatchIndex, seen_items
from manifest_runner.launch.following.gone import Gone, is_gone, is_hidden
from manifest_runner.launch.following.status_search import Search, cheapest_search, look_by_search
from manifest_runner.launch.record import updated, with_analysis
from manifest_runner.lockfile.model import LockedItem, Lockfile
from manifest_runner.model import FINAL_CREATION, FINAL_JOB
from manifest_runner.timestamps import seconds_of

if TYPE_CHECKING:  # requests is imported only when something is sent
    from manifest_runner.ica.client import Client

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
# After this many searches in a row that found nothing, a server is not searched again.
MAX_SEARCHES = 3
# After this many polls a batch that the server does not show, and that has no analysis, is given up.
MAX_MISSES = 5
# A batch that was sent less than this many seconds ago may only not be shown yet.
YOUNG_SECONDS = 300.0
# Answers of a server that has no search, or none for this credential.
_NO_SEARCH = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})

IsDone = Callable[[LockedItem], bool]


def creation_done(item: LockedItem) -> bool:
    return item.creation_is_final


def analysis_done(item: LockedItem) -> bool:
    return item.analysis_is_final


class Poller:
    """Updates the items of a lockfile, in place, for which ``is_done`` is not yet true.

    Where launches are stamped with one of ``names``, their analyses may be found by a search. Unless ``in_detail``,
    it is enough to know which have ended, and how. What ICA no longer shows is added to ``gone``.
    """

    def __init__(
        self,
        client: Client,
        lockfile: Lockfile,
        is_done: IsDone,
        *,
        names: Sequence[str] = (),
        in_detail: bool = True,
        gone: Gone | None = None,
    ) -> None:
        self.client = client
        self.lockfile = lockfile
        self.is_done = is_done
        self._names = names
        self._in_detail = in_detail
        self._gone = Gone() if gone is None else gone
        self._misses: Counter[str] = Counter()
        self._searches = MAX_SEARCHES if names and is_done is analysis_done else 0
        self._searches_for_unshown = MAX_SEARCHES if names else 0

    def open_items(self) -> list[str]:
        """The userReferences that can still change; items that left the manifest are followed too."""
        items = self.lockfile.items
        return [reference for reference, item in items.items() if not self.is_done(item) and item not in self._gone]

    def lost_items(self) -> list[str]:
        """The userReferences of unfinished items that ICA did not know at the last poll."""
        items = self.lockfile.items
        return [reference for reference, item in items.items() if not self.is_done(item) and self._is_lost(item)]

    def _is_lost(self, item: LockedItem) -> bool:
        return item in self._gone or (item.analysis is None and item.batch_id in self._misses)

    def are_created(self, references: Iterable[str]) -> bool:
        """Whether the API says that these were created, even if it does not show their analyses yet."""
        return all(self.lockfile.items[reference].status in FINAL_CREATION for reference in references)

    def poll(self) -> int:
        """Ask once for everything open; returns how many are still open."""
        still_open = self.open_items()
        unshown = self._unshown(still_open)
        by_batch: dict[str | None, list[str]] = {}
        for reference in self._looked_up(still_open):
            by_batch.setdefault(self.lockfile.items[reference].batch_id, []).append(reference)
        for batch_id, references in by_batch.items():
            if batch_id is None:
                self._refresh_analyses(references)
            else:
                self._refresh_batch(batch_id, references)
        if (left := self._unshown(unshown)) and self._searches_for_unshown:
            self._searches_for_unshown -= 1
            self._search(left, "everything")
        now_open = self.open_items()
        _update_jobs(self.client, self.lockfile, still_open, now_open)
        return len(now_open)

    def _unshown(self, references: list[str]) -> list[str]:
        """Those that were created, but whose batch does not show an analysis."""
        items = self.lockfile.items
        return [each for each in references if items[each].status == "SUCCEEDED" and items[each].analysis is None]

    def _looked_up(self, references: list[str]) -> list[str]:
        """Search for these items, if that is cheapest; returns the ones that it did not show."""
        if not self._searches or not references:
            return references
        search = cheapest_search(self.lockfile, references, in_detail=self._in_detail)
        if search is None:
            return references
        left = self._search(references, search)
        self._searches = self._searches - 1 if len(left) == len(references) else MAX_SEARCHES
        return left

    def _search(self, references: list[str], search: Search) -> list[str]:
        """Update these items from a search, where the server has one; returns the ones that it did not show."""
        if not self._names:
            return references
        try:
            return look_by_search(self.client, self.lockfile, self._names, references, search)
        except Refused as refused:
            if refused.status not in _NO_SEARCH:
                raise
            return references

    def _refresh_batch(self, batch_id: str, references: list[str]) -> None:
        try:
            self._read_batch(batch_id, references)
            self._misses.pop(batch_id, None)
        except Refused as refused:
            if not is_hidden(refused):
                raise
            self._refresh_without_batch(batch_id, references, refused)

    def _refresh_without_batch(self, batch_id: str, references: list[str], refused: Refused) -> None:
        """Ask for the analyses themselves. A batch that was just sent may be shown later."""
        items, left = self.lockfile.items, self._search(references, "everything")
        self._refresh_analyses([each for each in left if items[each].analysis is not None])
        unknown = [items[each] for each in left if items[each].analysis is None]
        if not unknown:
            return
        if not is_gone(refused):
            raise refused
        self._gone.check_project(self.client)
        if self._is_young(batch_id):
            return
        self._misses[batch_id] += 1
        if self._misses[batch_id] == MAX_MISSES:
            self._gone.add(self.client, unknown[0], refused)

    def _is_young(self, batch_id: str) -> bool:
        batch = self.lockfile.batches.get(batch_id)
        sent_at = None if batch is None else seconds_of(batch.submitted_at)
        return sent_at is not None and abs(self.client.now() - sent_at) < YOUNG_SECONDS

    def _read_batch(self, batch_id: str, references: list[str]) -> None:
        items = self.lockfile.items
        index = BatchIndex({reference: items[reference] for reference in references})
        silent = []
        for seen in seen_items(self.client, self.lockfile, batch_id, references, index):
            if (reference := index.reference(seen)) is not None:
                items[reference] = updated(items[reference], seen)
                if seen.analysis is None and not self.is_done(items[reference]):
                    silent.append(reference)
        self._refresh_analyses(silent)
        batch = self.lockfile.batches.get(batch_id)
        if batch is not None and batch.status not in FINAL_JOB:
            _read_job(self.client, self.lockfile, batch_id)

    def _refresh_analyses(self, references: list[str]) -> None:
        for reference in references:
            item = self.lockfile.items[reference]
            if item.analysis is None:
                continue
            try:
                self.lockfile.items[reference] = with_analysis(item, self.client.get_analysis(item.analysis.id))
            except Refused as refused:
                self._gone.add(self.client, item, refused)


def _update_jobs(client: Client, lockfile: Lockfile, before: Iterable[str], now_open: Iterable[str]) -> None:
    """Ask for the job of each batch whose last item has just ended: a search shows no jobs.

    Nothing depends on it, so a run that has seen how its items ended does not fail for it.
    """
    items, batches = lockfile.items, lockfile.batches
    ended = {items[each].batch_id for each in before} - {items[each].batch_id for each in now_open}
    with suppress(Unreachable):
        for batch_id in sorted(each for each in ended if each in batches and batches[each].status not in FINAL_JOB):
            with suppress(Refused):
                _read_job(client, lockfile, batch_id)


def _read_job(client: Client, lockfile: Lockfile, batch_id: str) -> None:
    status = client.get_batch(batch_id).status
    lockfile.batches[batch_id] = structs.replace(lockfile.batches[batch_id], status=status)


def pauses(fixed: float | None) -> Iterable[float]:
    """Seconds between polls: as given, or growing from half a second to half a minute."""
    pause = FIRST_PAUSE if fixed is None else fixed
    while True:
        yield pause
        if fixed is None:
            pause = min(pause * 1.5, LONGEST_PAUSE)
