"""A lockfile as counted, ordered rows, what failed first: the one story that every format tells.

All text in it is one line without control characters (`plaintext.plain_text`), since a lockfile can hold anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from manifest_runner.lockfile.model import LockedBatch, LockedItem, Lockfile
from manifest_runner.lockfile.requests import sent_requests
from manifest_runner.report.source import analysis_link
from manifest_runner.report.states import State, Tone, state_of
from manifest_runner.report.times import seconds_between
from manifest_runner.text import plain_text

_Link = Callable[[str | None], str | None]


@dataclass(frozen=True, slots=True)
class Launch:
    """One launch of an item, the current or an earlier one. Times are RFC 3339 text as the API gave it."""

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

    @property
    def status(self) -> str:
        """The API's own word, of the analysis as soon as there is one."""
        return self.analysis_status or self.creation or "not known yet"

    @property
    def seconds(self) -> float | None:
        return seconds_between(self.started, self.ended)

    @property
    def reason(self) -> str:
        """What is to be said of it: the API's message, or a sentence where a failure came without one."""
        if self.message or self.state.tone != "failed":
            return self.message or ""
        if self.state is State.CREATION_FAILED:
            return "Creation failed; the API gave no reason."
        return f"The analysis ended as {self.status}."


@dataclass(frozen=True, slots=True)
class Row:
    """One item. ``earlier`` holds the launches that were replaced, newest first."""

    reference: str
    kind: str
    pipeline: str | None
    adopted: bool
    removed: bool
    launch: Launch
    earlier: tuple[Launch, ...]

    @property
    def state(self) -> State:
        """An item that left the manifest no longer counts as what became of it."""
        return State.REMOVED if self.removed else self.launch.state


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One POST; ``items`` is how many it had, also those that were launched again since."""

    id: str
    status: str | None
    submitted_at: str
    items: int


@dataclass(frozen=True, slots=True)
class Summary:
    """``rows`` by state, then by reference; ``batches`` oldest first; ``counts`` of the states that occur, in order."""

    name: str
    project: str
    server: str
    rows: tuple[Row, ...]
    batches: tuple[BatchRow, ...]
    counts: Mapping[State, int]

    def total(self, tone: Tone) -> int:
        return sum(count for state, count in self.counts.items() if state.tone == tone)

    @property
    def failed(self) -> tuple[Row, ...]:
        return self.rows[: self.total("failed")]

    @property
    def in_words(self) -> str:
        """``24 items: 2 creation failed, 22 succeeded``."""
        parts = ", ".join(f"{count:,} {state.label.lower()}" for state, count in self.counts.items())
        return counted(len(self.rows), "item") + (f": {parts}" if parts else "")

    @property
    def reasons(self) -> tuple[tuple[str, int], ...]:
        """Why items failed, the most frequent reason first."""
        return tuple(Counter(row.launch.reason for row in self.failed).most_common())


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """``1 item``, ``1,200 items``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def summarise(lockfile: Lockfile, web_url: str | None = None) -> Summary:
    """Every item of the lockfile, also those that left the manifest, as a row. Links need the server's web pages."""
    link = partial(analysis_link, web_url, plain_text(lockfile.project))
    pipelines = {batch_id: _pipelines(batch) for batch_id, batch in lockfile.batches.items()}
    rows = [
        _row(reference, item, pipelines.get(item.batch_id or "", {}).get(reference), link)
        for reference, item in lockfile.items.items()
    ]
    rows.sort(key=lambda row: (row.state.rank, row.reference))
    counts = Counter(row.state for row in rows)
    batches = [_batch(batch_id, batch) for batch_id, batch in lockfile.batches.items()]
    batches.sort(key=lambda batch: (batch.submitted_at, batch.id))
    return Summary(
        name=plain_text(lockfile.name),
        project=plain_text(lockfile.project),
        server=plain_text(lockfile.server),
        rows=tuple(rows),
        batches=tuple(batches),
        counts={state: counts[state] for state in State if counts[state]},
    )


def _batch(batch_id: str, batch: LockedBatch) -> BatchRow:
    return BatchRow(plain_text(batch_id), _text(batch.status), plain_text(batch.submitted_at), batch.items)


def _pipelines(batch: LockedBatch) -> dict[str, object]:
    """The pipelines of a batch's launches by userReference, as far as the lockfile knows what was sent."""
    try:
        requests = sent_requests(batch.requests) if batch.requests else {}
    except ValueError:
        return {}
    return {reference: request.get("pipelineId") for reference, request in requests.items()}


def _row(reference: str, item: LockedItem, pipeline: object, link: _Link) -> Row:
    return Row(
        reference=plain_text(reference),
        kind=plain_text(item.kind),
        pipeline=_text(pipeline),
        adopted=item.adopted,
        removed=item.removed,
        launch=_launch(item, link),
        earlier=tuple(_launch(launch, link) for launch in reversed(item.previous)),
    )


def _launch(item: LockedItem, link: _Link) -> Launch:
    seen = partial(getattr, item.analysis)
    return Launch(
        state=state_of(item.status, seen("status", None)),
        creation=_text(item.status),
        message=_text(item.message),
        attempt=item.attempt,
        revision=plain_text(item.revision),
        batch_id=_text(item.batch_id),
        item_id=_text(item.item_id),
        analysis_id=_text(seen("id", None)),
        analysis_reference=_text(seen("reference", None)),
        analysis_status=_text(seen("status", None)),
        started=_text(seen("start_date", None)),
        ended=_text(seen("end_date", None)),
        link=link(_text(seen("id", None))),
    )


def _text(value: object) -> str | None:
    """A request is whatever was sent; only text is shown."""
    return plain_text(value) if isinstance(value, str) and value else None
