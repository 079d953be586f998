"""Launches that ICA no longer shows: it deleted an analysis, or forgot a batch. They stay as they were last seen."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from manifest_runner.errors import Refused
from manifest_runner.lockfile.model import LockedItem
from manifest_runner.text import counted, few_of

if TYPE_CHECKING:  # requests is imported only when something is sent
    from manifest_runner.ica.client import Client

_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
# A server may refuse a batch to everybody but the user who sent it, and still show its analyses. Whether it answers 404
# for what does not exist or, as for what the credential may not see, 403 is not documented.
_HIDDEN = _GONE | {HTTPStatus.FORBIDDEN}


class Gone:
    """The ids of analyses that are not shown any more, and of batches with launches that have no analysis."""

    def __init__(self) -> None:
        self._ids: set[str | None] = set()
        self._project_exists = False

    def __contains__(self, launch: object) -> bool:
        return isinstance(launch, LockedItem) and _id(launch) in self._ids

    def add(self, client: Client, launch: LockedItem, refused: Refused) -> None:
        """Note that ICA did not show a launch. Raises the refusal if it may concern more than that launch."""
        if not is_hidden(refused):
            raise refused
        self.check_project(client)
        self._ids.add(_id(launch))

    def check_project(self, client: Client) -> None:
        """Raise Refused if the project itself is not visible: then nothing in it is."""
        if not self._project_exists:
            next(client.search_analyses(statuses=("REQUESTED",)), None)
            self._project_exists = True


def is_gone(refused: Refused) -> bool:
    """Whether ICA says that something does not exist."""
    return refused.status in _GONE


def is_hidden(refused: Refused) -> bool:
    """Whether ICA does not show something to this credential, be it there or not."""
    return refused.status in _HIDDEN


def _id(launch: LockedItem) -> str | None:
    return launch.batch_id if launch.analysis is None else launch.analysis.id


def gone_words(references: list[str]) -> str:
    """The message about launched items that ICA no longer shows."""
    return f"ICA does not show {counted(len(references), 'launched item')}: {few_of(references)}"
