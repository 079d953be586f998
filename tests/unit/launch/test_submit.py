"""Sending batches: the journal is written before the POST, and again after the answer."""

from __future__ import annotations

import pytest
from launch.desk import BATCH

from manifest_runner.errors import BadState, KeyReused, Refused, Unreachable
from manifest_runner.ica.model import Batch


def test_a_batch_is_in_the_journal_before_it_is_sent(desk):
    seen = []
    desk.api.create_batch = lambda key, body, *_checks: seen.append(desk.pending) or Batch("b-1", None)
    desk.submit(BATCH, stamped=True)
    assert seen == [[BATCH.key]]
    assert desk.pending == []
    assert {item.batch_id for item in desk.lockfile.items.values()} == {"b-1"}


def test_the_bytes_of_a_batch_are_dropped_once_it_is_in_the_lockfile(desk):
    desk.submit(BATCH, stamped=True)
    assert [answer.post.body for answer in desk.journal.answers] == [b""]


def test_what_cannot_be_journaled_is_not_sent(desk):
    desk.path.mkdir()
    with pytest.raises(BadState):
        desk.submit(BATCH, stamped=True)
    assert desk.api.posts == []
    desk.path.rmdir()


@pytest.mark.parametrize(
    ("error", "stays"),
    [
        (Unreachable("lost"), True),
        (Refused("no", status=400), False),
        (Refused("no", status=401), False),
        (Refused("no", status=401, maybe_executed=True), True),
        (KeyReused("no", status=422), False),
        (KeyboardInterrupt(), True),
    ],
    ids=repr,
)
def test_a_batch_stays_in_the_journal_while_it_may_exist(desk, error, stays):
    desk.api.create_batch = lambda key, body, *_checks: (_ for _ in ()).throw(error)
    with pytest.raises(type(error)):
        desk.submit(BATCH, stamped=True)
    assert desk.pending == ([BATCH.key] if stays else [])
    assert desk.lockfile.items == {}
