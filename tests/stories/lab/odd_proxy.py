"""A server between the command and the emulator that loses, garbles and refuses requests as a test says."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

PASSED = ("Accept", "Content-Type", "Idempotency-Key", "X-API-Key", "Authorization")


class Reply(NamedTuple):
    """What a POST of a batch meets. ``reaches``: the emulator sees it. ``status`` 0: the connection is lost.

    ``body`` is made of the emulator's answer, which is empty where it sees nothing.
    """

    reaches: bool
    status: int
    body: Callable[[bytes], bytes]
    media: str = "application/json"


def refused(status: int) -> Reply:
    problem = {"title": f"No ({status})", "status": status}
    return Reply(False, status, lambda _answer: json.dumps(problem).encode(), "application/problem+json")


LOST = Reply(True, 0, lambda answer: answer)
HTML = Reply(True, 200, lambda _answer: b"<html>Welcome to the hotel's network</html>", "text/html")
PORTAL = HTML._replace(reaches=False)
TRUNCATED = Reply(True, 201, lambda answer: answer[: len(answer) // 2])
EMPTY = Reply(True, 201, lambda _answer: b"")


def first_item_only(times: int) -> Callable[[str, bytes], bytes]:
    """A change that leaves only the first item in the next lists of a batch's items."""
    cut = iter(range(times))

    def change(path: str, body: bytes) -> bytes:
        if not path.split("?")[0].endswith("/items") or next(cut, None) is None:
            return body
        document = json.loads(body)
        return json.dumps({**document, "items": document["items"][:1], "totalItemCount": 1}).encode()

    return change


class OddProxy(ThreadingHTTPServer):
    """``script`` is what the next POSTs of batches meet; after that all goes through. ``posts`` counts them.

    ``is_hidden`` says of the path of a GET that it is answered by 404.
    """

    daemon_threads = True

    def __init__(self, upstream: str, clock: Callable[[], float]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream.removeprefix("http://")
        self.script: list[Reply] = []
        self.posts = 0
        self.clock = clock
        self.change: Callable[[str, bytes], bytes] = lambda _path, body: body
        self.is_hidden: Callable[[str], bool] = lambda _path: False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def expect(self, *replies: Reply) -> None:
        self.script[:] = replies
        self.posts = 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or every answer waits 40 ms for an acknowledgement of its head
    server: OddProxy

    def do_GET(self) -> None:
        status, body = (404, b"{}") if self.server.is_hidden(self.path) else self._upstream("GET", b"")
        self._answer(status, self.server.change(self.path, body))

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.path.endswith("/analysisCreationBatch"):
            self._answer(*self._upstream("POST", sent))
            return
        self.server.posts += 1
        reply = self.server.script.pop(0) if self.server.script else None
        status, body = self._upstream("POST", sent) if reply is None or reply.reaches else (0, b"")
        if reply is None:
            self._answer(status, self.server.change(self.path, body))
        elif reply.status == 0:
            self.close_connection = True
        else:
            self._answer(reply.status, reply.body(body), reply.media)

    def _upstream(self, method: str, body: bytes) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self.server.upstream, timeout=30)
        headers = {name: self.headers[name] for name in PASSED if self.headers[name]}
        connection.request(method, self.path, body or None, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    def _answer(self, status: int, body: bytes, media: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The value of the Date header."""
        return super().date_time_string(self.server.clock())

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def odd_proxy(upstream: str, clock: Callable[[], float] = time.time) -> Iterator[OddProxy]:
    """``clock`` is the server's."""
    proxy = OddProxy(upstream, clock)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()


def script_name(script: Sequence[Reply]) -> str:
    names = {LOST: "lost", HTML: "html", PORTAL: "portal", TRUNCATED: "truncated", EMPTY: "empty"}
    return "-".join(names.get(reply, str(reply.status)) for reply in script)
