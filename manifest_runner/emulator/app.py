"""The web application: routes requests to their endpoints, and reports errors."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from email.utils import formatdate

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from manifest_runner.emulator.api import Api
from manifest_runner.emulator.files.file_server import FileApp
from manifest_runner.emulator.options import EmulatorOptions
from manifest_runner.emulator.protocol.injected_faults import ConnectionDropped, refuse
from manifest_runner.emulator.protocol.problems import Problem, problem_response
from manifest_runner.emulator.routes import BASE, ENDPOINTS, Endpoint
from manifest_runner.emulator.store.request_counts import count_request

Respond = Callable[[Request], Awaitable[Response]]


def build_app(
    connection: sqlite3.Connection, options: EmulatorOptions, clock: Callable[[], float], files_url: str
) -> ASGIApp:
    """The emulator as an ASGI application; ``clock`` returns seconds since the epoch.

    Requests for the port of ``files_url`` go to the file server. Raises CatalogError.
    """
    api = Api(connection, options, clock, files_url)
    routes = [Route(BASE + each.path, _respond(api, each), methods=[each.method]) for each in ENDPOINTS]

    async def report(request: Request, error: Exception) -> Response:
        status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
        problem = Problem(status, _explanation(request, error), headers=headers)
        return problem_response(problem, request, clock())

    app = Starlette(routes=routes, exception_handlers={HTTPException: report, Exception: report})
    app.router.redirect_slashes = False
    app.add_middleware(_Dated, clock=clock)
    return _Ports({int(files_url.rpartition(":")[2]): _files(api)}, app)


def _files(api: Api) -> FileApp:
    def count(endpoint: str, status: int) -> None:
        count_request(api.connection, endpoint, status)

    return FileApp(api.find_by_id, count, api.clock, api.options.oddities.downloads)


class _Ports:
    """Routes a request to the application of its port."""

    def __init__(self, apps: dict[int, ASGIApp], otherwise: ASGIApp) -> None:
        self._apps = apps
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._apps.get(scope["server"][1], self._otherwise)(scope, receive, send)


class _Dated:
    """Adds the time of the emulator's own clock to every answer (RFC 9110, 6.6.1)."""

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


def _respond(api: Api, endpoint: Endpoint) -> Respond:
    """A function that answers the requests of an endpoint, counts them and injects their faults."""

    async def respond(request: Request) -> Response:
        try:
            response = await _respond_or_fail(api, endpoint, request)
        except Problem as problem:
            response = problem_response(problem, request, api.clock())
        count_request(api.connection, endpoint.name, response.status_code)
        return response

    return respond


async def _respond_or_fail(api: Api, endpoint: Endpoint, request: Request) -> Response:
    fault = api.faults.next(endpoint.target)
    if fault == "drop-before":
        return ConnectionDropped()
    if fault is not None:
        refuse(fault)
    _require_short_url(api, request)
    if endpoint.target != "post":
        await api.pause()
    admit = api.admit_anybody if endpoint.is_open else api.admit
    response = await endpoint.handle(api, admit(request, endpoint.offers))
    return ConnectionDropped() if fault == "drop-after" else response


def _require_short_url(api: Api, request: Request) -> None:
    longest = api.options.oddities.longest_url
    length = len(request.scope["raw_path"]) + len(request.scope["query_string"]) + 1
    if longest is not None and length > longest:
        raise Problem(414, f"The URL has {length} bytes, and this server reads {longest}.")


def _explanation(request: Request, error: Exception) -> str:
    if isinstance(error, HTTPException):
        return {
            404: f"There is nothing at {request.url.path}.",
            405: f"{request.method} is not possible here.",
        }.get(error.status_code, error.detail)
    return f"The emulator has a bug: {type(error).__name__}."
