"""A server on loopback that speaks the ICA REST API, for trying, testing and demos.

It is an independent implementation of the API: it shares no code with the rest of manifest-runner, so that each can
prove the other wrong. Importing this package is cheap; the web server is loaded when it is started.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from manifest_runner.emulator.oddities import Oddities, parse_oddities
from manifest_runner.emulator.options import CatalogError, EmulatorOptions, Fault, parse_fault

__all__ = [
    "CatalogError",
    "EmulatorOptions",
    "Fault",
    "Oddities",
    "parse_fault",
    "parse_oddities",
    "running",
    "serve",
]


def serve(options: EmulatorOptions, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM, from the main thread; ``announce`` is called with the URL once it answers.

    The URL has no path (``http://127.0.0.1:40123``); the API is below ``/ica/rest``. Raises ``OSError``
    when the port is taken, ``sqlite3.Error`` when the database cannot be opened and ``CatalogError``.
    """
    from manifest_runner.emulator import server

    server.serve(options, announce)


@contextmanager
def running(options: EmulatorOptions, *, clock: Callable[[], float] = time.time) -> Iterator[str]:
    """Serve from a daemon thread for as long as the context lasts; yields the URL, without a path.

    ``clock`` returns seconds since the epoch and drives the timetable. Raises what ``serve`` raises.
    """
    from manifest_runner.emulator import server

    with server.running(options, clock) as url:
        yield url
