"""Download files by the signed URLs that ICA gives, over sessions without a credential.

Storage providers refuse a second credential, and ICA's credential must not be sent to anyone else. So nothing of the
API's client is used here; only https, except to this machine, and no redirects. A signed URL is a secret itself:
messages name only its host.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import requests
from requests import exceptions as http
from urllib3 import exceptions as pool

from manifest_runner.errors import RunnerError, Unreachable
from manifest_runner.files import unwritable
from manifest_runner.ica.connection.connection_errors import retryable_error
from manifest_runner.ica.connection.retry import RetryableError, RetryPolicy
from manifest_runner.ica.connection.transport import CONNECT_SECONDS, READ_SECONDS, open_session
from manifest_runner.loopback import is_loopback

CHUNK_BYTES = 2**18
TAIL_BYTES = 2**16
# A server that ignores ranges sends the whole log; a larger one is not worth waiting for.
LONGEST_LOG = 64 * 2**20
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_RETRYABLE = frozenset({408, 429})


class DownloadFailed(RunnerError):
    """One file cannot be downloaded; others can. ``expired``: a new URL may help."""

    def __init__(self, message: str, *, expired: bool = False) -> None:
        super().__init__(message)
        self.expired = expired


class _NotWhole(RetryableError):
    """The server answered, but what it sent is not the whole file."""


class Downloads:
    """Fetches signed URLs, from several threads at once. ``retries`` makes the RetryPolicy of one file.

    ``arrived`` is called with the number of bytes that have arrived. Both ways to fetch raise DownloadFailed,
    Unreachable when the server does not answer, and BadState when the disk is full.
    """

    def __init__(
        self, env: Mapping[str, str], retries: Callable[[], RetryPolicy], arrived: Callable[[int], None]
    ) -> None:
        self._env = env
        self._retries = retries
        self._arrived = arrived
        self._sessions: dict[str, requests.Session] = {}
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in [*self._sessions.values()]:  # after an error, threads may still add one
            session.close()

    def fetch(self, url: str, part: Path, size: int | None) -> None:
        """Make ``part`` the whole file, of ``size`` bytes if known; bytes that it already holds are kept."""
        try:
            self._retries().insist(lambda: self._go_on(url, part, size))
        except Unreachable as e:
            if isinstance(e.__cause__, _NotWhole):
                raise DownloadFailed(f"the file is incomplete: {e.__cause__.reason}") from e
            raise

    def tail(self, url: str, size: int | None) -> bytes:
        """The end of a file, as much of it as a reason for a failure needs."""
        return self._retries().insist(lambda: self._tail(url, size))

    def _go_on(self, url: str, part: Path, size: int | None) -> None:
        """Try again at once as long as each try makes progress."""
        while True:
            before = _length(part)
            try:
                return self._try(url, part, size)
            except RetryableError:
                if _length(part) <= before:
                    raise

    def _try(self, url: str, part: Path, size: int | None) -> None:
        have = _length(part)
        if have and have == size:
            return
        if size is not None and have > size:
            _truncate(part)
            have = 0
        with self._get(url, f"bytes={have}-" if have else None) as response:
            self._write(response, part, have, size)

    def _write(self, response: requests.Response, part: Path, have: int, size: int | None) -> None:
        start, total = _extent(response)
        if response.status_code == 416 or start not in (0, have):
            _truncate(part)
            raise _NotWhole("the server does not continue where the file broke off")
        if size is not None and total is not None and total != size:
            raise DownloadFailed(f"the server has {total:,} bytes of it, but ICA says {size:,}")
        length, wanted = start, total if size is None else size
        try:
            with part.open("ab" if start else "wb") as file:
                for chunk in _chunks(response):
                    file.write(chunk)
                    length += len(chunk)
                    self._arrived(len(chunk))
                    if wanted is not None and length > wanted:  # perhaps without an end
                        break
        except OSError as e:
            raise unwritable(part, e) from e
        if wanted is not None and length > wanted:
            _truncate(part)
            raise DownloadFailed(f"the server sent more than its {wanted:,} bytes")
        if wanted is not None and length < wanted:
            raise _NotWhole(f"{length:,} of {wanted:,} bytes arrived")

    def _tail(self, url: str, size: int | None) -> bytes:
        ranged = None if size is not None and size <= TAIL_BYTES else f"bytes=-{TAIL_BYTES}"
        with self._get(url, ranged) as response:
            if response.status_code == 416:  # an empty file has no last bytes
                return b""
            tail, read = b"", 0
            for chunk in _chunks(response):
                tail, read = (tail + chunk)[-TAIL_BYTES:], read + len(chunk)
                if read > LONGEST_LOG:
                    raise DownloadFailed("the server sends all of a very long log")
            return tail

    def _get(self, url: str, ranged: str | None) -> requests.Response:
        session, host = self._session(url)
        headers = {"Accept-Encoding": "identity"} | ({"Range": ranged} if ranged else {})
        send = partial(session.get, url, headers=headers, timeout=(CONNECT_SECONDS, READ_SECONDS))
        try:
            response = send(allow_redirects=False, stream=True)
        except (http.RequestException, pool.HTTPError, OSError) as error:
            raise retryable_error(error, host) from error
        try:
            _judge(response, host)
        except (DownloadFailed, RetryableError):
            response.close()
            raise
        return response

    def _session(self, url: str) -> tuple[requests.Session, str]:
        """The session for the URL's host. Raises DownloadFailed if the URL must not be used."""
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            raise DownloadFailed("ICA gave a URL that cannot be read") from None
        if "@" in parts.netloc or not host:
            raise DownloadFailed("ICA gave a URL that cannot be used")
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
            raise DownloadFailed("ICA gave a URL that is not https")
        server = f"{parts.scheme}://{parts.netloc}"
        with self._lock:
            if server not in self._sessions:
                self._sessions[server] = open_session(server, self._env)
            return self._sessions[server], host


def _judge(response: requests.Response, host: str) -> None:
    status = response.status_code
    if status in (200, 206, 416):
        return
    if status in _RETRYABLE or status >= 500:
        raise RetryableError(f"{host} answered {status}")
    if 300 <= status < 400:
        raise DownloadFailed(f"{host} answered {status}, a redirect, which is never followed")
    if status in (401, 403):
        raise DownloadFailed(f"{host} answered {status}: its signed URL is not accepted", expired=True)
    raise DownloadFailed(f"{host} does not have it" if status in (404, 410) else f"{host} answered {status}")


def _extent(response: requests.Response) -> tuple[int, int | None]:
    """Where the body starts in the file, and how long the file is, if the server says so."""
    if response.status_code == 206:
        match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if match is None:
            return -1, None
        return int(match[1]), None if match[2] == "*" else int(match[2])
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isascii() and length.isdigit() else None


def _chunks(response: requests.Response) -> Iterator[bytes]:
    """The body as it arrives. Raises RetryableError if it breaks off."""
    host = urlsplit(response.url).hostname or ""
    while True:
        try:
            chunk = response.raw.read1(CHUNK_BYTES, decode_content=False)
        except (http.RequestException, pool.HTTPError, OSError) as error:
            raise _NotWhole(retryable_error(error, host).reason) from error
        if not chunk:
            return
        yield chunk


def _length(part: Path) -> int:
    try:
        return part.stat().st_size
    except FileNotFoundError:
        return 0
    except OSError as e:
        raise unwritable(part, e) from e


def _truncate(part: Path) -> None:
    try:
        part.write_bytes(b"")
    except OSError as e:
        raise unwritable(part, e) from e
