"""The client against a server on a real socket that drops, truncates, delays and overflows."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
from collections.abc import Iterator

import pytest

from manifest_runner.errors import Refused, Unreachable, UsageProblem
from manifest_runner.ica.client import Client
from manifest_runner.ica.connection import transport
from manifest_runner.ica.connection.config import Credential
from manifest_runner.ica.connection.retry import Deadline

KEY = "s3cr3t-k3y-0123456789"
TLS_HELLO = b"\x16"
JSON = "Content-Type: application/vnd.illumina.v3+json\r\n"
BODY = b'{"id": "b-1"}'


def answer(body: bytes, *, status: int = 201, headers: str = "", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    head = f"HTTP/1.1 {status} Some\r\n{JSON}{headers}Connection: close\r\nContent-Length: {size}\r\n\r\n"
    return head.encode() + body


class Script:
    """A server on loopback: each connection gets the next piece of bytes and is closed; b"" is a drop.

    ``heads`` and ``bodies`` are what was asked; while ``hold`` is not set, connections stay open.
    """

    def __init__(self) -> None:
        self.replies: list[bytes] = []
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.hold = threading.Event()
        self.hold.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.origin = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"{self.origin}/ica/rest"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):  # the client had enough
                self._read_request(connection)
                connection.sendall(self.replies.pop(0))
                self.hold.wait()

    def _read_request(self, connection: socket.socket) -> None:
        """Read a request; of TLS, where nobody here can say where it ends, what came first."""
        got = connection.recv(65536)
        while b"\r\n\r\n" not in got and not got.startswith(TLS_HELLO):
            got += connection.recv(65536)
        head, _, body = got.partition(b"\r\n\r\n")
        lengths = [line[16:] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length: ")]
        while lengths and len(body) < int(lengths[0]):
            body += connection.recv(65536)
        self.heads.append(head)
        self.bodies.append(body)

    def stop(self) -> None:
        self.hold.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def script() -> Iterator[Script]:
    server = Script()
    yield server
    server.stop()


@pytest.fixture
def lines():
    return []


def make(url, lines, seconds=600.0, **env):
    return Client(
        url,
        Credential("Authorization", f"Bearer {KEY}", "ICAV2_ACCESS_TOKEN"),
        "p-1",
        deadline=Deadline.after(seconds),
        notify=lines.append,
        sleep=lambda _seconds: None,
        env=env,
    )


@pytest.fixture
def client(script, lines):
    dead = "http://127.0.0.1:1"
    with make(script.url, lines, HTTP_PROXY=dead, ALL_PROXY=dead) as made:
        yield made


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"HTTP/1.1 201 Cre",
        b"nonsense\r\n\r\n",
        answer(BODY, length=len(BODY) + 1),
        answer(b""),
        f"HTTP/1.1 201 Created\r\n{JSON}Transfer-Encoding: chunked\r\n\r\nd\r\n".encode() + BODY + b"\r\n",
        f"HTTP/1.1 201 Created\r\n{JSON}Transfer-Encoding: chunked\r\n\r\nzz\r\n".encode(),
        answer(BODY, headers="Content-Encoding: gzip\r\n"),
        answer(gzip.compress(BODY)[:-14], headers="Content-Encoding: gzip\r\n"),
        answer(BODY, headers="Content-Length: 5\r\n"),
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + answer(b'{"id": "of the first try"}').replace(b"close", b"keep-alive"),
    ],
    ids=[
        "dropped",
        "half a status line",
        "no HTTP",
        "truncated",
        "empty",
        "truncated chunks",
        "broken chunks",
        "no gzip",
        "half a gzip",
        "two lengths",
        "an interim answer",
    ],
)
def test_a_broken_answer_is_asked_for_again_with_the_same_bytes(script, client, lines, broken):
    script.replies = [broken, answer(BODY)]
    assert client.create_batch("k", b'{"a":1}').id == "b-1"
    assert script.bodies == [b'{"a":1}'] * 2
    assert len(lines) == 1


@pytest.mark.parametrize("headers", ["", "Content-Encoding: gzip\r\n"])
def test_an_answer_may_be_compressed(script, client, headers):
    body = gzip.compress(BODY) if headers else BODY
    script.replies = [answer(body, headers=headers)]
    assert client.create_batch("k", b"{}").id == "b-1"


def test_a_chunked_answer_is_read_to_its_end(script, client):
    chunks = b"".join(b"1\r\n" + bytes([byte]) + b"\r\n" for byte in BODY) + b"0\r\n\r\n"
    script.replies = [f"HTTP/1.1 201 Created\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks]
    assert client.create_batch("k", b"{}").id == "b-1"


def test_a_lost_post_and_then_a_refusal_may_hide_a_launch(script, client):
    script.replies = [b"", answer(b"{}", status=401)]
    with pytest.raises(Refused) as caught:
        client.create_batch("k", b"{}")
    assert caught.value.maybe_executed


@pytest.mark.parametrize("squeeze", [False, True])
def test_a_flood_is_cut_off(script, client, monkeypatch, squeeze):
    monkeypatch.setattr(transport, "ANSWER_BYTES", 2**20)
    flood = b" " * 2**24
    script.replies = [answer(gzip.compress(flood), headers="Content-Encoding: gzip\r\n") if squeeze else answer(flood)]
    with pytest.raises(Unreachable, match="larger than 1 MiB"):
        client.create_batch("k", b"{}")


def test_an_answer_that_comes_byte_by_byte_is_given_up(script, lines, monkeypatch):
    monkeypatch.setattr(transport, "ANSWER_SECONDS", 0.0)
    script.hold.clear()
    script.replies = [answer(BODY, length=2**20)]
    tired = pytest.raises(Unreachable, match="the next try would come after")
    with make(script.url, lines, seconds=0.4) as client, tired as caught:
        client.create_batch("k", b"{}")
    assert "takes too long to arrive" in str(caught.value)


def test_a_silent_server_is_not_waited_for_beyond_the_deadline(lines):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        silent = pytest.raises(Unreachable, match=r"127\.0\.0\.1:\d+ did not answer in time")
        with make(url, lines, seconds=0.2) as client, silent:
            client.create_batch("k", b"{}")


def test_a_closed_port_is_tried_again_and_then_unreachable(lines):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    closed = pytest.raises(Unreachable, match=r"no connection to 127\.0\.0\.1:\d+: .* \(5 tries\)")
    with make(f"http://127.0.0.1:{port}", lines) as client, closed:
        client.create_batch("k", b"{}")
    assert len(lines) == 4


def test_a_server_without_tls_is_a_tls_failure(script, lines):
    script.replies = [b"HTTP/1.1 400 Bad Request\r\n\r\n"] * 5
    no_tls = pytest.raises(Unreachable, match=r"TLS with 127\.0\.0\.1:\d+ failed")
    with make(script.url.replace("http:", "https:"), lines) as client, no_tls:
        client.create_batch("k", b"{}")
    assert len(lines) == 4


def test_https_goes_through_the_proxy_which_does_not_see_the_credential(script, lines):
    script.replies = [b"HTTP/1.1 403 No\r\n\r\n"] * 5
    no_way = pytest.raises(Unreachable, match=r"the proxy cannot reach ica\.example")
    proxy = script.origin.replace("//", "//me:pw@")
    with make("https://ica.example/ica/rest", lines, HTTPS_PROXY=proxy) as client, no_way as caught:
        client.create_batch("k", b"{}")
    assert script.heads[0].startswith(b"CONNECT ica.example:443 ")
    assert KEY.encode() not in script.heads[0]
    assert "pw" not in f"{caught.value}{lines}"


def test_certificates_matter_to_https_only(lines, script):
    none = {"REQUESTS_CA_BUNDLE": "/nowhere/ca.pem"}
    with pytest.raises(UsageProblem, match="REQUESTS_CA_BUNDLE"):
        make("https://ica.example/ica/rest", lines, **none)
    script.replies = [answer(BODY)]
    with make(script.url, lines, **none) as client:
        assert client.create_batch("k", b"{}").id == "b-1"
