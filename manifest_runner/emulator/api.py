"""What the endpoints share, and what is known of a request before its endpoint sees it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response

from manifest_runner.emulator.endpoints.creation import Creator
from manifest_runner.emulator.options import EmulatorOptions
from manifest_runner.emulator.protocol.faults import FaultPlan
from manifest_runner.emulator.protocol.media import negotiate
from manifest_runner.emulator.protocol.problems import Problem
from manifest_runner.emulator.store.credentials import Gatekeeper
from manifest_runner.emulator.store.idempotency import KeyedAnswers


class Call(NamedTuple):
    """A request of a known ``user``, to be answered as ``media``; ``project`` can be empty."""

    request: Request
    user: str
    project: str
    media: str
    now: float

    def path(self, name: str) -> str:
        """A UUID of the path, in lower case as they are stored."""
        return str(self.request.path_params[name])

    def answer(self, content: Any, status: int = 200, **headers: str) -> Response:
        """A JSON answer in the negotiated version."""
        return Response(orjson.dumps(content), status, headers, self.media)


class Api:
    """One emulator: its state, its options and its clock."""

    def __init__(self, connection: sqlite3.Connection, options: EmulatorOptions, clock: Callable[[], float]) -> None:
        self.connection = connection
        self.options = options
        self.clock = clock
        self.gate = Gatekeeper(connection, options.api_key, options.token_lifetime)
        self.faults = FaultPlan(options.faults)
        self.answers = KeyedAnswers(connection, options.idempotency_ttl)
        self.creator = Creator(connection, self.answers, options)

    async def pause(self) -> None:
        """Be as slow as the options say, without holding up other requests."""
        if self.options.latency:
            await asyncio.sleep(self.options.latency)

    def admit(self, request: Request, offered: tuple[str, ...]) -> Call:
        """Find the user, the project and the media type. Raises Problem 400, 401 and 404."""
        now = self.clock()
        user = self.gate.user(request, now)
        project = str(request.path_params.get("project", ""))
        if project and self.options.projects and project not in self.options.projects:
            raise Problem(404, f"There is no project {project}.")
        media = negotiate(request, offered) if offered else ""
        return Call(request, user, project, media, now)
