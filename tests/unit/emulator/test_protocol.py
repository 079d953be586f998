"""HTTP around the endpoints: media types, problem documents, credentials, projects."""

from __future__ import annotations

import base64
import json
import socket
import uuid
from email.utils import parsedate_to_datetime

import pytest
import requests

from manifest_runner.emulator.protocol.media import V3, V4

ITEMS = "analysisCreationBatch/{}/items"


def assert_problem(answer, status):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) == {"id", "type", "title", "status", "detail", "instance", "parameters", "timestamp"}
    assert problem["status"] == status
    return problem


@pytest.mark.parametrize(
    ("accept", "version"),
    [
        ("*/*", V3),
        ("application/*", V3),
        (V3, V3),
        (V4, V4),
        (f"{V3}, {V4}", V4),
        (f"{V4};q=0.5, {V3}", V3),
        (f"{V3};q=0.5, {V4};q=0.9", V4),
        (f"{V4}, */*;q=0.1", V4),
        (f"text/html, {V4.upper()}", V4),
        (f"application/problem+json, {V3}", V3),
        (f"{V3};q=0, */*", V4),
    ],
)
def test_the_version_is_negotiated(client, accept, version):
    answer = client.get(ITEMS.format(client.create("one")), accept=accept)
    assert (answer.status_code, answer.headers["content-type"]) == (200, version)


@pytest.mark.parametrize("accept", [None, "text/html", "application/json", f"{V4};q=0", f"{V4};q=high", "nonsense"])
def test_a_missing_or_unfit_accept_is_a_bad_request(client, accept):
    problem = assert_problem(client.get(ITEMS.format(client.create("one")), accept=accept), 400)
    assert (problem["title"], problem["detail"]) == ("ICA_API_004", "Invalid Accept Header")


def test_an_endpoint_of_one_version_refuses_the_other(client, make_item):
    assert_problem(client.post([make_item()], Accept=V4), 400)
    assert client.executed() == []


@pytest.mark.parametrize("path", ["analyses", "nothing"])
def test_every_answer_has_the_emulators_own_time_once(client, clock, path):
    dates = client.get(path, accept=V3).raw.headers.getlist("Date")
    assert [parsedate_to_datetime(date).timestamp() for date in dates] == [int(clock())]


@pytest.mark.parametrize("declared", ["application/json", V4, "text/plain", ""])
def test_a_batch_must_be_of_version_3(client, make_item, declared):
    assert_problem(client.post([make_item()], Content_Type=declared), 415)
    assert client.executed() == []


def test_a_media_type_may_have_parameters(client, make_item):
    assert client.post([make_item()], Content_Type=f"{V3}; charset=utf-8").status_code == 201


@pytest.mark.parametrize(("declared", "status"), [(V3, 200), ("application/json", 200), ("text/plain", 415)])
def test_a_search_is_also_plain_json(client, declared, status):
    answer = client.session.post(f"{client.home}/analysis:search", data=b"{}", headers={"Content-Type": declared})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/ica/rest/api/nothing", 404),
        ("GET", "/ica/rest/api/projects/p/analyses/not-a-uuid", 404),
        ("GET", "/ica/rest/api/projects/p/analyses/", 404),
        ("GET", "/ica/rest/api/projects/p/analysisCreationBatch", 405),
        ("DELETE", "/ica/rest/api/projects/p/analyses", 405),
        ("GET", "/ica/rest/api/tokens", 405),
    ],
)
def test_what_does_not_exist_is_a_problem_too(client, method, path, status):
    problem = assert_problem(client.session.request(method, client.url + path), status)
    assert problem["instance"] == client.url + path


@pytest.mark.parametrize(
    ("path", "instance"),
    [("/häuser", "/h%C3%A4user"), ("/a b?x=1", "/a%20b"), ("/%25/%23", "/%25/%23"), ('/[<"]', "/%5B%3C%22%5D")],
)
def test_the_instance_of_a_problem_is_a_uri(client, path, instance):
    assert assert_problem(client.session.get(client.url + path), 404)["instance"] == client.url + instance


@pytest.mark.parametrize("line", ["GET", "GET /a b HTTP/1.1", "GET /\xe4 HTTP/1.1"])
def test_what_is_not_http_is_answered_with_a_problem_too(client, line):
    host, port = client.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(f"{line}\r\nHost: {host}\r\n\r\n".encode("latin-1"))
        head, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"Content-Type: application/problem+json" in head
    assert json.loads(body)["status"] == 400


def test_a_rejected_body_names_the_faulty_places(client, make_item):
    problem = assert_problem(client.post([make_item("a.b"), make_item(tags=None)]), 400)
    assert set(problem["parameters"]) == {"nextflowItems[0].userReference", "nextflowItems[1].tags"}


