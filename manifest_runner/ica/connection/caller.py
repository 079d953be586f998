"""Call the API of one server for one project: with retries, page by page, in the version that the server has.

Every call is retried until its schedule or the deadline is over. A call raises Refused (KeyReused for a 422 to an
idempotency key) or Unreachable. The server's text is cleaned as it is read.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Self, TypeVar

from msgspec import structs

from manifest_runner.errors import Refused, Unreachable
from manifest_runner.ica import endpoints
from manifest_runner.ica.connection.config import Credential
from manifest_runner.ica.connection.problem import Subject, judge
from manifest_runner.ica.connection.redact import Cleaner
from manifest_runner.ica.connection.retry import SAFE, Deadline, RetryableError, RetryPolicy
from manifest_runner.ica.connection.transport import Transport
from manifest_runner.ica.endpoints import V3, V4, Call
from manifest_runner.ica.wire import Page, WireError

T = TypeVar("T")
Reader = Callable[[bytes, Cleaner], T]

# A batch has 5,000 items at most; ten million analyses of one manifest mean that the server goes in circles.
MAX_PAGES = 10_000
# ICA answers an Accept that it cannot serve with 400; other servers may use 406, as HTTP has it. If a 400 has another
# reason, the request for version 3 is refused, too.
_UNFIT_ACCEPT = frozenset({400, 406})
# Asking about it reveals the server's time, and that there is no such batch.
NOBODYS_BATCH = "00000000-0000-0000-0000-000000000000"


class Caller:
    """One project of one server, as seen with one credential. Several threads may call it at once.

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
        self._credential = credential
        self._retries = RetryPolicy(deadline, notify, sleep, jitter)
        self._retry_rate_limits = retry_rate_limits
        self.page_size = page_size
        self._has_v4 = True
        self._clock = clock
        self._transport = Transport(server_url, project, credential, deadline, clock, env)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def user(self) -> str:
        """The user, as in `Credential.user`: idempotency keys are honoured per user."""
        return self._credential.user

    @property
    def server_url(self) -> str:
        """The URL of the API. Its length counts toward the length of a URL."""
        return self._subject.server

    @property
    def project(self) -> str:
        """The id of the client's own project."""
        return self._subject.project

    @property
    def cleaner(self) -> Cleaner:
        """A cleaner for text of the server that does not come through this client."""
        return Cleaner(self._transport.secrets)

    def now(self) -> float:
        """Seconds since the epoch by our clock or by the server's, whichever is behind.

        Times that the server gave are then never thought older than they are, whichever clock is wrong.
        """
        ours, theirs = self._clock(), self.server_now()
        return ours if theirs is None else min(ours, theirs)

    def server_now(self) -> float | None:
        """The same by the server's clock; None as long as no answer has shown it."""
        return self._transport.server_now()

    def ask_time(self) -> None:
        """Learn the server's time from the answer to a small request. Raises Unreachable."""
        self._retries.insist(lambda: self._transport.send(endpoints.get_batch(NOBODYS_BATCH)))

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def pages(self, call: Call, read: Reader[Page[T]]) -> Iterator[T]:
        """The elements of all pages.

        ICA pages by cursor when a request has neither ``pageOffset`` nor ``sort``, so the first page is asked
        for by its size alone; each page then gives the token of the next one. Raises Refused, Unreachable.
        """
        call = call.with_params(pageSize=str(self.page_size))
        page = self.ask(call, read)
        if page.next_token is None and (page.total or 0) > len(page.items):
            raise Unreachable(f"ICA gave {len(page.items)} of {page.total} records and no next page. {SAFE}")
        yield from page.items
        seen: set[str] = set()
        while (token := page.next_token) is not None:
            if token in seen or len(seen) >= MAX_PAGES:
                raise Unreachable(f"ICA keeps sending more pages; stopped after {len(seen) + 1} of them. {SAFE}")
            seen.add(token)
            page = self.ask(call.with_params(pageToken=token), read)
            yield from page.items

    def ask(self, call: Call, read: Reader[T], before: Callable[[], None] = lambda: None) -> T:
        """The value of the answer. Version 3 is asked for instead of version 4 where the server has no version 4.

        ``before`` is called before each try; what it raises ends them. Raises Refused when the server says no, and
        Unreachable when no try had an answer that can be read.
        """
        if call.accept == V4 and not self._has_v4:
            call = structs.replace(call, accept=V3)
        try:
            return self._retries.insist(lambda: self._try(call, read, before))
        except Refused as refused:
            if call.accept != V4 or refused.status not in _UNFIT_ACCEPT:
                raise
            of_v4 = refused
        try:
            answer = self.ask(structs.replace(call, accept=V3), read, before)
        except Refused as refused:
            raise of_v4 if refused.status == HTTPStatus.NOT_ACCEPTABLE else refused from None
        self._has_v4 = False
        return answer

    def _try(self, call: Call, read: Reader[T], before: Callable[[], None]) -> T:
        before()
        answer = self._transport.send(call)
        clean = self.cleaner
        subject = structs.replace(self._subject, wanted=call.wanted, keyed=call.key is not None)
        now = self.server_now() or self._clock()  # a Retry-After may be a date by the server's clock
        judge(answer, subject, clean, now=now, retry_rate_limits=self._retry_rate_limits)
        try:
            return read(answer.body, clean)
        except WireError as error:
            raise RetryableError(f"ICA answered {answer.status} with a body that cannot be read ({error})") from error
