"""Batches, items and analyses, as the API reports them."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from manifest_runner.timestamps import moment_or_first

# Seconds for which a key is trusted. The API honours it for seven days; the last hour is left to clocks that disagree.
DEFAULT_KEY_WINDOW = 7 * 24 * 3600.0 - 3600


class Batch(msgspec.Struct, frozen=True):
    """A batch: its id, and its job's status and creation time (None if the API sends no job)."""

    id: str
    status: str | None
    time_created: str | None = None


class Analysis(NamedTuple):
    """An analysis, as far as the lockfile and adoption need it. Times are RFC 3339 text."""

    id: str
    reference: str | None
    status: str
    user_reference: str = ""
    start_date: str | None = None
    end_date: str | None = None
    time_created: str | None = None
    technical_tags: tuple[str, ...] = ()
    summary: str | None = None


class BatchItem(NamedTuple):
    """One item of a batch as the API reports it; ``analysis`` is None until there is one.

    Tags are those of the request, or else of the analysis.
    """

    id: str
    user_reference: str
    status: str
    message: str | None
    analysis: Analysis | None
    technical_tags: tuple[str, ...] = ()


class LatestEnded(NamedTuple):
    """The analyses that ended last, as the server sorts them, and how many have ended, None if it does not count."""

    analyses: list[Analysis]
    total: int | None

    @property
    def is_sorted(self) -> bool:
        """Whether the analyses that ended last really come first."""
        ends = [moment_or_first(analysis.end_date) for analysis in self.analyses]
        return ends == sorted(ends, reverse=True)
