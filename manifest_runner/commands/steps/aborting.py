"""Aborting analyses."""

from __future__ import annotations

from collections.abc import Callable, Collection
from http import HTTPStatus
from typing import TYPE_CHECKING

from manifest_runner.errors import Refused
from manifest_runner.model import FINAL_ANALYSIS
from manifest_runner.text import counted

if TYPE_CHECKING:  # the HTTP client is imported only when something is sent
    from manifest_runner.ica.client import Client

# Refusals that hold for every other analysis, too. A 403 need not: some may be another user's.
_OF_ALL = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.METHOD_NOT_ALLOWED})


def abort_each(client: Client, analysis_ids: Collection[str], aborted: Callable[[str], None]) -> Refused | None:
    """Abort these, and call ``aborted`` with each one that has not ended by itself.

    If ICA refuses one of them, the others are aborted all the same: returns the refusal to raise in the end.
    """
    first: Refused | None = None
    asked = 0
    for analysis_id in analysis_ids:
        try:
            if _abort(client, analysis_id):
                asked += 1
                aborted(analysis_id)
        except Refused as refused:
            if refused.status in _OF_ALL:
                raise
            first = first or refused
    if first is None:
        return None
    words = f"Asked ICA to abort {asked:,} of {counted(len(analysis_ids), 'analysis', 'analyses')}."
    return Refused(f"{first} {words}", status=first.status)


def _abort(client: Client, analysis_id: str) -> bool:
    """Abort it; False if it has ended since it was last read, which ICA refuses."""
    try:
        client.abort_analysis(analysis_id)
    except Refused:
        if client.get_analysis(analysis_id).status not in FINAL_ANALYSIS:
            raise
        return False
    return True
