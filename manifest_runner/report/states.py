"""The state of an item, from the API's statuses of its batch item and its analysis."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

Tone = Literal["failed", "open", "succeeded", "accepted", "removed"]


class State(StrEnum):
    """In the order of reports: first what needs attention. The values are stable, since reports show them."""

    CREATION_FAILED = "creationFailed"
    ANALYSIS_FAILED = "analysisFailed"
    ABORTED = "aborted"
    UNKNOWN = "unknown"
    WAITING = "waiting"
    CREATING = "creating"
    REQUESTED = "requested"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    ACCEPTED = "accepted"
    REMOVED = "removed"

    @property
    def label(self) -> str:
        return _LABELS[self]

    @property
    def count_word(self) -> str:
        """The word after a number of such items: ``3 not created``."""
        return _COUNT_WORDS[self]

    @property
    def rank(self) -> int:
        """0 for the state reported first."""
        return _RANKS[self]

    @property
    def tone(self) -> Tone:
        """``open`` can still change."""
        return _TONES.get(self, "open")


def state_of(creation: str | None, analysis: str | None) -> State:
    """The state of a launch. Statuses that the tool does not know count as not final."""
    if creation == "FAILED":
        return State.CREATION_FAILED
    if analysis is not None:
        return _ANALYSIS.get(analysis, State.UNKNOWN)
    return _CREATION.get(creation, State.UNKNOWN)


def adds_to(state: State, status: str) -> bool:
    """Whether the API's status says more than the state's label."""
    return status not in _SAID.get(state, ())


_LABELS = {
    State.CREATION_FAILED: "Creation failed",
    State.ANALYSIS_FAILED: "Analysis failed",
    State.ABORTED: "Aborted",
    State.UNKNOWN: "Unknown status",
    State.WAITING: "Waiting",
    State.CREATING: "Creating",
    State.REQUESTED: "Created",
    State.RUNNING: "Running",
    State.SUCCEEDED: "Succeeded",
    State.ACCEPTED: "Failure accepted",
    State.REMOVED: "Left the manifest",
}
_COUNT_WORDS = {
    State.CREATION_FAILED: "not created",
    State.ANALYSIS_FAILED: "failed",
    State.ABORTED: "aborted",
    State.UNKNOWN: "of unknown status",
    State.WAITING: "waiting",
    State.CREATING: "being created",
    State.REQUESTED: "created",
    State.RUNNING: "running",
    State.SUCCEEDED: "succeeded",
    State.ACCEPTED: "failed and accepted",
    State.REMOVED: "removed",
}
_RANKS = {state: rank for rank, state in enumerate(State)}
_TONES: dict[State, Tone] = {
    State.CREATION_FAILED: "failed",
    State.ANALYSIS_FAILED: "failed",
    State.ABORTED: "failed",
    State.SUCCEEDED: "succeeded",
    State.ACCEPTED: "accepted",
    State.REMOVED: "removed",
}
_SAID: dict[State, tuple[str, ...]] = {
    State.CREATION_FAILED: ("FAILED",),
    State.ANALYSIS_FAILED: ("FAILED", "FAILED_FINAL", "FAILEDFINAL"),
    State.ABORTED: ("ABORTED",),
    State.CREATING: ("RUNNING", "SUCCEEDED", "not known yet"),
    State.REQUESTED: ("REQUESTED",),
    State.RUNNING: ("IN_PROGRESS", "INPROGRESS"),
    State.SUCCEEDED: ("SUCCEEDED",),
}
_CREATION = {
    None: State.CREATING,
    "RUNNING": State.CREATING,
    "SUCCEEDED": State.CREATING,  # created, but its analysis has not been read yet
    "WAITING_RESOURCES": State.WAITING,
}
# Version 3 of the API writes some names without underscores.
_ANALYSIS = {
    "REQUESTED": State.REQUESTED,
    "QUEUED": State.REQUESTED,
    "INITIALIZING": State.REQUESTED,
    "PREPARING_INPUTS": State.REQUESTED,
    "AWAITING_INPUT": State.WAITING,
    "AWAITINGINPUT": State.WAITING,
    "IN_PROGRESS": State.RUNNING,
    "INPROGRESS": State.RUNNING,
    "GENERATING_OUTPUTS": State.RUNNING,
    "ABORTING": State.RUNNING,
    "SUCCEEDED": State.SUCCEEDED,
    "FAILED": State.ANALYSIS_FAILED,
    "FAILED_FINAL": State.ANALYSIS_FAILED,
    "FAILEDFINAL": State.ANALYSIS_FAILED,
    "ABORTED": State.ABORTED,
}
