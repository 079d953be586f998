"""Find a manifest's analyses by their stamps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from manifest_runner.ica.model import Analysis
from manifest_runner.planning.identity import name_stamp
from manifest_runner.timestamps import moment_or_first

if TYPE_CHECKING:  # requests is imported only when something is sent
    from manifest_runner.ica.client import Client


def stamped_analyses(client: Client, names: Iterable[str]) -> Iterator[Analysis]:
    """Every analysis with the stamp of one of these names of a manifest, each once.

    The API may compare tags loosely; this is exact.
    """
    seen: set[str] = set()
    for tag in map(name_stamp, names):
        for analysis in client.search_analyses(technical_tags=(tag,)):
            if tag in analysis.technical_tags and analysis.id not in seen:
                seen.add(analysis.id)
                yield analysis


def age_order(analysis: Analysis) -> tuple[datetime, str]:
    """A sort key for analyses: the oldest first, in the same order for everybody.

    Times are not compared as text: a server may leave out a fraction of a second that is zero.
    """
    return moment_or_first(analysis.time_created), analysis.id
