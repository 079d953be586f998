"""A proxy in front of the emulator that records requests."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit


class Counted(list[str]):
    """Requests as ``METHOD path``, the path without the project's own and without a query. ``url`` is the proxy's."""

    url: str = ""

    def taken(self) -> list[str]:
        """The requests since the last call."""
        found = list(self)
        self.clear()
        return found


@contextmanager
def counting(server: str) -> Iterator[Counted]:
    """Pass everything on to a server, and count."""
    counted, host = Counted(), urlsplit(server).netloc

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._pass_on()

        def do_POST(self) -> None:
            self._pass_on()

        def _pass_on(self) -> None:
            path = urlsplit(self.path).path.partition("/api/projects/")[2].partition("/")[2]
            counted.append(f"{self.command} {path}")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            there = http.client.HTTPConnection(host, timeout=30)
            there.request(self.command, self.path, body, {**self.headers, "Connection": "close"})
            answer = there.getresponse()
            content = answer.read()
            there.close()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "content-length", "transfer-encoding", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as proxy:
        counted.url = f"http://127.0.0.1:{proxy.server_port}"
        thread = Thread(target=proxy.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield counted
        finally:
            proxy.shutdown()
            thread.join()