def test_a_bug_is_a_problem_too(client, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    batch = client.create("one")
    monkeypatch.setattr("manifest_runner.emulator.endpoints.batches.batch_view", fail)
    problem = assert_problem(client.batch(batch), 500)
    assert "ZeroDivisionError" in problem["detail"]


def test_only_the_projects_of_the_options_are_known(start, project):
    client = start(projects=(project,))
    client.create("one")
    client.project = str(uuid.uuid4())
    assert_problem(client.search(), 404)
    listed = client.session.get(f"{client.api}/projects").json()
    assert [found["id"] for found in listed["items"]] == [project]


def authorized(client, authorization=None, key=None):
    """The answer to a search with these credentials alone."""
    given = {"Authorization": authorization, "X-API-Key": key}
    headers = {name: value for name, value in given.items() if value is not None}
    return requests.post(f"{client.home}/analysis:search", headers=headers, timeout=10)


def token(client, path="tokens", **credentials):
    return requests.post(f"{client.api}/{path}", headers=credentials, timeout=10)


@pytest.mark.parametrize("credentials", [(), ("Basic YTpi",), ("Bearer ",), ("Bearer",), ("sesame",), (None, "")])
def test_without_a_credential_nothing_is_served(client, credentials):
    answer = authorized(client, *credentials)
    assert_problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("credentials", [("Bearer anything",), ("bearer x",), (None, "anything")])
def test_any_credential_will_do_unless_a_key_is_named(client, credentials):
    assert authorized(client, *credentials).status_code == 200


def test_when_a_key_is_named_only_it_and_its_tokens_are_accepted(start):
    client = start(api_key="secret", key="secret")
    minted = token(client, **{"X-API-Key": "secret"}).json()["token"]
    allowed = [(None, "secret"), ("Bearer secret",), (f"Bearer {minted}",), ("Bearer wrong", "secret")]
    refused = [(None, "wrong"), ("Bearer wrong",), (None, "secre"), (f"Bearer {minted}x",)]
    assert [authorized(client, *given).status_code for given in allowed] == [200] * 4
    assert [authorized(client, *given).status_code for given in refused] == [401] * 4
    assert_problem(token(client, **{"X-API-Key": "wrong"}), 401)


def test_a_token_looks_like_a_jwt_and_acts_for_the_user_of_its_key(client, make_item):
    minted = token(client, **{"X-API-Key": "a-key"}).json()["token"]
    header, payload, _signature = minted.split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "=="))["typ"] == "JWT"
    first = client.post([make_item()], "key")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert claims["sub"] == first.json()["job"]["owner"]["id"]
    del client.session.headers["X-API-Key"]
    client.session.headers["Authorization"] = f"Bearer {minted}"
    assert client.post([make_item()], "key").content == first.content


def test_tokens_outlive_the_server(start):
    minted = token(start(api_key="secret"), **{"X-API-Key": "secret"}).json()["token"]
    assert authorized(start(api_key="secret"), f"Bearer {minted}").status_code == 200


def test_a_token_made_with_a_password_can_be_refreshed_and_one_of_an_api_key_cannot(client):
    by_password = token(client, Authorization="Basic YTpi").json()["token"]
    by_key = token(client, **{"X-API-Key": "a-key"}).json()["token"]
    refreshed = token(client, "tokens:refresh", Authorization=f"Bearer {by_password}")
    assert refreshed.json()["token"] != by_password
    assert_problem(token(client, "tokens:refresh", Authorization=f"Bearer {by_key}"), 400)
    assert_problem(token(client, "tokens:refresh", **{"X-API-Key": "a-key"}), 401)


def test_no_credential_is_stored_in_clear(start, make_item):
    client = start(api_key="sesame-open", key="sesame-open")
    minted = token(client, **{"X-API-Key": "sesame-open"}).json()["token"]
    client.post([make_item()], "key")
    files = list(client.database.parent.glob("emulator.db*"))
    stored = b"".join(file.read_bytes() for file in files)
    assert b"sesame-open" not in stored
    assert minted.encode() not in stored


def test_a_token_is_good_until_it_expires(start, clock):
    client = start(api_key="secret", token_lifetime=60)
    minted = token(client, **{"X-API-Key": "secret"}).json()["token"]
    claims = json.loads(base64.urlsafe_b64decode(minted.split(".")[1] + "=="))
    assert (claims["exp"], claims["aud"]) == (int(clock() + 60), "ica")
    clock.advance(59.9)
    assert authorized(client, f"Bearer {minted}").status_code == 200
    clock.advance(0.1)
    assert_problem(authorized(client, f"Bearer {minted}"), 401)
    assert_problem(token(client, "tokens:refresh", Authorization=f"Bearer {minted}"), 401)
    assert token(client, **{"X-API-Key": "secret"}).status_code == 200


def test_an_expired_token_is_refused_also_where_any_key_is_accepted(start, clock):
    client = start(token_lifetime=60)
    minted = token(client, **{"X-API-Key": "any"}).json()["token"]
    clock.advance(60)
    assert_problem(authorized(client, f"Bearer {minted}"), 401)
