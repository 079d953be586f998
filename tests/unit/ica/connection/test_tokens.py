"""An API key is exchanged once a run, again near the end of its token or on a 401, and sent itself where refused."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import pytest

from manifest_runner.ica.connection.config import Credential
from manifest_runner.ica.connection.retry import HttpAnswer
from manifest_runner.ica.connection.tokens import Authorization

KEY = Credential("X-API-Key", "k3y-of-a-user", "ICAV2_X_API_KEY")
BEARER = Credential("Authorization", "Bearer t0ken", "ICAV2_ACCESS_TOKEN")


class Server:
    """Mints tokens that end ``life`` seconds from now; ``status`` other than 200 refuses."""

    def __init__(self, life: float | None = 3600.0, status: int = 200) -> None:
        self.now, self.life, self.status = 1000.0, life, status
        self.asked: list[tuple[str, str]] = []

    def exchange(self, header: tuple[str, str]) -> HttpAnswer:
        self.asked.append(header)
        claims = {} if self.life is None else {"exp": self.now + self.life}
        payload = urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        return HttpAnswer(self.status, json.dumps({"token": f"h.{payload}.{len(self.asked)}"}).encode())


def authorization(server: Server, credential: Credential = KEY) -> Authorization:
    return Authorization(credential, server.exchange, lambda: server.now)


def test_a_key_is_exchanged_once():
    server = Server()
    made = authorization(server)
    headers = {made.header() for _ in range(5)}
    assert server.asked == [("X-API-Key", "k3y-of-a-user")]
    assert [name for name, _ in headers] == ["Authorization"]
    assert len(made.secrets) == 2


@pytest.mark.parametrize(("life", "good_for"), [(3600.0, 3539.0), (60.0, 53.0), (None, 1e9)])
def test_a_token_is_replaced_shortly_before_its_end(life, good_for):
    server = Server(life)
    made = authorization(server)
    first = made.header()
    server.now += good_for
    assert made.header() == first
    server.now += 1.0 + (life or 0.0) - (good_for if life else 0.0)
    assert (made.header() == first) is (life is None)


def test_a_401_replaces_the_token_that_was_used_and_no_later_one():
    server = Server()
    made = authorization(server)
    first = made.header()
    assert made.renewed(first)
    second = made.header()
    assert made.renewed(first), "another thread has replaced it already"
    assert (second != first, made.header(), len(server.asked)) == (True, second, 2)


@pytest.mark.parametrize("status", [401, 403, 404, 405, 400, 500, 302])
def test_where_the_exchange_is_refused_the_key_is_used_as_it_is(status):
    server = Server(status=status)
    made = authorization(server)
    assert [made.header(), made.header()] == [("X-API-Key", "k3y-of-a-user")] * 2
    assert not made.renewed(made.header())
    assert len(server.asked) == 1


def test_a_token_of_the_user_is_never_exchanged():
    server = Server()
    made = authorization(server, BEARER)
    assert made.header() == ("Authorization", "Bearer t0ken")
    assert not made.renewed(made.header())
    assert server.asked == []


@pytest.mark.parametrize("body", [b"", b"[]", b'{"token": 1}', b'{"token": ""}', b'{"token": "a\\nb"}'])
def test_an_answer_without_a_token_counts_as_a_refusal(body):
    made = Authorization(KEY, lambda _header: HttpAnswer(200, body), lambda: 0.0)
    assert made.header() == ("X-API-Key", "k3y-of-a-user")
