"""All data of a project, page by page: the last resort where a server ignores the filters of a list."""

from __future__ import annotations

from collections.abc import Callable, Collection

from manifest_runner.ica import data_endpoints as calls
from manifest_runner.ica.data_responses import DataRecord
from manifest_runner.ica.endpoints import Call
from manifest_runner.ica.wire import Page

AskPage = Callable[[Call], Page[DataRecord]]


def find_everywhere(
    ask: AskPage,
    project: str | None,
    wanted: Collection[str],
    key: Callable[[DataRecord], str],
    is_near: Callable[[DataRecord], bool],
) -> list[DataRecord]:
    """The rows that ``is_near`` accepts; stops once each wanted key was found."""
    call = calls.all_data(project)
    kept: list[DataRecord] = []
    missing, seen = set(wanted), set[str]()
    page = ask(call)
    while True:
        kept += filter(is_near, page.items)
        missing.difference_update(map(key, page.items))
        token = page.next_token
        if not missing or token is None or token in seen or not page.items:
            return kept
        seen.add(token)
        page = ask(call.with_params(pageToken=token))
