"""The status of an item or analysis at a given moment. Pure: nothing runs in the background."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

# Each phase starts at a fraction of the whole duration.
_ANALYSIS_PHASES = (
    (0.85, "GENERATING_OUTPUTS"),
    (0.45, "IN_PROGRESS"),
    (0.3, "PREPARING_INPUTS"),
    (0.2, "INITIALIZING"),
    (0.1, "QUEUED"),
    (0.0, "REQUESTED"),
)
_STARTED = 0.2
_ABORTING = 0.05
_ABORTED = 0.15
# An abort of a longer analysis takes no longer than that of one that lasts this many seconds.
_LONGEST_TO_ABORT = 100.0
FINAL_STATUSES = frozenset({"SUCCEEDED", "FAILED", "ABORTED"})


class Fate(IntEnum):
    """How an item ends; decided when it is created."""

    SUCCEEDS = 0
    CREATION_FAILS = 1
    ANALYSIS_FAILS = 2
    ANALYSIS_IS_ABORTED = 3


_ENDINGS: dict[int, str] = {
    Fate.SUCCEEDS: "SUCCEEDED",
    Fate.ANALYSIS_FAILS: "FAILED",
    Fate.ANALYSIS_IS_ABORTED: "ABORTED",
}
_LAST_PHASE = _ANALYSIS_PHASES[0][1]


class AnalysisState(NamedTuple):
    """An analysis at a moment; times are seconds since the epoch, None for what has not happened yet."""

    status: str
    started: float | None
    ended: float | None
    modified: float


def settled_at(created: float, delay: float, item_id: str) -> float:
    """When an item is created or has failed: between half of ``delay`` and ``delay`` after its batch.

    Items are spread by their ids, so that a client sees a partly finished batch.
    """
    return created + delay * (0.5 + int(item_id[-2:], 16) / 510)


def item_status(now: float, created: float, settled: float, fate: int) -> str:
    """The ``processing.status`` of an item that is settled at ``settled``, of a batch of ``created``."""
    if now >= settled:
        return "FAILED" if fate == Fate.CREATION_FAILS else "SUCCEEDED"
    return "RUNNING" if now >= (created + settled) / 2 else "WAITING_RESOURCES"


def job_status(now: float, created: float, done: float, size: int, failing: int) -> str:
    """The status of the job of a batch of ``size`` items of which ``failing`` are bound to fail."""
    if now >= done:
        return "FAILED" if failing == size else "PARTIALLY_SUCCEEDED" if failing else "SUCCEEDED"
    return "RUNNING" if now >= job_started_at(created, done) else "INITIALIZED"


def job_started_at(created: float, done: float) -> float:
    """When the job of a batch starts to run."""
    return created + (done - created) / 10


def analysis_state(now: float, requested: float, duration: float, fate: int, aborted: float | None) -> AnalysisState:
    """The state of an analysis that was requested at ``requested`` and asked to abort at ``aborted``.

    It ends according to its fate. An abort takes a moment to show and another one to finish; an analysis that ends
    before that ends as if it had never been aborted.
    """
    end = requested + duration
    start = requested + _STARTED * duration
    pace = min(duration, _LONGEST_TO_ABORT)
    if aborted is not None and (stopping := aborted + _ABORTING * pace) < min(now, end):
        started = start if start <= stopping else None
        if now >= (stopped := aborted + _ABORTED * pace):
            return AnalysisState("ABORTED", started, stopped, stopped)
        return AnalysisState("ABORTING", started, None, stopping)
    if now >= end:
        return AnalysisState(_ENDINGS[fate], start, end, end)
    begin, status = _phase((now - requested) / duration)
    if fate == Fate.ANALYSIS_IS_ABORTED and status == _LAST_PHASE:
        status = "ABORTING"
    return AnalysisState(status, start if begin >= _STARTED else None, None, requested + begin * duration)


def _phase(progress: float) -> tuple[float, str]:
    return next((phase for phase in _ANALYSIS_PHASES if progress >= phase[0]), _ANALYSIS_PHASES[-1])
