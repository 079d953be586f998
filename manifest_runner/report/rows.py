"""The lines of a report: items and their launches, as text that is safe to show.

All text is one line without control characters (`text.plain_text`), since a lockfile can contain anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import msgspec

from manifest_runner.lockfile.model import LockedFailure, LockedItem, LockedOutput, LockedPrice
from manifest_runner.report.states import State, adds_to, state_of
from manifest_runner.report.times import seconds_between
from manifest_runner.text import plain_text

Link = Callable[[str | None], str | None]


class LaunchRow(msgspec.Struct, frozen=True):
    """One launch of an item, the current or an earlier one. Times are RFC 3339 text from the API."""

    state: State
    creation: str | None
    message: str | None
    attempt: int
    revision: str
    batch_id: str | None
    item_id: str | None
    analysis_id: str | None
    analysis_reference: str | None
    analysis_status: str | None
    started: str | None
    ended: str | None
    link: str | None
    outputs: Mapping[str, tuple[LockedOutput, ...]]
    price: LockedPrice | None
    failure: LockedFailure | None

    @property
    def status(self) -> str:
        """The API's status: of the analysis, once there is one."""
        return self.analysis_status or self.creation or "not known yet"

    @property
    def detail(self) -> str:
        """The API's status if it says more than the state; empty otherwise."""
        return self.status if adds_to(self.state, self.status) else ""

    @property
    def seconds(self) -> float | None:
        return seconds_between(self.started, self.ended)

    @property
    def reason(self) -> str:
        """Why it failed, or what the API says about it: in one line, empty if there is nothing to say."""
        if self.failure:
            return failure_words(self.failure)
        if self.message or self.state.tone != "failed":
            return self.message or ""
        return unexplained(self.state, self.status)


class Row(msgspec.Struct, frozen=True):
    """One item. ``earlier`` holds the launches that were replaced, newest first."""

    reference: str
    kind: str
    pipeline: str | None
    adopted: bool
    removed: bool
    accepted: bool
    failure_accepted: bool
    renamed_from: str | None
    launch: LaunchRow
    earlier: tuple[LaunchRow, ...]

    @property
    def state(self) -> State:
        """An item that left the manifest, or whose failure was accepted, has a state of its own."""
        if self.removed:
            return State.REMOVED
        return State.ACCEPTED if self.failure_accepted and self.launch.state.tone == "failed" else self.launch.state


def make_row(reference: str, item: LockedItem, pipeline: object, link: Link) -> Row:
    return Row(
        reference=plain_text(reference),
        kind=plain_text(item.kind),
        pipeline=shown_text(pipeline),
        adopted=item.adopted,
        removed=item.removed,
        accepted=item.accepted is not None or item.failure_accepted,
        failure_accepted=item.failure_accepted,
        renamed_from=shown_text(item.renamed_from),
        launch=_launch(item, link),
        earlier=tuple(_launch(launch, link) for launch in reversed(item.previous)),
    )


def shown_text(value: object) -> str | None:
    """Text that is safe to show; None for anything else, since a stored request can contain any value."""
    return plain_text(value) if isinstance(value, str) and value else None


def _launch(item: LockedItem, link: Link) -> LaunchRow:
    seen = partial(getattr, item.analysis)
    return LaunchRow(
        state=state_of(item.status, seen("status", None)),
        creation=shown_text(item.status),
        message=shown_text(item.message),
        attempt=item.attempt,
        revision=plain_text(item.revision),
        batch_id=shown_text(item.batch_id),
        item_id=shown_text(item.item_id),
        analysis_id=shown_text(seen("id", None)),
        analysis_reference=shown_text(seen("reference", None)),
        analysis_status=shown_text(seen("status", None)),
        started=shown_text(seen("start_date", None)),
        ended=shown_text(seen("end_date", None)),
        link=link(shown_text(seen("id", None))),
        outputs={plain_text(code): tuple(map(_output, found)) for code, found in sorted((item.outputs or {}).items())},
        price=item.price and LockedPrice(plain_text(item.price.amount), plain_text(item.price.currency)),
        failure=item.failure and _failure(item.failure),
    )


def _output(output: LockedOutput) -> LockedOutput:
    return LockedOutput(
        plain_text(output.data_id), plain_text(output.name), plain_text(output.type), shown_text(output.project_id)
    )


def _failure(failure: LockedFailure) -> LockedFailure:
    return LockedFailure(shown_text(failure.step), failure.exit_code, shown_text(failure.line))


def unexplained(state: State, status: str) -> str:
    """The reason of a failed launch for which the API gives none."""
    if state is State.CREATION_FAILED:
        return "Creation failed; the API gave no reason."
    if state is State.ABORTED:
        return "The analysis was aborted."
    return f"The analysis ended as {status}; the API gave no reason."


def failure_words(failure: LockedFailure) -> str:
    """``dragen, exit 137: "Killed"``."""
    code = None if failure.exit_code is None else f"exit {failure.exit_code}"
    where = ", ".join(filter(None, [failure.step or "unknown step", code]))
    return f'{where}: "{failure.line}"' if failure.line else where
