"""Errors as the API reports them: problem documents (RFC 7807, with the API's own members)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import NoReturn
from urllib.parse import quote

import orjson
from starlette.requests import Request
from starlette.responses import Response

from manifest_runner.emulator.protocol.timestamps import timestamp

PROBLEM_JSON = "application/problem+json"
_PATH = "/:@!$&'()*+,;=~"
_HOST = "[]:"
# Phrases that differ from one Python to the next, as the platform has them.
_RENAMED = {413: "Request Entity Too Large", 414: "Request-URI Too Long", 422: "Unprocessable Entity"}


class Problem(Exception):
    """Ends a request with an error; ``parameters`` names the faulty places of a body or query.

    The ``title`` is by default the usual phrase for the status.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        title: str | None = None,
        parameters: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title or _RENAMED.get(status) or HTTPStatus(status).phrase
        self.detail = detail
        self.parameters = dict(parameters or {})
        self.headers = dict(headers or {})


def refuse_parameter(name: str, message: str) -> NoReturn:
    """Raise Problem 400 for a parameter of the query or a header; ``message`` says what it must be."""
    raise Problem(400, f"{name} {message}.", parameters={name: message})


def problem_response(problem: Problem, request: Request, now: float) -> Response:
    """The answer to send for a problem with a request."""
    body = problem_document(problem, _instance(request), now)
    return Response(body, problem.status, problem.headers, PROBLEM_JSON)


def problem_document(problem: Problem, instance: str, now: float) -> bytes:
    """The JSON of a problem with the thing at the URI ``instance``."""
    document = {
        "id": str(uuid.uuid4()),
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": instance,
        "parameters": problem.parameters,
        "timestamp": timestamp(now),
    }
    return orjson.dumps(document)


def _instance(request: Request) -> str:
    """The URI of the request without its query; characters that a client sent unescaped are escaped."""
    url = request.url
    return f"{url.scheme}://{quote(url.netloc, safe=_HOST)}{quote(request.scope['path'], safe=_PATH)}"
