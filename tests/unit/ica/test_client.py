"""What the client sends, and how it handles each kind of answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest
import responses
from requests import exceptions as http

from manifest_runner import __version__
from manifest_runner.errors import KeyReused, Refused, Unreachable, UsageProblem
from manifest_runner.ica.client import Client
from manifest_runner.ica.connection.caller import MAX_PAGES, NOBODYS_BATCH
from manifest_runner.ica.connection.config import Credential
from manifest_runner.ica.connection.retry import Deadline
from manifest_runner.ica.model import Analysis, Batch, BatchItem

SECRET = "s3cr3t-k3y-0123456789"
SERVER = "https://ica.example/ica/rest"
PROJECT = f"{SERVER}/api/projects/p-1"
BATCHES = f"{PROJECT}/analysisCreationBatch"
ITEMS = f"{BATCHES}/b-1/items"
SEARCH = f"{PROJECT}/analysis:search"
V3 = "application/vnd.illumina.v3+json"
V4 = "application/vnd.illumina.v4+json"


@dataclass
class Clock:
    """Time passes only in sleep, which is remembered."""

    now: float = 0.0
    pauses: list[float] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def make(clock):
    """A maker of clients with a timeout; each is closed in the end."""
    clients = []

    def new(timeout=3600.0, credential=None, server=SERVER, **options):
        client = Client(
            server,
            credential or Credential("Authorization", f"Bearer {SECRET}", "ICAV2_ACCESS_TOKEN"),
            "p-1",
            deadline=Deadline.after(timeout, clock.read),
            notify=clock.lines.append,
            sleep=clock.sleep,
            jitter=lambda: 0.0,
            env={},
            **options,
        )
        clients.append(client)
        return client

    yield new
    for client in clients:
        client.close()


@pytest.fixture
def client(make):
    return make()


@pytest.fixture
def ica():
    """Answers in the order in which they are added; an unused one fails the test."""
    registry = responses.registries.OrderedRegistry
    with responses.RequestsMock(registry=registry) as mock:
        yield mock


def created(ica, batch_id="b-1"):
    ica.post(BATCHES, status=201, json={"id": batch_id, "job": {"status": "INITIALIZED"}})


def item(item_id="i-1", **more):
    return {
        "id": item_id,
        "request": {"userReference": "NA12878"},
        "processing": {"status": "RUNNING"},
        **more,
    }


def sent(ica, number=-1):
    return ica.calls[number].request


# What time it is

MIDNIGHT = 1_795_392_000.0
DATE = {"Date": "Mon, 23 Nov 2026 00:00:00 GMT"}


@pytest.mark.parametrize("ours", [MIDNIGHT - 86400, MIDNIGHT, MIDNIGHT + 86400])
def test_the_servers_time_comes_from_its_answers_and_the_clock_that_is_behind_counts(ica, make, clock, ours):
    clock.now = ours
    client = make(clock=clock.read)
    ica.post(BATCHES, status=503, headers=DATE)
    created(ica)
    assert (client.now(), client.server_now()) == (ours, None)
    client.create_batch("k", b"{}")
    assert client.server_now() == MIDNIGHT + clock.pauses[0]
    assert client.now() == min(client.server_now(), clock.now)


@pytest.mark.parametrize("date", [{}, {"Date": "yesterday"}, {"Date": "Mon, 23 Nov 99999999 00:00:00 GMT"}])
def test_without_a_date_that_can_be_read_the_time_is_ours(ica, make, clock, date):
    ica.get(f"{BATCHES}/b-1", json={"id": "b-1"}, headers=date)
    client = make(clock=clock.read)
    client.get_batch("b-1")
    assert (client.now(), client.server_now()) == (clock.now, None)


@pytest.mark.parametrize("status", [200, 403, 404, 503])
def test_any_answer_shows_the_time(ica, make, clock, status):
    ica.get(f"{BATCHES}/{NOBODYS_BATCH}", status=status, json={}, headers=DATE)
    client = make(clock=clock.read)
    client.ask_time()
    assert (client.server_now(), len(ica.calls)) == (MIDNIGHT, 1)


# What is sent


def test_a_batch_is_posted_as_the_very_bytes_under_its_key(ica, client):
    created(ica)
    body = b'{"nextflowItems":[{"userReference":"\xc3\xa4"}]}'
    assert client.create_batch("mr1-abc", body) == Batch("b-1", "INITIALIZED")
    request = sent(ica)
    assert request.body == body
    assert request.headers["Idempotency-Key"] == "mr1-abc"
    assert request.headers["Content-Type"] == request.headers["Accept"] == V3
    assert request.headers["User-Agent"] == f"manifest-runner/{__version__}"


@pytest.mark.parametrize(("header", "value"), [("X-API-Key", SECRET), ("Authorization", f"Bearer {SECRET}")])
def test_the_credential_goes_into_its_one_header(ica, make, header, value):
    if header == "X-API-Key":
        ica.post(f"{SERVER}/api/tokens", status=404)
    created(ica)
    make(credential=Credential(header, value, "x")).create_batch("k", b"{}")
    headers = sent(ica).headers
    assert headers[header] == value
    assert len({"X-API-Key", "Authorization"} & set(headers)) == 1


def test_netrc_is_never_read(ica, client, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine ica.example login me password you\n")
    monkeypatch.setenv("NETRC", str(netrc))
    created(ica)
    client.create_batch("k", b"{}")
    assert sent(ica).headers["Authorization"] == f"Bearer {SECRET}"


def test_items_are_read_with_version_4_and_batches_with_version_3(ica, client):
    ica.get(f"{BATCHES}/b-1", json={"id": "b-1"})
    ica.get(f"{ITEMS}/i-1", json=item())
    ica.get(f"{PROJECT}/analyses/a-1", json={"id": "a-1", "status": "SUCCEEDED"})
    assert client.get_batch("b-1") == Batch("b-1", None)
    assert client.get_item("b-1", "i-1") == BatchItem("i-1", "NA12878", "RUNNING", None, None)
    assert client.get_analysis("a-1") == Analysis("a-1", None, "SUCCEEDED")
    assert [call.request.headers["Accept"] for call in ica.calls] == [V3, V4, V4]


@pytest.mark.parametrize(
    "refusal",
    [
        {"status": 406},
        {"status": 400, "json": {"title": "ICA_API_004", "detail": "Invalid Accept Header"}},
        {"status": 400, "body": "<html>what?</html>"},
    ],
)
def test_a_server_without_version_4_is_asked_for_3_and_that_is_remembered(ica, client, refusal):
    ica.get(f"{ITEMS}/i-1", **refusal)
    ica.get(f"{ITEMS}/i-1", json=item())
    ica.get(f"{PROJECT}/analyses/a-1", json={"id": "a-1", "status": "INPROGRESS"})
    client.get_item("b-1", "i-1")
    client.get_analysis("a-1")
    assert [call.request.headers["Accept"] for call in ica.calls] == [V4, V3, V3]


@pytest.mark.parametrize("status", [400, 406])
def test_a_server_that_serves_neither_version_refuses_and_is_asked_for_4_again(ica, client, status):
    for answer in ({"status": status}, {"status": status}, {"json": item()}):
        ica.get(f"{ITEMS}/i-1", **answer)
    with pytest.raises(Refused, match=str(status)):
        client.get_item("b-1", "i-1")
    client.get_item("b-1", "i-1")
    assert [call.request.headers["Accept"] for call in ica.calls] == [V4, V3, V4]


def test_a_server_without_version_3_refuses_with_its_answer_to_version_4(ica, client):
    ica.get(f"{ITEMS}/i-1", status=400, json={"detail": "no such filter"})
    ica.get(f"{ITEMS}/i-1", status=406)
    with pytest.raises(Refused, match="no such filter") as caught:
        client.get_item("b-1", "i-1")
    assert caught.value.status == 400


def test_a_search_names_only_what_restricts_it(ica, client):
    ica.post(SEARCH, json={"items": [{"id": "a-1", "status": "REQUESTED"}]})
    assert list(client.search_analyses(technical_tags=("t=1",))) == [Analysis("a-1", None, "REQUESTED")]
    request = sent(ica)
    assert json.loads(request.body) == {"technicalTags": ["t=1"]}
    assert request.headers["Content-Type"] == request.headers["Accept"] == V3


def test_an_abort_needs_no_body_in_either_direction(ica, client):
    ica.post(f"{PROJECT}/analyses/a-1:abort", status=204)
    assert client.abort_analysis("a-1") is None
    assert sent(ica).body is None


@pytest.mark.parametrize("odd", ["", ".", ".."])
def test_an_id_never_climbs_to_another_path(client, odd):
    with pytest.raises(UsageProblem):
        client.abort_analysis(odd)


def test_an_id_of_a_user_stays_one_segment_of_the_path(ica, client):
    ica.get(f"{BATCHES}/a%2F..%3Fb", status=404)
    with pytest.raises(Refused, match=r"no batch a/\.\.\?b"):
        client.get_batch("a/..?b")


# Trying again


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 599])
def test_a_busy_server_is_asked_again_with_the_same_bytes_and_key(ica, client, clock, status):
    for _ in range(4):
        ica.post(BATCHES, status=status)
    created(ica)
    assert client.create_batch("k", b"[1]").id == "b-1"
    assert clock.pauses == [0.5, 2, 10, 30]
    assert {(call.request.body, call.request.headers["Idempotency-Key"]) for call in ica.calls} == {(b"[1]", "k")}


def test_each_pause_is_reported_in_one_line(ica, client, clock):
    ica.post(BATCHES, status=503)
    created(ica)
    client.create_batch("k", b"{}")
    assert clock.lines == ["ICA answered 503: Service Unavailable; trying again in 0.5 s"]


def test_after_the_last_try_the_server_counts_as_unreachable(ica, client, clock):
    for _ in range(5):
        ica.post(BATCHES, status=500, json={"title": "Oops", "detail": "on fire", "parameters": {}})
    with pytest.raises(Unreachable, match=r"500: Oops: on fire \(5 tries\).*safe to repeat"):
        client.create_batch("k", b"{}")
    assert len(clock.pauses) == 4


@pytest.mark.parametrize(
    "answer",
    [
        {"body": "<html>Welcome to the hotel</html>", "content_type": "text/html"},
        {"body": '{"id": "b-'},
        {"body": ""},
        {"body": "null"},
        {"body": '"b-1"'},
        {"json": {"job": {}}},
        {"json": {"id": 5}},
        {"json": {"id": ""}},
        {"json": {"id": "../../other"}},
        {"body": "[" * 100_000},
        {"body": b'{"id": "\xff"}'},
    ],
)
def test_an_answer_that_cannot_be_read_is_asked_for_again(ica, client, clock, answer):
    ica.post(BATCHES, status=200, **answer)
    created(ica)
    assert client.create_batch("k", b"{}").id == "b-1"
    assert clock.pauses == [0.5]


@pytest.mark.parametrize("job", [None, {}, [], {"status": None}, {"status": 5}])
def test_an_odd_job_does_not_lose_a_launched_batch(ica, client, job):
    ica.post(BATCHES, status=201, json={"id": "b-1", "job": job})
    assert client.create_batch("k", b"{}") == Batch("b-1", None)


def test_retry_after_replaces_the_schedule(ica, client, clock):
    ica.post(BATCHES, status=429, headers={"Retry-After": "7"})
    ica.post(BATCHES, status=503, headers={"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"})
    created(ica)
    client.create_batch("k", b"{}")
    assert clock.pauses == [7, 0.5]


def test_a_retry_after_that_is_a_date_is_by_the_server_s_clock(ica, client, clock):
    dates = {"Date": "Fri, 01 Jan 2100 00:00:00 GMT", "Retry-After": "Fri, 01 Jan 2100 00:00:07 GMT"}
    ica.post(BATCHES, status=429, headers=dates)
    created(ica)
    client.create_batch("k", b"{}")
    (pause,) = clock.pauses
    assert 0 < pause <= 7


def test_a_retry_after_beyond_the_deadline_ends_at_once(ica, make, clock):
    ica.post(BATCHES, status=503, headers={"Retry-After": "120"})
    with pytest.raises(Unreachable, match="after the end of --timeout"):
        make(timeout=60).create_batch("k", b"{}")
    assert clock.pauses == []


def test_nothing_is_sent_after_the_deadline(ica, make):
    with pytest.raises(Unreachable, match="--timeout"):
        make(timeout=0).create_batch("k", b"{}")
    assert len(ica.calls) == 0


def test_a_rate_limit_is_final_where_the_user_wants_that(ica, make, clock):
    ica.post(BATCHES, status=429)
    with pytest.raises(Unreachable, match="429"):
        make(retry_rate_limits=False).create_batch("k", b"{}")
    assert clock.pauses == []


def test_a_conflict_waits_for_the_first_post_however_long(ica, client, clock):
    for _ in range(30):
        ica.post(BATCHES, status=409)
    created(ica)
    assert client.create_batch("k", b"{}").id == "b-1"
    assert len(clock.pauses) == 30


def test_a_conflict_that_outlasts_the_deadline_ends_as_unreachable(ica, make, clock):
    for _ in range(6):
        ica.post(BATCHES, status=409, json={"title": "Still working"})
    with pytest.raises(Unreachable, match="Still working"):
        make(timeout=15).create_batch("k", b"{}")
    assert clock.now == 12.5


def test_a_conflict_of_an_abort_is_a_refusal(ica, client):
    ica.post(f"{PROJECT}/analyses/a-1:abort", status=409, json={"title": "Has ended"})
    with pytest.raises(Refused, match="Has ended"):
        client.abort_analysis("a-1")


def test_reading_is_tried_again_too(ica, client, clock):
    ica.get(ITEMS, status=502)
    ica.get(ITEMS, json={"items": [item()]})
    assert len(list(client.list_items("b-1"))) == 1
    assert clock.pauses == [0.5]


# Refusals


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 407, 410, 413, 415, 418, 431, 451])
def test_a_refusal_is_not_tried_again(ica, client, status):
    problem = {"title": "No.", "detail": "It is not so", "parameters": {"field": "items[3]"}}
    ica.post(BATCHES, status=status, json=problem)
    with pytest.raises(Refused, match=rf"{status}: No.: It is not so \[field=items\[3\]\]") as caught:
        client.create_batch("k", b"{}")
    assert caught.value.status == status
    assert not caught.value.maybe_executed


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "ICAV2_ACCESS_TOKEN is wrong or has expired"),
        (403, "ICAV2_ACCESS_TOKEN lacks a permission in project p-1"),
        (404, f"Project p-1 does not exist on {SERVER}, .*must be given by its id, a UUID, not by its name"),
        (413, "Lower batchSize"),
    ],
)
def test_a_refusal_says_what_to_do(ica, client, status, words):
    ica.post(BATCHES, status=status, body="<html>no problem document</html>")
    with pytest.raises(Refused, match=words):
        client.create_batch("k", b"{}")


def test_a_missing_batch_is_named(ica, client):
    ica.get(f"{BATCHES}/b-1", status=404)
    with pytest.raises(Refused, match="There is no batch b-1 there, or project p-1 does not exist"):
        client.get_batch("b-1")


def test_a_key_that_was_used_for_other_bytes_is_a_refusal_of_its_own(ica, client):
    ica.post(BATCHES, status=422, json={"title": "Key reused"})
    with pytest.raises(KeyReused, match=r"Key reused.*another body") as caught:
        client.create_batch("k", b"{}")
    assert caught.value.status == 422


def test_a_422_without_a_key_is_a_plain_refusal(ica, client):
    ica.post(SEARCH, status=422)
    with pytest.raises(Refused) as caught:
        list(client.search_analyses())
    assert type(caught.value) is Refused


@pytest.mark.parametrize("status", [400, 401, 403, 404, 407, 413, 422])
@pytest.mark.parametrize(
    "first",
    [{"status": 500}, {"status": 200, "body": "?"}, {"status": 409}, {"body": http.ReadTimeout()}],
    ids=["500", "unreadable", "409", "timeout"],
)
def test_a_refusal_after_a_lost_try_may_hide_a_launch(ica, client, first, status):
    ica.post(BATCHES, **first)
    ica.post(BATCHES, status=status)
    with pytest.raises(Refused) as caught:
        client.create_batch("k", b"{}")
    assert caught.value.maybe_executed


@pytest.mark.parametrize(
    ("first", "status"),
    [
        ({"status": 429}, 401),
        ({"status": 429}, 422),
        ({"body": http.ConnectTimeout()}, 401),
    ],
)
def test_a_refusal_that_rules_out_a_launch_says_so(ica, client, first, status):
    ica.post(BATCHES, **first)
    ica.post(BATCHES, status=status)
    with pytest.raises(Refused) as caught:
        client.create_batch("k", b"{}")
    assert not caught.value.maybe_executed


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_not_followed_and_only_its_host_is_named(ica, client, status):
    ica.post(BATCHES, status=status, headers={"Location": f"https://me:pw@login.example/{SECRET}?token=t"})
    with pytest.raises(Unreachable, match=r"redirect to login\.example") as caught:
        client.create_batch("k", b"{}")
    assert not any(word in str(caught.value) for word in (SECRET, "pw", "token"))
    assert caught.value.maybe_executed == (status in (300, 302, 303, 304)), "a redirect may lead to the result"


@pytest.mark.parametrize("location", ["http://[", "//", "/elsewhere", "", "\x1b", "http://a:b"])
def test_no_odd_redirect_breaks_the_message(ica, client, location):
    ica.get(f"{BATCHES}/b-1", status=302, headers={"Location": location})
    with pytest.raises(Unreachable, match="302, a redirect to"):
        client.get_batch("b-1")


@pytest.mark.parametrize("call", ["create", "items"])
def test_the_credential_is_removed_from_whatever_the_server_echoes(ica, client, clock, call):
    problem = {"title": f"T {SECRET}", "detail": f"D\x1b[31m {SECRET}", "parameters": {SECRET: SECRET}}
    url, act = {
        "create": (BATCHES, lambda: client.create_batch("k", b"{}")),
        "items": (ITEMS, lambda: list(client.list_items("b-1"))),
    }[call]
    method = "POST" if call == "create" else "GET"
    ica.add(method, url, status=503, json=problem)
    ica.add(method, url, status=403, json=problem)
    with pytest.raises(Refused) as caught:
        act()
    said = f"{caught.value} {clock.lines}"
    assert SECRET not in said
    assert "\x1b" not in said
    assert "T ***" in said


# Pages


def test_pages_are_followed_by_their_cursor_to_the_end(ica, make):
    ica.get(ITEMS, json={"items": [item("i-1")], "nextPageToken": "t 1"})
    ica.get(ITEMS, json={"items": [], "nextPageToken": "t&2"})
    ica.get(ITEMS, json={"items": [item("i-2")], "nextPageToken": ""})
    found = make(page_size=2).list_items("b-1", ("RUNNING", "FAILED"))
    assert [one.id for one in found] == ["i-1", "i-2"]
    statuses = "status=RUNNING&status=FAILED&pageSize=2"
    assert [call.request.url.split("?")[1] for call in ica.calls] == [
        statuses,
        f"{statuses}&pageToken=t+1",
        f"{statuses}&pageToken=t%262",
    ]


def test_a_cursor_that_comes_back_is_an_endless_list(ica, client):
    for token in ("one", "two", "one"):
        ica.get(ITEMS, json={"items": [], "nextPageToken": token})
    with pytest.raises(Unreachable, match="more pages; stopped after 3"):
        list(client.list_items("b-1"))


def test_new_cursors_for_ever_are_an_endless_list(make):
    numbers = iter(range(10**9))

    def page(_request):
        return 200, {}, json.dumps({"items": [], "nextPageToken": str(next(numbers))})

    with responses.RequestsMock() as ica, pytest.MonkeyPatch.context() as patch:
        patch.setattr("manifest_runner.ica.connection.caller.MAX_PAGES", 20)
        ica.add_callback("GET", ITEMS, page)
        with pytest.raises(Unreachable, match="more pages; stopped after 21"):
            list(make().list_items("b-1"))
    assert MAX_PAGES > 1000


def test_a_list_that_is_cut_off_is_not_taken_for_all_of_it(ica, client):
    ica.get(ITEMS, json={"items": [item()], "nextPageToken": "", "totalItemCount": 2})
    with pytest.raises(Unreachable, match="1 of 2 records"):
        list(client.list_items("b-1"))
