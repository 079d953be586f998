"""Create batches: from a request's body to rows and the answer, in one transaction."""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import Any

import orjson

from manifest_runner.emulator.outcomes.admission import Admission
from manifest_runner.emulator.outcomes.details import ANALYSES, Details, mappings, write_details
from manifest_runner.emulator.outcomes.rules import Rules
from manifest_runner.emulator.protocol.identifiers import derive, derive_within
from manifest_runner.emulator.protocol.wire_rules import KINDS, read_batch
from manifest_runner.emulator.store.database import (
    NewItem,
    StoredBatch,
    add_batch,
    count_batches,
    count_launch,
    transaction,
)
from manifest_runner.emulator.store.idempotency import Answer, KeyedAnswers, Slot
from manifest_runner.emulator.store.places import add_places
from manifest_runner.emulator.store.timetable import Fate, settled_at
from manifest_runner.emulator.views.analyses import batch_view


class Creator:
    """Executes the POSTs that create batches; those with a key at most once while the key lives."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        answers: KeyedAnswers,
        delay: float,
        rules: Rules,
        admission: Admission,
    ) -> None:
        self._connection = connection
        self._answers = answers
        self._delay = delay
        self._rules = rules
        self._admission = admission

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
        requests = [(KINDS[field], request) for field, requests in content.items() for request in requests]
        items = [
            self._item(batch, project, index, kind, request, now) for index, (kind, request) in enumerate(requests)
        ]
        row = StoredBatch(
            id=batch,
            project=project,
            owner=owner,
            created=now,
            done=now + self._delay,
            size=len(items),
            failing=sum(item.fate == Fate.CREATION_FAILS for item in items),
        )
        add_batch(self._connection, row, items)
        return Answer(201, orjson.dumps(batch_view(row, now)))

    def _item(self, batch: str, project: str, index: int, kind: str, request: dict[str, Any], now: float) -> NewItem:
        item = derive_within(batch, "item", str(index))
        analysis = derive_within(batch, "analysis", str(index))
        reference = request["userReference"]
        details = self._details(project, request)
        count = partial(count_launch, self._connection, project, reference)
        course = self._rules.course(project, request["pipelineId"], reference, count)
        add_places(self._connection, ((*each.target, analysis) for each in details.outputs))
        tags = request.get("tags") or {}
        return NewItem(
            item,
            analysis,
            settled_at(now, self._delay, item),
            Fate.CREATION_FAILS if details.problem else course.fate,
            kind,
            reference,
            request["pipelineId"],
            _tags(tags.get("technicalTags")),
            _tags(tags.get("userTags")),
            _tags(tags.get("referenceTags")),
            course.duration,
            course.launch,
            write_details(details),
        )

    def _details(self, project: str, request: dict[str, Any]) -> Details:
        return Details(
            form=request.get("inputFormValues"),
            problem=self._admission.problem(project, request),
            parent=self._admission.path(project, request.get("outputParentFolderId")) or ANALYSES,
            outputs=mappings(request.get("analysisOutput")),
        )


def _tags(tags: list[str | None] | None) -> str:
    return orjson.dumps([tag for tag in tags if tag is not None]).decode() if tags else "[]"
