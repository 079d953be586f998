"""Faults that a user requests: statuses and dropped connections, for the requests that were named."""

from __future__ import annotations

import pytest
import requests

from manifest_runner.emulator import EmulatorOptions, Fault, parse_fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("503:2", Fault("503", 2, 2)),
        (" 429:1-3 ", Fault("429", 1, 3)),
        ("drop-after:10@search", Fault("drop-after", 10, 10, "search")),
        ("drop-before:1-2@get", Fault("drop-before", 1, 2, "get")),
        ("500:1@post", Fault("500", 1, 1, "post")),
        ("403:1@token", Fault("403", 1, 1, "token")),
    ],
)
def test_a_fault_is_read(text, fault):
    assert parse_fault(text) == fault


@pytest.mark.parametrize("text", ["", "503", "503:0", "503:a", "418:1", "503:3-1", "503:1@put", "503:1-", "drop:1"])
def test_what_is_not_a_fault_is_explained(text):
    with pytest.raises(ValueError, match="is not a fault"):
        parse_fault(text)


def faulty(start, *texts, **options):
    return start(faults=tuple(map(parse_fault, texts)), **options)


@pytest.mark.parametrize("status", [409, 429, 500, 503])
def test_a_status_hits_the_nth_post_which_is_not_executed(start, make_item, status):
    client = faulty(start, f"{status}:2")
    answers = [client.post([make_item(name)], name) for name in ("one", "two", "three")]
    assert [answer.status_code for answer in answers] == [201, status, 201]
    assert answers[1].headers["content-type"] == "application/problem+json"
    assert client.executed() == ["one", "three"]


def test_a_range_hits_every_post_in_it_and_busy_statuses_say_when_to_come_back(start, make_item):
    client = faulty(start, "429:1-2", "503:3")
    answers = [client.post([make_item()], "key") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 429, 503, 201]
    assert [answer.headers.get("retry-after") for answer in answers] == ["1", "1", "1", None]


def test_a_connection_dropped_before_leaves_nothing_executed(start, make_item):
    client = faulty(start, "drop-before:1")
    with pytest.raises(requests.ConnectionError):
        client.post([make_item()], "key")
    assert client.executed() == []
    assert client.post([make_item()], "key").status_code == 201


def test_a_connection_dropped_after_leaves_the_post_executed_and_its_answer_stored(start, make_item):
    client = faulty(start, "drop-after:1")
    with pytest.raises(requests.ConnectionError):
        client.post([make_item()], "key")
    assert client.executed() == ["one"]
    assert client.post([make_item()], "key").status_code == 201
    assert client.executed() == ["one"]


def test_each_sort_of_request_is_counted_on_its_own(start, make_item):
    client = faulty(start, "500:1@get", "503:2@search", "409:2")
    batch = client.create("one")
    assert client.batch(batch).status_code == 500
    assert client.batch(batch).status_code == 200
    assert [client.search().status_code for _ in range(3)] == [200, 503, 200]
    assert client.post([make_item()]).status_code == 409


def test_the_exchange_of_a_key_and_an_abort_meet_faults_of_their_own(start, clock):
    client = faulty(start, "403:1@token", "503:1@abort")
    exchange = f"{client.api}/tokens"
    assert [client.session.post(exchange).status_code for _ in range(2)] == [403, 200]
    client.create("one")
    clock.advance(1)
    (analysis,) = client.search().json()["items"]
    assert [client.abort(analysis["id"]).status_code for _ in range(2)] == [503, 204]


def test_a_post_that_is_refused_counts_too(start, make_item):
    client = faulty(start, "503:2")
    assert client.post([make_item("a.b")]).status_code == 400
    assert client.post([make_item()]).status_code == 503


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": "0.0.0.0"},
        {"host": "example.org"},
        {"latency": -1},
        {"creation_delay": -0.1},
        {"fail_creation": "("},
        {"fail_analysis": "*"},
        {"abort_analysis": "["},
        {"search_lag": -1},
        {"token_lifetime": -1},
    ],
)
def test_options_that_make_no_sense_are_refused(tmp_path, wrong):
    with pytest.raises(ValueError):
        EmulatorOptions(database=tmp_path / "emulator.db", **wrong)


def test_the_key_does_not_show_in_the_options(tmp_path):
    assert "secret" not in repr(EmulatorOptions(database=tmp_path / "emulator.db", api_key="secret"))
