"""Summarize a lockfile as counts and ordered rows, failed ones first: the facts in every format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import partial
from statistics import median

import msgspec

from manifest_runner.lockfile.model import LockedBatch, Lockfile
from manifest_runner.lockfile.requests import sent_requests
from manifest_runner.report.rows import Row, make_row, shown_text
from manifest_runner.report.source import analysis_link
from manifest_runner.report.states import State, Tone
from manifest_runner.report.times import shown_duration
from manifest_runner.text import counted, plain_text
from manifest_runner.timestamps import moment, moment_or_first


class BatchRow(msgspec.Struct, frozen=True):
    """One POST; ``items`` is the number of its items, including those launched again since."""

    id: str
    status: str | None
    submitted_at: str
    items: int


class Summary(msgspec.Struct, frozen=True):
    """``rows`` by state, then by reference; ``batches`` oldest first; ``counts`` of the states that occur, in order.

    ``as_of`` is the newest time in the lockfile; its data is at least that recent. None if it has no times.
    """

    name: str
    project: str
    server: str
    rows: tuple[Row, ...]
    batches: tuple[BatchRow, ...]
    counts: Mapping[State, int]
    as_of: str | None

    def total(self, tone: Tone) -> int:
        return sum(count for state, count in self.counts.items() if state.tone == tone)

    @property
    def expected(self) -> int:
        """The number of the manifest's items in the lockfile."""
        return len(self.rows) - self.total("removed")

    @property
    def failed(self) -> tuple[Row, ...]:
        return self.rows[: self.total("failed")]

    @property
    def in_words(self) -> str:
        """``24 items: 2 not created, 22 succeeded``."""
        parts = ", ".join(f"{count:,} {state.count_word}" for state, count in self.counts.items())
        return counted(len(self.rows), "item") + (f": {parts}" if parts else "")

    @property
    def verdict(self) -> str:
        """The result in one line: ``105 of 1,000 failed, 89.5% succeeded, median 16 s``."""
        if not self.expected:
            return "Nothing launched yet" if not self.rows else "No items left in the manifest"
        return ", ".join(_verdict(self))

    @property
    def prices(self) -> dict[str, Decimal]:
        """The sum of all known prices, earlier launches included, by currency."""
        sums: dict[str, Decimal] = {}
        for price in (launch.price for row in self.rows for launch in (row.launch, *row.earlier)):
            if price and (amount := price.number) is not None:
                sums[price.currency] = sums.get(price.currency, Decimal(0)) + amount
        return dict(sorted(sums.items()))

    @property
    def output_codes(self) -> list[str]:
        return sorted({code for row in self.rows for code in row.launch.outputs})


def summarise(lockfile: Lockfile, web_url: str | None = None) -> Summary:
    """Every item of the lockfile as a row, including removed ones. Links need the server's web pages."""
    link = partial(analysis_link, web_url, plain_text(lockfile.project))
    pipelines = {batch_id: _pipelines(batch) for batch_id, batch in lockfile.batches.items()}
    rows = [
        make_row(reference, item, pipelines.get(item.batch_id or "", {}).get(reference), link)
        for reference, item in lockfile.items.items()
    ]
    rows.sort(key=lambda row: (row.state.rank, row.reference))
    counts = Counter(row.state for row in rows)
    batches = [_batch(batch_id, batch) for batch_id, batch in lockfile.batches.items()]
    batches.sort(key=lambda batch: (moment_or_first(batch.submitted_at), batch.id))
    return Summary(
        name=plain_text(lockfile.name),
        project=plain_text(lockfile.project),
        server=plain_text(lockfile.server),
        rows=tuple(rows),
        batches=tuple(batches),
        counts={state: counts[state] for state in State if counts[state]},
        as_of=_as_of(lockfile),
    )


def _verdict(summary: Summary) -> Iterator[str]:
    failed, unfinished, good, accepted = (summary.total(tone) for tone in ("failed", "open", "succeeded", "accepted"))
    if failed:
        yield f"{failed:,} of {summary.expected:,} failed"
    if unfinished:
        yield f"{unfinished:,} not finished" if failed else f"{unfinished:,} of {summary.expected:,} not finished"
    if good == summary.expected:
        yield f"All {good:,} succeeded" if good > 1 else "1 item succeeded"
    else:
        yield f"{_percent(good, summary.expected)} succeeded"
    if accepted:
        yield f"{accepted:,} failed and accepted"
    times = [row.launch.seconds for row in summary.rows if row.state is State.SUCCEEDED]
    known = [seconds for seconds in times if seconds is not None]
    if len(known) > 1:
        yield f"median {shown_duration(median(known))}"


def _percent(part: int, whole: int) -> str:
    """Rounded down, so that only all of them are 100%."""
    return f"{part * 1000 // whole / 10:g}%"


def _batch(batch_id: str, batch: LockedBatch) -> BatchRow:
    return BatchRow(plain_text(batch_id), shown_text(batch.status), plain_text(batch.submitted_at), batch.items)


def _pipelines(batch: LockedBatch) -> dict[str, object]:
    """The pipelines of a batch's launches by userReference, if the lockfile has the requests."""
    try:
        requests = sent_requests(batch.requests) if batch.requests else {}
    except ValueError:
        return {}
    return {reference: request.head.pipeline_id for reference, request in requests.items()}


def _as_of(lockfile: Lockfile) -> str | None:
    texts: list[str | None] = [batch.submitted_at for batch in lockfile.batches.values()]
    for item in lockfile.items.values():
        texts.append(item.abort_requested_at)
        texts += [item.analysis.start_date, item.analysis.end_date] if item.analysis else []
    times = [time for time in map(moment, texts) if time]
    return max(times).isoformat(timespec="seconds").replace("+00:00", "Z") if times else None
