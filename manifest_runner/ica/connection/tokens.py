"""Authorize requests with a credential, or with a token in exchange for an API key.

ICA opens a session for each request that carries an API key, and recommends a token. The token of an API key cannot be
refreshed, so shortly before it expires, or on a 401, the key is exchanged again. If the exchange is refused, the key is
used as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import orjson

from manifest_runner.ica.connection.config import Credential, token_claims
from manifest_runner.ica.connection.retry import HttpAnswer

API_KEY_HEADER = "X-API-Key"
# A token is replaced this many seconds before it expires, or after nine tenths of its life if that is later.
MARGIN_SECONDS = 60.0
LAST_PART = 0.1

Header = tuple[str, str]
Exchange = Callable[[Header], HttpAnswer]


class Authorization:
    """The header that authorizes requests. May be used by several threads at once.

    ``exchange`` sends a request for a token with the given header; ``now`` gives the server's time in seconds.
    """

    def __init__(self, credential: Credential, exchange: Exchange, now: Callable[[], float]) -> None:
        self._credential = credential
        self._exchange = exchange
        self._now = now
        self._lock = Lock()
        self._token: str | None = None
        self._until = 0.0
        self._is_refused = credential.header != API_KEY_HEADER

    def header(self) -> Header:
        """The header of the next request. Raises RetryableError if the server cannot be asked for a token."""
        with self._lock:
            if not self._is_refused and (self._token is None or self._now() >= self._until):
                self._mint()
            return self._header()

    def renewed(self, used: Header) -> bool:
        """After a 401 for this header: whether another one is worth a try."""
        with self._lock:
            if not self._is_refused and self._header() == used:
                self._mint()
            return self._header() != used

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that must not be shown."""
        return (self._credential.secret, self._token) if self._token else (self._credential.secret,)

    def _header(self) -> Header:
        if self._token is None:
            return self._credential.header, self._credential.value
        return "Authorization", f"Bearer {self._token}"

    def _mint(self) -> None:
        answer = self._exchange((self._credential.header, self._credential.value))
        self._token = _token_in(answer)
        self._is_refused = self._token is None
        if self._token is not None:
            end = token_claims(self._token).get("exp")
            life = end - self._now() if isinstance(end, int | float) else float("inf")
            self._until = self._now() + life - min(MARGIN_SECONDS, life * LAST_PART)


def _token_in(answer: HttpAnswer) -> str | None:
    """The token, if the answer holds one that can be a header."""
    if not 200 <= answer.status < 300:
        return None
    try:
        document = orjson.loads(answer.body)
    except ValueError:
        return None
    token = document.get("token") if isinstance(document, dict) else None
    return token if isinstance(token, str) and token.isascii() and token.isprintable() and token.strip() else None
