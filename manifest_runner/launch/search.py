"""Finding a manifest's analyses by the stamps that their launches carry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from manifest_runner.ica.model import Analysis
from manifest_runner.planning.identity import name_stamp

if TYPE_CHECKING:  # requests is imported only when something is sent
    from manifest_runner.ica.client import Client


def stamped_analyses(client: Client, name: str) -> Iterator[Analysis]:
    """Every analysis with the name stamp of this manifest. The API may compare tags loosely; this is exact."""
    tag = name_stamp(name)
    return (each for each in client.search_analyses(technical_tags=(tag,)) if tag in each.technical_tags)


def age_order(analysis: Analysis) -> tuple[str, str]:
    """Sorts analyses from the oldest to the newest, in the same order for everybody."""
    return analysis.time_created or "", analysis.id
