"""Errors as the API tells them: problem documents (RFC 7807, with the API's own members)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from http import HTTPStatus

import orjson
from starlette.requests import Request
from starlette.responses import Response

from manifest_runner.emulator.timetable import timestamp

PROBLEM_JSON = "application/problem+json"


class Problem(Exception):
    """Ends a request with an error; ``parameters`` names the faulty places of a body or query."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        parameters: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.parameters = dict(parameters or {})
        self.headers = dict(headers or {})


def problem_response(problem: Problem, request: Request, now: float) -> Response:
    """The answer to send for a problem with a request."""
    document = {
        "id": str(uuid.uuid4()),
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "instance": str(request.url.replace(query="")),
        "parameters": problem.parameters,
        "timestamp": timestamp(now),
    }
    return Response(orjson.dumps(document), problem.status, problem.headers, PROBLEM_JSON)
