"""Aborting one analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manifest_runner.errors import Refused
from manifest_runner.model import FINAL_ANALYSIS

if TYPE_CHECKING:  # the HTTP client is imported only when something is sent
    from manifest_runner.ica.client import Client


def abort_analysis(client: Client, analysis_id: str) -> bool:
    """Abort it; False if it has ended since it was last read, which ICA refuses."""
    try:
        client.abort_analysis(analysis_id)
    except Refused:
        if client.get_analysis(analysis_id).status not in FINAL_ANALYSIS:
            raise
        return False
    return True
