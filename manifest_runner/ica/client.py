"""The API of ICA as methods that take and give values; the only module that speaks HTTP.

Every call is tried again until its schedule or the deadline is over. What a call raises is Refused (KeyReused
for a 422 to an idempotency key) or Unreachable. Text of the server is cleaned on its way in.
"""

from __future__ import annotations

import os
import random
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import requests
from requests import exceptions as http
from urllib3 import exceptions as pool

from manifest_runner import __version__
from manifest_runner.errors import Refused, Unreachable, UsageProblem
from manifest_runner.ica import endpoints, responses
from manifest_runner.ica.backoff import Deadline, read_http_date
from manifest_runner.ica.config import Credential
from manifest_runner.ica.endpoints import V3, V4, Call
from manifest_runner.ica.problem import Subject
from manifest_runner.ica.retry import SAFE, Answer, Patience, Setback, judge
from manifest_runner.ica.server_url import host_of, is_loopback
from manifest_runner.model import Analysis, Batch, BatchItem
from manifest_runner.text import Cleaner, plain_text

T = TypeVar("T")
Reader = Callable[[bytes, Cleaner], T]

NOT_ACCEPTABLE = 406
CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
# The read timeout starts anew with each byte; this ends an answer that drips.
ANSWER_SECONDS = 300.0
ANSWER_BYTES = 64 * 2**20
CHUNK_BYTES = 2**16
# A batch has 5,000 items at most; ten million analyses of one manifest are a server that goes in circles.
MAX_PAGES = 10_000
# To ask about it tells the time, and that there is none.
NOBODYS_BATCH = "00000000-0000-0000-0000-000000000000"


