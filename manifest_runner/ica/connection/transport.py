"""Send HTTP requests: sessions, proxies, certificates, and the server's time as its answers show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import requests
from requests import exceptions as http
from urllib3 import exceptions as pool

from manifest_runner.errors import UsageProblem
from manifest_runner.ica.connection.config import Credential
from manifest_runner.ica.connection.connection_errors import refuse_proxy, retryable_error
from manifest_runner.ica.connection.retry import Deadline, HttpAnswer, RetryableError, read_http_date
from manifest_runner.ica.connection.server_url import host_of
from manifest_runner.ica.connection.tokens import Authorization
from manifest_runner.ica.endpoints import Call, exchange_key
from manifest_runner.loopback import is_loopback
from manifest_runner.text import plain_text
from manifest_runner.version import __version__

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
# The read timeout starts again with each byte; this ends an answer that comes byte by byte.
ANSWER_SECONDS = 300.0
ANSWER_BYTES = 64 * 2**20
CHUNK_BYTES = 2**16


class Transport:
    """Sends calls to one project of one server with one credential."""

    def __init__(
        self,
        server_url: str,
        project: str,
        credential: Credential,
        deadline: Deadline,
        clock: Callable[[], float],
        env: Mapping[str, str],
    ) -> None:
        self._server_url = server_url
        self._project = f"/api/projects/{project}"
        self._host = urlsplit(server_url).netloc  # `normal_url` allows no user name in it
        self._authorization = Authorization(credential, self._exchange_key, lambda: self.server_now() or clock())
        self._deadline = deadline
        self._clock = clock
        self._ahead: float | None = None
        self._session = open_session(server_url, env)

    def server_now(self) -> float | None:
        """Seconds since the epoch by the server's clock; None as long as no answer has shown it."""
        return None if self._ahead is None else self._clock() + self._ahead

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    @property
    def secrets(self) -> tuple[str, ...]:
        """The credentials that the server was sent."""
        return self._authorization.secrets

    def send(self, call: Call) -> HttpAnswer:
        """One HTTP exchange, and a second one if the token turns out to have expired.

        Raises RetryableError for anything but a complete answer.
        """
        header = self._authorization.header()
        answer = self._exchange(call, header)
        if answer.status == HTTPStatus.UNAUTHORIZED and self._authorization.renewed(header):
            return self._exchange(call, self._authorization.header())
        return answer

    def _exchange_key(self, header: tuple[str, str]) -> HttpAnswer:
        call = exchange_key()
        try:
            return self._exchange(call, header)
        except RetryableError as error:
            raise error.not_executed() from error

    def _exchange(self, call: Call, header: tuple[str, str]) -> HttpAnswer:
        url = self._server_url + (call.path if call.path.startswith("/api/") else self._project + call.path)
        left = max(self._deadline.left(), 0.05)  # a timeout of 0 is an error of its own
        try:
            with self._session.request(
                call.method,
                url,
                params=call.params,
                data=call.body,
                headers=call.headers() | dict([header]),
                timeout=(min(CONNECT_SECONDS, left), min(READ_SECONDS, left)),
                allow_redirects=False,
                stream=True,
            ) as response:
                self._require_final(response.status_code)
                self._learn_time(response.headers.get("Date"))
                body = self._read_body(response)
        except (http.RequestException, pool.HTTPError, OSError) as error:
            refuse_proxy(error)
            raise retryable_error(error, self._host) from error
        headers = response.headers
        return HttpAnswer(response.status_code, body, headers.get("Retry-After"), headers.get("Location"))

    def _require_final(self, status: int) -> None:
        """Raise RetryableError for an interim answer (RFC 9110, 15.2): http.client skips only 100 of them.

        The real answer is still to come on that connection, and must not be read as the answer to the next request.
        """
        if status < HTTPStatus.OK:
            self._session.close()
            raise RetryableError(f"ICA sent {status}, which is not an answer yet")

    def _learn_time(self, date: str | None) -> None:
        """From the Date header (RFC 9110, 6.6.1): right to the second, and it is used to judge ages of hours."""
        if (theirs := read_http_date(date)) is not None:
            self._ahead = theirs - self._clock()

    def _read_body(self, response: requests.Response) -> bytes:
        """All of the body, bounded in bytes and in time."""
        limit = Deadline.after(min(ANSWER_SECONDS, self._deadline.left()), self._deadline.clock)
        body = bytearray()
        # read1 returns what has arrived; read would wait for a full chunk, however slowly that arrives.
        while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
            body += chunk
            if len(body) > ANSWER_BYTES:
                raise RetryableError(f"ICA's answer is larger than {ANSWER_BYTES >> 20} MiB", final=True)
            if limit.left() <= 0:
                raise RetryableError("ICA's answer takes too long to arrive")
        return bytes(body)


def proxies_for(url: str, env: Mapping[str, str]) -> dict[str, str]:
    """The proxy of ``HTTPS_PROXY`` or ``ALL_PROXY`` for requests; none for http and loopback."""
    host = host_of(url)
    proxy = _variable(env, "https_proxy", "all_proxy")
    if not proxy or not url.startswith("https:") or is_loopback(host):
        return {}
    if requests.utils.should_bypass_proxies(url, no_proxy=_variable(env, "no_proxy")):
        return {}
    return {"https": proxy}


def trust_for(env: Mapping[str, str]) -> str | bool:
    """The file or folder of certificates that the environment names, or True for the usual ones."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        if path := env.get(name):
            if not Path(path).exists():
                raise UsageProblem(f"{name}: there is no {plain_text(path)}")
            return path
    return True


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: even when it does not follow, requests would parse the target and read the whole body."""


def open_session(server_url: str, env: Mapping[str, str]) -> requests.Session:
    """A session that takes nothing from the process's environment: no .netrc, and only the proxies given here."""
    session = _Session()
    session.trust_env = False
    session.proxies.update(proxies_for(server_url, env))
    session.verify = trust_for(env) if server_url.startswith("https:") else True
    session.headers.update({"User-Agent": f"manifest-runner/{__version__}", "Accept-Encoding": "gzip"})
    return session


def _variable(env: Mapping[str, str], *names: str) -> str:
    """The first variable that is set, in lower case before upper case, as curl and requests have it."""
    return next((env[name] for low in names for name in (low, low.upper()) if env.get(name)), "")
