"""The web application: which path leads to which endpoint, and how errors are reported."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import NamedTuple

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from manifest_runner.emulator.api import Api, Call
from manifest_runner.emulator.endpoints import analyses, batches
from manifest_runner.emulator.endpoints.projects import list_projects
from manifest_runner.emulator.options import EmulatorOptions, FaultTarget
from manifest_runner.emulator.protocol.faults import ConnectionDropped, refuse
from manifest_runner.emulator.protocol.media import V3, V4, negotiate
from manifest_runner.emulator.protocol.problems import Problem, problem_response

_BASE = "/ica/rest/api"
_PROJECT = "/projects/{project}"
_BATCHES = _PROJECT + "/analysisCreationBatch"
_ANALYSES = _PROJECT + "/analyses"

Respond = Callable[[Request], Awaitable[Response]]


class _Endpoint(NamedTuple):
    """``offers`` are the media types of its answers (oldest first), ``target`` is what faults call it."""

    method: str
    path: str
    handle: Callable[[Api, Call], Awaitable[Response]]
    offers: tuple[str, ...] = (V3,)
    target: FaultTarget = "get"


_ENDPOINTS = (
    _Endpoint("POST", _BATCHES, batches.create_batch, target="post"),
    _Endpoint("GET", _BATCHES + "/{batch:uuid}", batches.get_batch),
    _Endpoint("GET", _BATCHES + "/{batch:uuid}/items", batches.list_batch_items, (V3, V4)),
    _Endpoint("GET", _BATCHES + "/{batch:uuid}/items/{item:uuid}", batches.get_batch_item, (V3, V4)),
    _Endpoint("POST", _PROJECT + "/analysis:search", analyses.search_analyses, target="search"),
    _Endpoint("GET", _ANALYSES, analyses.list_analyses),
    _Endpoint("GET", _ANALYSES + "/{analysis:uuid}", analyses.get_analysis, (V3, V4)),
    # It answers nothing, so any Accept header will do.
    _Endpoint("POST", _ANALYSES + "/{analysis:uuid}:abort", analyses.abort_analysis, (), target="abort"),
    _Endpoint("GET", "/projects", list_projects),
)


def build_app(connection: sqlite3.Connection, options: EmulatorOptions, clock: Callable[[], float]) -> Starlette:
    """The emulator as an ASGI application; ``clock`` gives seconds since the epoch."""
    api = Api(connection, options, clock)
    routes = [
        *(_route(e.method, e.path, _reporting_problems(api, _responder(api, e))) for e in _ENDPOINTS),
        _route("POST", "/tokens", _reporting_problems(api, _token_responder(api, api.gate.mint))),
        _route("POST", "/tokens:refresh", _reporting_problems(api, _token_responder(api, api.gate.refresh))),
    ]

    async def report_http_error(request: Request, error: Exception) -> Response:
        status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
        problem = Problem(status, _explanation(request, error), headers=headers)
        return problem_response(problem, request, clock())

    app = Starlette(routes=routes, exception_handlers={HTTPException: report_http_error, Exception: report_http_error})
    app.router.redirect_slashes = False
    app.add_middleware(_Dated, clock=clock)
    return app


class _Dated:
    """Gives with every answer the time by the emulator's own clock (RFC 9110, 6.6.1)."""

    def __init__(self, app: ASGIApp, clock: Callable[[], float]) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = formatdate(self._clock(), usegmt=True).encode()
                message = {**message, "headers": [*message["headers"], (b"date", date)]}
            await send(message)

        await self._app(scope, receive, send_dated)


def _route(method: str, path: str, respond: Respond) -> Route:
    return Route(_BASE + path, respond, methods=[method])


def _responder(api: Api, endpoint: _Endpoint) -> Respond:
    async def respond(request: Request) -> Response:
        if endpoint.target != "post":
            await api.pause()
        return await endpoint.handle(api, api.admit(request, endpoint.offers))

    return _meeting_faults(api, endpoint.target, respond)


def _token_responder(api: Api, issue: Callable[[Request, float], str]) -> Respond:
    async def respond(request: Request) -> Response:
        await api.pause()
        media = negotiate(request, (V3,))
        return Response(orjson.dumps({"token": issue(request, api.clock())}), media_type=media)

    return _meeting_faults(api, "token", respond)


def _meeting_faults(api: Api, target: FaultTarget, respond: Respond) -> Respond:
    async def respond_or_fail(request: Request) -> Response:
        fault = api.faults.next(target)
        if fault == "drop-before":
            return ConnectionDropped()
        if fault is not None:
            refuse(fault)
        response = await respond(request)
        return ConnectionDropped() if fault == "drop-after" else response

    return respond_or_fail


def _reporting_problems(api: Api, respond: Respond) -> Respond:
    async def answer(request: Request) -> Response:
        try:
            return await respond(request)
        except Problem as problem:
            return problem_response(problem, request, api.clock())

    return answer


def _explanation(request: Request, error: Exception) -> str:
    if isinstance(error, HTTPException):
        return {
            404: f"There is nothing at {request.url.path}.",
            405: f"{request.method} is not possible here.",
        }.get(error.status_code, error.detail)
    return f"The emulator has a bug: {type(error).__name__}."
