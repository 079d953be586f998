"""The file server: a plain object store on a port of its own, which must never see a credential of the API."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from manifest_runner.emulator.catalog.data_rows import DataRow
from manifest_runner.emulator.execution_record import LEAKS
from manifest_runner.emulator.files.content import content
from manifest_runner.emulator.files.signing import refusal

_FILES = "GET /files"
_RANGE = re.compile(r"bytes=(?P<first>\d*)-(?P<last>\d*)")


class _Span(NamedTuple):
    """The bytes of a file from ``first`` up to but not including ``end``."""

    first: int
    end: int


class FileApp:
    """An ASGI application. ``find`` returns the file of a project by its id, ``count`` counts requests.

    ``oddity`` is what goes wrong with each download, unless a file has an oddity of its own.
    """

    def __init__(
        self,
        find: Callable[[str, str], DataRow | None],
        count: Callable[[str, int], None],
        clock: Callable[[], float],
        oddity: str | None,
    ) -> None:
        self._find = find
        self._count = count
        self._clock = clock
        self._oddity = oddity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        leaks = "authorization" in request.headers or "x-api-key" in request.headers
        response = _error(400, "InvalidArgument") if leaks else self._respond(request)
        self._count(LEAKS if leaks else _FILES, response.status_code)
        await response(scope, receive, send)

    def _respond(self, request: Request) -> Response:
        path = quote(request.scope["path"])
        if request.method not in ("GET", "HEAD"):
            return _error(405, "MethodNotAllowed")
        if reason := refusal(path, request.query_params, self._clock()):
            return _error(403, reason)
        project, _, rest = str(request.scope["path"]).removeprefix("/").partition("/")
        row = self._find(project, rest.partition("/")[0])
        oddity = (row.download if row else None) or self._oddity
        if row is None or oddity == "missing":
            return _error(404, "NoSuchKey")
        if oddity == "redirected":
            return Response(status_code=307, headers={"Location": f"{request.url}&redirected"})
        return _file(row, request.headers.get("range", ""), oddity)


def _file(row: DataRow, wanted: str, oddity: str | None) -> Response:
    size = row.size // 2 if oddity == "short" else row.size
    span = _Span(0, size) if oddity == "whole" or not wanted else _span(wanted, size)
    if span is None:
        return _error(416, "InvalidRange", {"Content-Range": f"bytes */{size}"})
    headers = {"Content-Length": str(span.end - span.first), "ETag": f'"{row.id[4:]}"'}
    if oddity != "whole":
        headers["Accept-Ranges"] = "bytes"
    whole = span == (0, size) and (oddity == "whole" or not wanted)
    if not whole:
        headers["Content-Range"] = f"bytes {span.first}-{span.end - 1}/{size}"
    pieces = _half(row, span) if oddity == "cut" else _pieces(row, span)
    kind = _Cut if oddity == "cut" else StreamingResponse
    return kind(pieces, 200 if whole else 206, headers, "application/octet-stream")


def _span(wanted: str, size: int) -> _Span | None:
    """The bytes that a Range header asks for, or None if the file has none of them."""
    match = _RANGE.fullmatch(wanted)
    if match is None:
        return _Span(0, size)
    if not match["first"]:
        first, end = max(size - int(match["last"] or 0), 0), size
    else:
        first, end = int(match["first"]), min(int(match["last"] or size) + 1, size)
    return _Span(first, end) if first < end else None


async def _pieces(row: DataRow, span: _Span) -> AsyncIterator[bytes]:
    for piece in content(row, span.first, span.end):
        yield piece


async def _half(row: DataRow, span: _Span) -> AsyncIterator[bytes]:
    for piece in content(row, span.first, (span.first + span.end + 1) // 2):
        yield piece


class _Cut(StreamingResponse):
    """Promises the whole file and sends half of it; the server then closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in self.body_iterator:
            await send({"type": "http.response.body", "body": piece, "more_body": True})


def _error(status: int, code: str, headers: dict[str, str] | None = None) -> Response:
    """An error as object stores report it."""
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code></Error>'
    return Response(body, status, headers, "application/xml")
