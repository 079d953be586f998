"""The Idempotency-Key header, rule by rule as the API describes it."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from manifest_runner.emulator.protocol.problems import Problem
from manifest_runner.emulator.store.database import open_store
from manifest_runner.emulator.store.idempotency import KeyedAnswers, Slot

WEEK = 7 * 24 * 3600


def test_a_replayed_post_answers_the_same_batch(client, make_item):
    first = client.post([make_item()], "key")
    again = client.post([make_item()], "key")
    assert (again.status_code, again.content) == (201, first.content)
    assert len(client.executed()) == 1


def test_a_replayed_answer_is_the_stored_one_even_when_the_batch_has_moved_on(client, make_item, clock):
    first = client.post([make_item()], "key")
    clock.advance(60)
    assert client.batch(first.json()["id"]).json()["job"]["status"] == "SUCCEEDED"
    assert client.post([make_item()], "key").json()["job"]["status"] == "INITIALIZED"


def test_without_a_key_every_post_is_executed(client, make_item):
    assert client.post([make_item()]).json()["id"] != client.post([make_item()]).json()["id"]
    assert len(client.executed()) == 2


def test_another_body_under_a_used_key_is_refused_and_not_executed(client, make_item):
    client.post([make_item("one")], "key")
    refused = client.post([make_item("two")], "key")
    assert refused.status_code == 422
    assert client.executed() == ["one"]


def test_bodies_are_compared_byte_by_byte(client):
    body = b'{"nextflowItems":[{"userReference":"a","pipelineId":"urn:p","analysisInput":{"inputs":[]}}]}'
    client.post(body, "key")
    assert client.post(body + b" ", "key").status_code == 422


def test_an_error_is_not_stored_so_the_key_stays_free(client, make_item):
    assert client.post([make_item("not/")], "key").status_code == 400
    assert client.post([make_item("good")], "key").status_code == 201


def test_a_key_belongs_to_one_user(client, other_user, make_item):
    client.post([make_item("one")], "key")
    assert other_user.post([make_item("two")], "key").status_code == 201
    assert len(client.executed()) == 2


def test_a_key_belongs_to_one_endpoint(client, make_item):
    client.post([make_item()], "key")
    client.project = str(uuid.uuid4())
    assert client.post([make_item()], "key").status_code == 201
    assert client.executed() == ["one"]


def test_a_key_is_honoured_for_a_week_and_then_executes_again(client, make_item, clock):
    first = client.post([make_item()], "key").json()["id"]
    clock.advance(WEEK - 1)
    assert client.post([make_item()], "key").json()["id"] == first
    clock.advance(1)
    assert client.post([make_item()], "key").json()["id"] != first
    assert len(client.executed()) == 2


def test_an_expired_key_may_come_with_another_body(start, make_item, clock):
    client = start(idempotency_ttl=10)
    client.post([make_item("one")], "key")
    clock.advance(10)
    assert client.post([make_item("two")], "key").status_code == 201
    assert client.post([make_item("one")], "key").status_code == 422


@pytest.mark.parametrize(("length", "status"), [(255, 201), (256, 400)])
def test_a_key_has_at_most_255_characters(client, make_item, length, status):
    assert client.post([make_item()], "k" * length).status_code == status


def test_while_a_request_is_in_progress_the_same_one_gets_409_and_another_body_422(tmp_path):
    slot = Slot("user", "/path", "key")
    with closing(open_store(tmp_path / "emulator.db")) as store:
        answers = KeyedAnswers(store, WEEK)
        with answers.holding(slot, b"body"):
            assert _status_of(answers, slot, b"body") == 409
            assert _status_of(answers, slot, b"other") == 422
        assert _status_of(answers, slot, b"body") is None


def _status_of(answers, slot, body):
    try:
        with answers.holding(slot, body):
            return None
    except Problem as problem:
        return problem.status


def test_of_many_posts_at_once_with_one_key_exactly_one_is_executed(start, make_item):
    client = start(latency=0.05)
    barrier = threading.Barrier(8)

    def post(_):
        barrier.wait()
        return client.post([make_item()], "key")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(post, range(8)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert len(client.executed()) == 1


def test_batches_and_items_have_the_same_ids_whenever_the_same_requests_are_made(start, tmp_path):
    def ids(name):
        client = start(database=tmp_path / name)
        batch = client.create("one", "two", key="key")
        return [batch, *(found["id"] for found in client.items(batch)["items"])]

    assert ids("a.db") == ids("b.db")
