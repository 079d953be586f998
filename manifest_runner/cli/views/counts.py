"""The number of launches in each state, in one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from manifest_runner.lockfile.model import LockedItem
from manifest_runner.report.states import State, state_of

# In the order in which a line lists them.
_ORDER = (
    State.SUCCEEDED,
    State.ANALYSIS_FAILED,
    State.ABORTED,
    State.CREATION_FAILED,
    State.ACCEPTED,
    State.RUNNING,
    State.REQUESTED,
    State.WAITING,
    State.CREATING,
    State.UNKNOWN,
)
_ENDED = (State.SUCCEEDED, State.ANALYSIS_FAILED, State.ABORTED, State.CREATION_FAILED, State.ACCEPTED)


def count_states(items: Iterable[LockedItem]) -> Counter[State]:
    return Counter(map(_state, items))


def _state(item: LockedItem) -> State:
    if item.failed and item.failure_accepted:
        return State.ACCEPTED
    return state_of(item.status, item.analysis.status if item.analysis else None)


def followed(items: Iterable[LockedItem]) -> list[LockedItem]:
    """The items of the manifest, and those that have left it but have not ended, since a run waits for these, too."""
    return [item for item in items if not item.removed or _state(item) not in _ENDED]


def ended(counts: Mapping[State, int]) -> int:
    """The number of launches that can no longer change."""
    return sum(counts.get(state, 0) for state in _ENDED)


def states_line(counts: Mapping[State, int]) -> str:
    """``895 succeeded, 100 failed, 5 not created``: only states that occur."""
    return ", ".join(f"{counts[state]:,} {state.count_word}" for state in _ORDER if counts.get(state))
