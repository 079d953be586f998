"""Run the application: in the main thread until a signal, or in a thread while a context lasts."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager, suppress
from typing import cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from manifest_runner.emulator.app import build_app
from manifest_runner.emulator.options import EmulatorOptions
from manifest_runner.emulator.protocol.problems import PROBLEM_JSON, Problem, problem_document
from manifest_runner.emulator.store.database import open_store

_KEEP_ALIVE_SECONDS = 75
_BACKLOG = 2048
_START_SECONDS = 30
_STOP_SECONDS = 1

Stop = Callable[[], object]


class _Protocol(H11Protocol):
    """HTTP/1.1 that gives the application access to the connection, so that it can drop it.

    asyncio switches Nagle's algorithm off for sockets that name their protocol, which those of
    ``socket.create_server`` do not; with it on, every answer waits 40 ms for the client's delayed ACK.
    """

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast("asyncio.Transport", transport))
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.app_state = {**self.app_state, "transport": transport}

    def send_400_response(self, msg: str) -> None:
        """Answer a request that is not HTTP like any other error; uvicorn's own answer is plain text."""
        problem = problem_document(Problem(400, f"{msg.rstrip('.')}."), "about:blank", time.time())
        head = (
            f"HTTP/1.1 400 Bad Request\r\nContent-Type: {PROBLEM_JSON}\r\n"
            f"Content-Length: {len(problem)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + problem)
        self.transport.close()


class _Server(uvicorn.Server):
    """A server that stops at once when asked to; uvicorn's own checks every tenth of a second."""

    def __init__(self, config: uvicorn.Config, when_ready: Callable[[Stop], None]) -> None:
        super().__init__(config)
        self._when_ready = when_ready

    async def main_loop(self) -> None:
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        self._when_ready(lambda: loop.call_soon_threadsafe(stopped.set))
        await stopped.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close idle connections at once; uvicorn's own shutdown first waits a tenth of a second for requests."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for _ in range(2):  # one iteration of the loop closes them, the next reports it
            await asyncio.sleep(0)
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals alone: uvicorn raises them again after it has stopped, which ends in a traceback."""
        yield


def serve(options: EmulatorOptions, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; see the package for the contract."""

    def when_ready(stop: Stop) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop)
        announce(_url(listener))

    # An interrupt can also come before or after the loop listens for it.
    with (
        suppress(KeyboardInterrupt),
        _listen(options.host, options.port) as listener,
        _listen(options.host, 0) as files,
        closing(open_store(options.database)) as store,
    ):
        _run(build_app(store, options, time.time, _url(files)), (listener, files), when_ready)


@contextmanager
def running(options: EmulatorOptions, clock: Callable[[], float]) -> Iterator[str]:
    """Serve from a daemon thread; see the package for the contract."""
    ready: Future[Stop] = Future()
    with (
        _listen(options.host, options.port) as listener,
        _listen(options.host, 0) as files,
        closing(open_store(options.database)) as store,
    ):
        app = build_app(store, options, clock, _url(files))
        url = _url(listener)
        thread = threading.Thread(target=_run, args=(app, (listener, files), ready.set_result), daemon=True)
        thread.start()
        stop = ready.result(timeout=_START_SECONDS)
        try:
            yield url
        finally:
            stop()
            thread.join()


def _run(app: ASGIApp, listeners: Iterable[socket.socket], when_ready: Callable[[Stop], None]) -> None:
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    asyncio.run(_Server(config, when_ready).serve([*listeners]))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
