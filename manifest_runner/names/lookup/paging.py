"""Lists of data, page by page; all data of a project is the last resort where a server ignores filters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from manifest_runner.ica import data_endpoints as calls
from manifest_runner.ica.data_responses import DataRecord
from manifest_runner.ica.endpoints import Call
from manifest_runner.ica.wire import Page

AskPage = Callable[[Call], Page[DataRecord]]


# A server may leave out rows after it has cut a list into pages, so that a page is empty and others follow.
MAX_EMPTY = 20


def pages_of(ask: AskPage, call: Call) -> Iterator[Page[DataRecord]]:
    """The pages of a list, one request for each; ends with a token that comes again, and with many empty pages."""
    seen: set[str] = set()
    page = ask(call)
    yield page
    empty = 0
    while (token := page.next_token) is not None and token not in seen and empty < MAX_EMPTY:
        seen.add(token)
        empty = 0 if page.items else empty + 1
        page = ask(call.with_params(pageToken=token))
        yield page


def find_everywhere(
    ask: AskPage,
    project: str | None,
    wanted: Collection[str],
    key: Callable[[DataRecord], str],
    is_near: Callable[[DataRecord], bool],
) -> list[DataRecord]:
    """The rows that ``is_near`` accepts; stops once each wanted key was found."""
    kept: list[DataRecord] = []
    missing = set(wanted)
    for page in pages_of(ask, calls.all_data(project)):
        kept += filter(is_near, page.items)
        missing.difference_update(map(key, page.items))
        if not missing:
            break
    return kept
