"""How launches are, asked with as few requests as that takes.

A search for the manifest's name stamp costs a page for each thousand of its analyses, whatever their state. Where
few of many are still open, two searches by status cost less: those that have not ended, and those that ended last.
Whatever neither shows is asked for batch by batch, or one by one (see ``polling``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from manifest_runner.ica.model import Analysis
from manifest_runner.launch.record import with_analysis
from manifest_runner.launch.search import age_order, stamped_analyses
from manifest_runner.lockfile.model import Lockfile
from manifest_runner.planning.identity import digest_stamp, name_stamp

if TYPE_CHECKING:  # requests is imported only when something is sent
    from manifest_runner.ica.client import Client

Search = Literal["everything", "by status"]

PAGE = 1000
OPEN_ANALYSIS = (
    "REQUESTED",
    "QUEUED",
    "INITIALIZING",
    "PREPARING_INPUTS",
    "IN_PROGRESS",
    "GENERATING_OUTPUTS",
    "AWAITING_INPUT",
    "ABORTING",
)
ENDED_ANALYSIS = ("SUCCEEDED", "FAILED", "FAILED_FINAL", "ABORTED")


def cheapest_search(lockfile: Lockfile, references: Collection[str]) -> Search | None:
    """The search that shows these items with the fewest requests; None where asking by batch takes no more."""
    everything = pages(sum(1 + len(item.previous) for item in lockfile.items.values()))
    by_status = 2 * pages(len(references))
    if batch_requests(lockfile, references) <= min(everything, by_status):
        return None
    return "everything" if everything <= by_status else "by status"


def look_by_search(
    client: Client, lockfile: Lockfile, names: Sequence[str], references: Collection[str], search: Search
) -> list[str]:
    """Update these items from a search. Returns the userReferences that it did not show."""
    if search == "everything":
        return _update(lockfile, references, stamped_analyses(client, names))
    left = list(references)
    for name in names:
        left = _update(lockfile, left, _still_open(client, name))
        left = _update(lockfile, left, client.latest_ended(name_stamp(name), ENDED_ANALYSIS, len(left)))
    return left


def pages(count: int) -> int:
    """How many requests it takes to list so many."""
    return -(-count // PAGE)


def batch_requests(lockfile: Lockfile, references: Iterable[str]) -> int:
    """How many requests it takes to ask for these items batch by batch, or one by one where that is less."""
    wanted: dict[str | None, int] = {}
    for reference in references:
        batch_id = lockfile.items[reference].batch_id
        wanted[batch_id] = wanted.get(batch_id, 0) + 1
    return sum(_requests_of(lockfile, batch_id, count) for batch_id, count in wanted.items())


def _requests_of(lockfile: Lockfile, batch_id: str | None, count: int) -> int:
    batch = lockfile.batches.get(batch_id or "")
    return count if batch is None else min(count, pages(batch.items))


def _still_open(client: Client, name: str) -> Iterator[Analysis]:
    """Ends at once where the server does not know the filter: then it would show everything."""
    tag = name_stamp(name)
    for analysis in client.search_analyses(technical_tags=(tag,), statuses=OPEN_ANALYSIS):
        if analysis.status in ENDED_ANALYSIS:
            return
        if tag in analysis.technical_tags:
            yield analysis


def _update(lockfile: Lockfile, references: Collection[str], found: Iterable[Analysis]) -> list[str]:
    """Update the items whose analysis is among those found, the oldest first; returns the others.

    An item without an analysis is known by its digest stamp.
    """
    missing = dict.fromkeys(references)
    by_id = {item.analysis.id: each for each in missing if (item := lockfile.items[each]).analysis}
    by_stamp = {digest_stamp(item.digest): each for each in missing if not (item := lockfile.items[each]).analysis}
    for analysis in sorted(found, key=age_order):
        for reference in (by_id.get(analysis.id), *map(by_stamp.get, analysis.technical_tags)):
            if reference in missing:
                lockfile.items[reference] = with_analysis(lockfile.items[reference], analysis)
                del missing[reference]
    return list(missing)
