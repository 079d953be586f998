"""Inject faults into requests, by a count of requests in this process."""

from __future__ import annotations

from collections import Counter

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from manifest_runner.emulator.options import Fault, FaultKind, FaultTarget
from manifest_runner.emulator.protocol.problems import Problem

_RETRY_AFTER = {"429": {"Retry-After": "1"}, "503": {"Retry-After": "1"}}


class FaultPlan:
    """The fault of each request, in order of arrival."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self._faults = faults
        self._seen: Counter[FaultTarget] = Counter()

    def next(self, target: FaultTarget) -> FaultKind | None:
        """Count one request and give its fault, if any."""
        self._seen[target] += 1
        count = self._seen[target]
        hits = (f.kind for f in self._faults if f.target == target and f.first <= count <= f.last)
        return next(hits, None)


def refuse(kind: FaultKind) -> None:
    """Raise the problem of a fault that is a status; do nothing for the others."""
    if kind.isdigit():
        raise Problem(int(kind), "Injected by an option of the emulator.", headers=_RETRY_AFTER.get(kind))


class ConnectionDropped(Response):
    """Closes the connection instead of answering. Needs the server's transport in the state."""

    def __init__(self) -> None:
        super().__init__()
        self.status_code = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Close, and wait until the server notices: it would answer 500 if this simply returned."""
        request = Request(scope, receive)
        request.state.transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass
