"""Creating batches: from a request's body to rows, and the answer to it, in one transaction."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import orjson

from manifest_runner.emulator.options import EmulatorOptions
from manifest_runner.emulator.protocol.identifiers import derive, derive_within
from manifest_runner.emulator.protocol.wire_rules import KINDS, read_batch
from manifest_runner.emulator.store.database import BatchRow, NewItem, add_batch, count_batches, transaction
from manifest_runner.emulator.store.idempotency import Answer, KeyedAnswers, Slot
from manifest_runner.emulator.store.timetable import Fate, settled_at
from manifest_runner.emulator.views.analyses import batch_view


class Creator:
    """Executes the POSTs that create batches, those with a key at most once for as long as keys live."""

    def __init__(self, connection: sqlite3.Connection, answers: KeyedAnswers, options: EmulatorOptions) -> None:
        self._connection = connection
        self._answers = answers
        self._options = options

    def create(self, owner: str, project: str, body: bytes, now: float) -> Answer:
        """Execute a request without a key. Raises Problem 400."""
        content = read_batch(body)
        with transaction(self._connection):
            name = f"number {count_batches(self._connection)}"
            return self._store(derive("batch", owner, project, name), owner, project, content, now)

    def create_once(self, slot: Slot, project: str, body: bytes, now: float) -> Answer:
        """Execute a request with a key, unless it is answered already. Raises Problem 400 and 422."""
        if known := self._answers.find(slot, body, now):
            return known
        content = read_batch(body)
        with transaction(self._connection):
            # Another process can have answered while this one waited for the lock.
            if known := self._answers.find(slot, body, now):
                return known
            name = f"key {slot.key} {self._answers.uses(slot)}"
            answer = self._store(derive("batch", slot.owner, project, name), slot.owner, project, content, now)
            self._answers.keep(slot, body, answer, now)
            return answer

    def _store(self, batch: str, owner: str, project: str, content: dict[str, Any], now: float) -> Answer:
        items = list(self._rows(batch, content, now))
        row = BatchRow(
            id=batch,
            project=project,
            owner=owner,
            created=now,
            done=now + self._options.creation_delay,
            size=len(items),
            failing=sum(item.fate == Fate.CREATION_FAILS for item in items),
        )
        add_batch(self._connection, row, items)
        return Answer(201, orjson.dumps(batch_view(row, now)))

    def _rows(self, batch: str, content: dict[str, Any], now: float) -> Iterator[NewItem]:
        delay = self._options.creation_delay
        requests = ((KINDS[field], request) for field, requests in content.items() for request in requests)
        for index, (kind, request) in enumerate(requests):
            item = derive_within(batch, "item", str(index))
            reference = request["userReference"]
            tags = request.get("tags") or {}
            yield NewItem(
                item,
                derive_within(batch, "analysis", str(index)),
                settled_at(now, delay, item),
                _fate(self._options, reference),
                kind,
                reference,
                request["pipelineId"],
                _tags(tags.get("technicalTags")),
                _tags(tags.get("userTags")),
                _tags(tags.get("referenceTags")),
                self._options.analysis_duration,
                0,
                None,
            )


def _fate(options: EmulatorOptions, user_reference: str) -> Fate:
    if options.fail_creation is not None and _expression(options.fail_creation).search(user_reference):
        return Fate.CREATION_FAILS
    if options.fail_analysis is not None and _expression(options.fail_analysis).search(user_reference):
        return Fate.ANALYSIS_FAILS
    if options.abort_analysis is not None and _expression(options.abort_analysis).search(user_reference):
        return Fate.ANALYSIS_IS_ABORTED
    return Fate.SUCCEEDS


@lru_cache(maxsize=4)
def _expression(text: str) -> re.Pattern[str]:
    return re.compile(text)


def _tags(tags: list[str | None] | None) -> str:
    return orjson.dumps([tag for tag in tags if tag is not None]).decode() if tags else "[]"
