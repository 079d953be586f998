"""Sending batches: the journal is written before the POST, and again after the answer."""

from __future__ import annotations

import pytest
from launch.launch_lab import BATCH

from manifest_runner.errors import BadState, KeyReused, Refused, Unreachable
from manifest_runner.ica.model import Batch


def test_a_batch_is_in_the_journal_before_it_is_sent(lab):
    seen = []
    lab.api.create_batch = lambda key, body, *_checks: seen.append(lab.pending) or Batch("b-1", None)
    lab.submit(BATCH, stamped=True)
    assert seen == [[BATCH.key]]
    assert lab.pending == []
    assert {item.batch_id for item in lab.lockfile.items.values()} == {"b-1"}


def test_the_bytes_of_a_batch_are_dropped_once_it_is_in_the_lockfile(lab):
    lab.submit(BATCH, stamped=True)
    assert [answer.post.body for answer in lab.journal.answers] == [b""]


def test_what_cannot_be_journaled_is_not_sent(lab):
    lab.path.mkdir()
    with pytest.raises(BadState):
        lab.submit(BATCH, stamped=True)
    assert lab.api.posts == []
    lab.path.rmdir()


@pytest.mark.parametrize(
    ("error", "stays"),
    [
        (Unreachable("lost"), True),
        (Refused("no", status=400), False),
        (Refused("no", status=401), False),
        (Refused("no", status=401, maybe_executed=True), True),
        (KeyReused("no", status=422), False),
        (KeyReused("no", status=422, maybe_executed=True), True),
        (KeyboardInterrupt(), True),
    ],
    ids=repr,
)
def test_a_batch_stays_in_the_journal_while_it_may_exist(lab, error, stays):
    lab.api.create_batch = lambda key, body, *_checks: (_ for _ in ()).throw(error)
    with pytest.raises(type(error)):
        lab.submit(BATCH, stamped=True)
    assert lab.pending == ([BATCH.key] if stays else [])
    assert lab.lockfile.items == {}