class Client:
    """One project of one server, as seen with one credential. Not for use by several threads at once.

    ``server_url`` is one of `find_server`, ``project`` one of `find_project`. ``notify`` gets one line before
    each retry. ``clock`` gives seconds since the epoch by this computer. ``env`` holds proxies and certificates.
    Raises UsageProblem when those cannot be used.
    """

    def __init__(
        self,
        server_url: str,
        credential: Credential,
        project: str,
        *,
        deadline: Deadline,
        notify: Callable[[str], None] = lambda _line: None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
        retry_rate_limits: bool = True,
        page_size: int = 1000,
        env: Mapping[str, str] = os.environ,
    ) -> None:
        self._subject = Subject(server_url, project, credential.source)
        self._base = f"{server_url}/api/projects/{project}"
        self._host = host_of(server_url)
        self._credential = credential
        self._clean = Cleaner(credential.secret)
        self._patience = Patience(deadline, notify, sleep, jitter)
        self._retry_rate_limits = retry_rate_limits
        self._page_size = page_size
        self._has_v4 = True
        self._clock = clock
        self._ahead: float | None = None
        self._session = _session(server_url, env)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def user(self) -> str:
        """Who asks, as `Credential.user` has it: idempotency keys are honoured per user."""
        return self._credential.user

    def now(self) -> float:
        """Seconds since the epoch by our clock or by the server's, as its answers tell it: by the one that is behind.

        What the server timed is then never thought older than it is, whichever clock is wrong.
        """
        ours, theirs = self._clock(), self.server_now()
        return ours if theirs is None else min(ours, theirs)

    def server_now(self) -> float | None:
        """The same by the server's clock; None as long as no answer has told it."""
        return None if self._ahead is None else self._clock() + self._ahead

    def ask_time(self) -> None:
        """Learn the server's time by a small question; whatever the answer, it tells it. Raises Unreachable."""
        self._patience.insist(lambda: self._send(endpoints.get_batch(NOBODYS_BATCH)))

    def _learn_time(self, date: str | None) -> None:
        """From an answer's Date header (RFC 9110, 6.6.1). It is right to the second, the ages it judges are hours."""
        if (theirs := read_http_date(date)) is not None:
            self._ahead = theirs - self._clock()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def create_batch(self, key: str, body: bytes) -> Batch:
        """POST a batch: the bytes as they are, under the idempotency key. A replayed answer looks the same.

        Raises KeyReused when the key was used with other bytes, Refused for any other no (see its
        ``maybe_executed``), and Unreachable, after which the batch may or may not be launched.
        """
        return self._ask(endpoints.create_batch(key, body), responses.read_batch)

    def get_batch(self, batch_id: str) -> Batch:
        """A batch as it is now."""
        return self._ask(endpoints.get_batch(batch_id), responses.read_batch)

    def list_items(self, batch_id: str, statuses: tuple[str, ...] = ()) -> Iterator[BatchItem]:
        """The items of a batch in the server's order, only those of the given statuses if there are any."""
        return self._pages(endpoints.list_items(batch_id, statuses), responses.read_item_page)

    def get_item(self, batch_id: str, item_id: str) -> BatchItem:
        """One item of a batch."""
        return self._ask(endpoints.get_item(batch_id, item_id), responses.read_item)

    def search_analyses(
        self,
        *,
        technical_tags: tuple[str, ...] = (),
        statuses: tuple[str, ...] = (),
        user_reference: str | None = None,
    ) -> Iterator[Analysis]:
        """The project's analyses that the server finds. How it compares is its own affair: compare again."""
        call = endpoints.search_analyses(technical_tags, statuses, user_reference)
        return self._pages(call, responses.read_analysis_page)

    def get_analysis(self, analysis_id: str) -> Analysis:
        """One analysis."""
        return self._ask(endpoints.get_analysis(analysis_id), responses.read_analysis)

    def abort_analysis(self, analysis_id: str) -> None:
        """Ask for the end of an analysis; its status changes later."""
        self._ask(endpoints.abort_analysis(analysis_id), lambda _body, _clean: None)

    def _pages(self, call: Call, read: Reader[responses.Page[T]]) -> Iterator[T]:
        """The elements of all pages.

        ICA pages by cursor when a request has neither ``pageOffset`` nor ``sort``, so the first page is asked
        for by its size alone; each page then gives the token of the next one.
        """
        call = call.with_params(pageSize=str(self._page_size))
        page = self._ask(call, read)
        if page.next_token is None and (page.total or 0) > len(page.items):
            raise Unreachable(f"ICA gave {len(page.items)} of {page.total} records and no way on. {SAFE}")
        yield from page.items
        seen: set[str] = set()
        while (token := page.next_token) is not None:
            if token in seen or len(seen) >= MAX_PAGES:
                raise Unreachable(f"ICA's pages have no end: stopped after {len(seen) + 1} of them. {SAFE}")
            seen.add(token)
            page = self._ask(call.with_params(pageToken=token), read)
            yield from page.items

    def _ask(self, call: Call, read: Reader[T]) -> T:
        """The value of the answer. What has a version 4 is asked of version 3 where the server has no 4."""
        if call.accept == V4 and not self._has_v4:
            call = replace(call, accept=V3)
        try:
            return self._patience.insist(lambda: self._try(call, read))
        except Refused as refused:
            if refused.status != NOT_ACCEPTABLE or call.accept != V4:
                raise
        self._has_v4 = False
        return self._ask(call, read)

    def _try(self, call: Call, read: Reader[T]) -> T:
        answer = self._send(call)
        subject = replace(self._subject, wanted=call.wanted, keyed=call.key is not None)
        judge(answer, subject, self._clean, now=self._clock(), retry_rate_limits=self._retry_rate_limits)
        try:
            return read(answer.body, self._clean)
        except responses.WireError as error:
            raise Setback(f"ICA answered {answer.status} with what cannot be read ({error})") from error

    def _send(self, call: Call) -> Answer:
        """One HTTP exchange. Raises Setback for whatever comes between us and a whole answer."""
        left = max(self._patience.deadline.left(), 0.05)  # a timeout of 0 is an error of its own
        try:
            with self._session.request(
                call.method,
                self._base + call.path,
                params=call.params,
                data=call.body,
                headers=call.headers() | {self._credential.header: self._credential.value},
                timeout=(min(CONNECT_SECONDS, left), min(READ_SECONDS, left)),
                allow_redirects=False,
                stream=True,
            ) as response:
                self._learn_time(response.headers.get("Date"))
                body = self._read_body(response)
        except (http.RequestException, pool.HTTPError, OSError) as error:
            raise setback_of(error, self._host) from error
        headers = response.headers
        return Answer(response.status_code, body, headers.get("Retry-After"), headers.get("Location"))

    def _read_body(self, response: requests.Response) -> bytes:
        """All of the body, bounded in bytes and in time."""
        deadline = self._patience.deadline
        limit = Deadline.after(min(ANSWER_SECONDS, deadline.left()), deadline.clock)
        body = bytearray()
        # read1 gives what is there, where read would wait for a full chunk however slowly it drips.
        while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
            body += chunk
            if len(body) > ANSWER_BYTES:
                raise Setback(f"ICA's answer is larger than {ANSWER_BYTES >> 20} MiB", final=True)
            if limit.left() <= 0:
                raise Setback("ICA's answer takes too long to arrive")
        return bytes(body)


