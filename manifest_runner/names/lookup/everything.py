"""All data of a project, page by page: the last resort where a server ignores the filters of a list."""

from __future__ import annotations

from collections.abc import Callable, Collection

from manifest_runner.ica import name_endpoints as calls
from manifest_runner.ica.data_responses import DataRecord
from manifest_runner.ica.endpoints import Call
from manifest_runner.ica.name_responses import DataPage

AskPage = Callable[[Call], DataPage]


def find_everywhere(
    ask: AskPage,
    project: str | None,
    wanted: Collection[str],
    key: Callable[[DataRecord], str],
    is_near: Callable[[DataRecord], bool],
) -> list[DataRecord]:
    """The rows that are near to what is wanted; the walk ends once each wanted key was met."""
    call = calls.all_data(project)
    kept: list[DataRecord] = []
    missing, seen = set(wanted), set[str]()
    page = ask(call)
    while True:
        kept += filter(is_near, page.records)
        missing.difference_update(map(key, page.records))
        token = page.next_token
        if not missing or token is None or token in seen or not page.records:
            return kept
        seen.add(token)
        page = ask(call.with_params(pageToken=token))
