"""The API of ICA as methods that take and give values; the only module that speaks HTTP.

Every call is tried again until its schedule or the deadline is over. What a call raises is Refused (KeyReused
for a 422 to an idempotency key) or Unreachable. Text of the server is cleaned on its way in.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Self, TypeVar

import requests
from requests import exceptions as http
from urllib3 import exceptions as pool

from manifest_runner.errors import Refused, Unreachable
from manifest_runner.ica import endpoints, responses
from manifest_runner.ica.backoff import Deadline, read_http_date
from manifest_runner.ica.config import Credential
from manifest_runner.ica.endpoints import V3, V4, Call
from manifest_runner.ica.model import Analysis, Batch, BatchItem
from manifest_runner.ica.problem import Subject, judge
from manifest_runner.ica.redact import Cleaner
from manifest_runner.ica.retry import SAFE, Answer, RetryableError, RetryPolicy
from manifest_runner.ica.server_url import host_of
from manifest_runner.ica.transport import open_session, retryable_error

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
        self._patience = RetryPolicy(deadline, notify, sleep, jitter)
        self._retry_rate_limits = retry_rate_limits
        self._page_size = page_size
        self._has_v4 = True
        self._clock = clock
        self._ahead: float | None = None
        self._session = open_session(server_url, env)

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
            raise RetryableError(f"ICA answered {answer.status} with what cannot be read ({error})") from error

    def _send(self, call: Call) -> Answer:
        """One HTTP exchange. Raises RetryableError for whatever comes between us and a whole answer."""
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
            raise retryable_error(error, self._host) from error
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
                raise RetryableError(f"ICA's answer is larger than {ANSWER_BYTES >> 20} MiB", final=True)
            if limit.left() <= 0:
                raise RetryableError("ICA's answer takes too long to arrive")
        return bytes(body)