def proxies_for(url: str, env: Mapping[str, str]) -> dict[str, str]:
    """The proxy of ``HTTPS_PROXY`` or ``ALL_PROXY`` that requests shall use, none for http and loopback."""
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


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a family of exceptions means, in the terms of Setback; ``words`` may name the ``{host}``."""

    words: str
    kinds: tuple[type[BaseException], ...] = ()
    final: bool = False
    executed: bool = True


# The first line that fits the exception or one of its causes counts: requests hides most as ConnectionError.
MEANINGS = (
    Meaning(
        "the certificate of {host} is not trusted (see REQUESTS_CA_BUNDLE)",
        (ssl.SSLCertVerificationError,),
        final=True,
        executed=False,
    ),
    Meaning(
        "the proxy's URL cannot be used (see HTTPS_PROXY)",
        (http.InvalidProxyURL, pool.ProxySchemeUnknown),
        final=True,
        executed=False,
    ),
    Meaning("the proxy gives no way to {host}", (http.ProxyError, pool.ProxyError), executed=False),
    Meaning(
        "no connection to {host}",
        (http.ConnectTimeout, pool.ConnectTimeoutError, pool.NewConnectionError),
        executed=False,
    ),
    Meaning("{host} did not answer in time", (http.Timeout, pool.TimeoutError)),
    Meaning("TLS with {host} failed", (http.SSLError, pool.SSLError)),
    Meaning(
        "the answer of {host} broke off or cannot be read",
        (
            http.ChunkedEncodingError,
            http.ContentDecodingError,
            http.InvalidHeader,
            http.InvalidJSONError,
            http.StreamConsumedError,
            pool.BodyNotHttplibCompatible,
            pool.DecodeError,
            pool.HeaderParsingError,
            pool.IncompleteRead,
            pool.InvalidChunkLength,
            pool.InvalidHeader,
            pool.ResponseError,
            pool.ResponseNotChunked,
        ),
    ),
    Meaning(
        "the request to {host} cannot be made",
        (
            http.HTTPError,
            http.InvalidSchema,
            http.InvalidURL,
            http.MissingSchema,
            http.TooManyRedirects,
            http.URLRequired,
            http.UnrewindableBodyError,
            pool.HostChangedError,
            pool.LocationValueError,
            pool.TimeoutStateError,
            pool.UnrewindableBodyError,
            pool.URLSchemeUnknown,
        ),
        final=True,
    ),
    Meaning(
        "the connection to {host} was lost",
        (http.ConnectionError, http.RetryError, pool.PoolError, pool.ProtocolError, ConnectionError),
    ),
)
UNEXPECTED = Meaning("the request to {host} failed")


def meaning_of(error: BaseException) -> Meaning:
    """The line of the table for an exception; UNEXPECTED for what the libraries may add one day."""
    causes = tuple(_causes(error))
    fitting = (line for line in MEANINGS if any(isinstance(cause, line.kinds) for cause in causes))
    return next(fitting, UNEXPECTED)


def setback_of(error: Exception, host: str) -> Setback:
    """The setback for an exception of requests, urllib3 or the system.

    The words are ours, since theirs can hold URLs with a proxy's password; only the system's are added.
    """
    meaning = meaning_of(error)
    words = meaning.words.format(host=host) + _system_words(error)
    return Setback(words, final=meaning.final, executed=meaning.executed)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _system_words(error: Exception) -> str:
    for cause in _causes(error):
        if isinstance(cause, http.RequestException):
            continue  # an OSError too, but with words of requests
        if isinstance(cause, OSError) and isinstance(cause.strerror, str):
            return f": {plain_text(cause.strerror, 200)}"
    return ""


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: even when it does not follow, requests would parse the target and read the whole body."""


def _session(server_url: str, env: Mapping[str, str]) -> requests.Session:
    """A session that takes nothing from the process by itself: no .netrc, no proxies but those given here."""
    session = _Session()
    session.trust_env = False
    session.proxies.update(proxies_for(server_url, env))
    session.verify = trust_for(env) if server_url.startswith("https:") else True
    session.headers.update({"User-Agent": f"manifest-runner/{__version__}", "Accept-Encoding": "gzip"})
    return session


def _variable(env: Mapping[str, str], *names: str) -> str:
    """The first variable that is set, in lower case before upper case, as curl and requests have it."""
    return next((env[name] for low in names for name in (low, low.upper()) if env.get(name)), "")
