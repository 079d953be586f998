"""Paging by cursor and by offset, the status filter, and what is wrong with bad parameters."""

from __future__ import annotations

import pytest

REFERENCES = [f"item-{n:02}" for n in range(25)]


@pytest.fixture(name="batch")
def _batch(client):
    return client.create(*REFERENCES)


def names(page):
    return [found["request"]["userReference"] for found in page["items"]]


def test_cursor_paging_gives_every_item_once_and_counts_down(client, batch):
    token, seen, remaining = "", [], []
    while token or not seen:
        page = client.items(batch, pageSize=10, pageToken=token)
        seen += names(page)
        remaining.append(page["remainingRecords"])
        token = page["nextPageToken"]
    assert sorted(seen) == REFERENCES
    assert remaining == [15, 5, 0]


def test_a_page_that_is_just_full_is_the_last(client, batch):
    page = client.items(batch, pageSize=25)
    assert (len(page["items"]), page["nextPageToken"], page["remainingRecords"]) == (25, "", 0)


def test_only_offset_paging_has_a_total_and_only_cursor_paging_has_the_rest(client, batch):
    by_offset = client.items(batch, pageSize=10, pageOffset=0)
    assert (by_offset["totalItemCount"], by_offset["remainingRecords"], by_offset["nextPageToken"]) == (25, None, "")
    token = client.items(batch, pageSize=10)["nextPageToken"]
    by_cursor = client.items(batch, pageSize=10, pageToken=token)
    assert (by_cursor["totalItemCount"], by_cursor["remainingRecords"]) == (None, 5)


def test_offset_paging_gives_every_item_once_and_nothing_beyond_the_end(client, batch):
    pages = [client.items(batch, pageSize=10, pageOffset=offset) for offset in (0, 10, 20, 30)]
    assert sorted([name for page in pages for name in names(page)]) == REFERENCES
    assert [len(page["items"]) for page in pages] == [10, 10, 5, 0]


def test_a_page_has_at_most_a_thousand_items(client):
    page = client.items(client.create(*(f"item-{n}" for n in range(1001))), pageSize=5000)
    assert len(page["items"]) == 1000
    assert page["remainingRecords"] == 1


@pytest.mark.parametrize(
    "query",
    [
        {"pageSize": "0"},
        {"pageSize": "ten"},
        {"pageSize": "-1"},
        {"pageOffset": "-1"},
        {"pageOffset": "200000"},
        {"pageToken": "nonsense"},
        {"pageToken": "bnVsbA=="},
        {"pageToken": "", "pageOffset": "0"},
        {"status": "PENDING"},
    ],
)
def test_a_bad_parameter_is_named(client, batch, query):
    answer = client.get(f"analysisCreationBatch/{batch}/items", **query)
    assert answer.status_code == 400
    assert set(answer.json()["parameters"]) & set(query)


@pytest.mark.parametrize("wanted", [["SUCCEEDED", "FAILED"], "SUCCEEDED,FAILED"], ids=["repeated", "commas"])
def test_the_status_filter_takes_repeated_and_comma_separated_values(start, clock, wanted):
    client = start(fail_creation="-1")
    batch = client.create(*REFERENCES)
    assert names(client.items(batch, status=wanted)) == []
    clock.advance(1)
    assert sorted(names(client.items(batch, status=wanted))) == REFERENCES
    assert len(names(client.items(batch, status="FAILED"))) == 10


def test_the_status_filter_counts_only_what_it_lets_through(start, clock):
    client = start(fail_creation="-1")
    batch = client.create(*REFERENCES)
    clock.advance(1)
    assert client.items(batch, status="FAILED", pageOffset=0)["totalItemCount"] == 10
    assert client.items(batch, status="FAILED", pageSize=3)["remainingRecords"] == 7


def test_the_filter_follows_items_through_their_statuses(client, batch, clock):
    clock.advance(0.75)
    parts = {
        status: names(client.items(batch, status=status))
        for status in ("WAITING_RESOURCES", "RUNNING", "SUCCEEDED", "FAILED")
    }
    assert sorted([name for part in parts.values() for name in part]) == REFERENCES
    assert parts["RUNNING"]
    assert parts["SUCCEEDED"]
