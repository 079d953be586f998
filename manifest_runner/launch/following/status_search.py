"""Launch statuses, fetched with as few requests as possible: at most one for each thousand that are open.

A search for the manifest's name stamp costs a page for each thousand of its analyses, whatever their state. Where
few of many are still open, a search for those that ended last costs less: it also says how many have ended in all, and
if these are as many as are known now, all others are still open. To show their progress, or if the numbers differ,
a second search lists them as well. Launches that no search shows are asked for batch by batch, or one by one (see
``polling``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal

from manifest_runner.errors import Refused
from manifest_runner.ica.model import Analysis
from manifest_runner.launch.record import with_analysis
from manifest_runner.launch.stamp_search import age_order, stamped_analyses
from manifest_runner.lockfile.model import Lockfile
from manifest_runner.model import FINAL_ANALYSIS, FINAL_JOB
from manifest_runner.planning.identity import digest_stamp, name_stamp

if TYPE_CHECKING:  # requests is imported only when something is sent
    from manifest_runner.ica.client import Client

Search = Literal["everything", "ended", "by status"]

PAGE = 1000
OPEN_FILTER = (
    "REQUESTED",
    "QUEUED",
    "INITIALIZING",
    "PREPARING_INPUTS",
    "IN_PROGRESS",
    "GENERATING_OUTPUTS",
    "AWAITING_INPUT",
    "ABORTING",
)
# The statuses that the API's specification allows as filters. A server may refuse any other, such as FAILEDFINAL; an
# analysis with that status has ended all the same.
ENDED_FILTER = ("SUCCEEDED", "FAILED", "FAILED_FINAL", "ABORTED")


def cheapest_search(lockfile: Lockfile, references: Collection[str], *, in_detail: bool) -> Search | None:
    """The search that shows these items with the fewest requests; None if asking by batch takes no more.

    ``in_detail`` also shows the progress of unfinished ones.
    """
    everything = pages(sum(1 + len(item.previous) for item in lockfile.items.values()))
    ended = pages(len(references)) + (1 if in_detail else 0)
    if batch_requests(lockfile, references) <= min(everything, ended):
        return None
    if everything <= ended:
        return "everything"
    return "by status" if in_detail else "ended"


def look_by_search(
    client: Client, lockfile: Lockfile, names: Sequence[str], references: Collection[str], search: Search
) -> list[str]:
    """Update these items from a search. Returns the userReferences that it did not show.

    A server that does not know a status or how to sort is asked for everything instead.
    """
    if search == "everything":
        return _update(lockfile, references, stamped_analyses(client, names))
    try:
        return _look_at_some(client, lockfile, names, references, search)
    except Refused as refused:
        if refused.status != HTTPStatus.BAD_REQUEST:
            raise
        return _update(lockfile, references, stamped_analyses(client, names))


def _look_at_some(
    client: Client, lockfile: Lockfile, names: Sequence[str], references: Collection[str], search: Search
) -> list[str]:
    left, is_all = _look_at_ended(client, lockfile, names, references)
    if search == "ended" and is_all:
        return [each for each in left if lockfile.items[each].analysis is None]
    for name in names if left else ():
        left = _update(lockfile, left, _still_open(client, name))
    return left


def _look_at_ended(
    client: Client, lockfile: Lockfile, names: Sequence[str], references: Collection[str]
) -> tuple[list[str], bool]:
    """Update the items that have ended. Returns the others, and whether it is certain that they have not."""
    known = _known_to_have_ended(lockfile)
    left, total, is_counted = list(references), 0, True
    for name in names if left else ():
        latest = client.latest_ended(name_stamp(name), ENDED_FILTER, len(left))
        left = _update(lockfile, left, latest.analyses)
        total += latest.total or 0
        is_counted = is_counted and latest.total is not None and latest.is_sorted
    return left, is_counted and total == known + len(references) - len(left)


def _known_to_have_ended(lockfile: Lockfile) -> int:
    launches = (launch for item in lockfile.items.values() for launch in item.launches)
    return len({each.analysis.id for each in launches if each.analysis and each.analysis.status in FINAL_ANALYSIS})


def pages(count: int) -> int:
    """How many requests it takes to list ``count`` records."""
    return -(-count // PAGE)


def batch_requests(lockfile: Lockfile, references: Iterable[str]) -> int:
    """How many requests it takes to ask for these items batch by batch, or one by one where that is less.

    A batch whose job has not ended is asked for, too.
    """
    wanted: dict[str | None, int] = {}
    for reference in references:
        batch_id = lockfile.items[reference].batch_id
        wanted[batch_id] = wanted.get(batch_id, 0) + 1
    return sum(_requests_of(lockfile, batch_id, count) for batch_id, count in wanted.items())


def _requests_of(lockfile: Lockfile, batch_id: str | None, count: int) -> int:
    batch = lockfile.batches.get(batch_id or "")
    if batch is None:
        return count
    return min(count, pages(batch.items)) + (batch.status not in FINAL_JOB)


def _still_open(client: Client, name: str) -> Iterator[Analysis]:
    """Stops at once if the server does not know the filter, since it would then list everything."""
    tag = name_stamp(name)
    for analysis in client.search_analyses(technical_tags=(tag,), statuses=OPEN_FILTER):
        if analysis.status in FINAL_ANALYSIS:
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
