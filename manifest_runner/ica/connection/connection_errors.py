"""The meaning of each exception of the HTTP libraries. A test fails for any that is not in the table."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import msgspec
from requests import exceptions as http
from urllib3 import exceptions as pool

from manifest_runner.errors import Refused
from manifest_runner.ica.connection.retry import RetryableError
from manifest_runner.text import plain_text


class Meaning(msgspec.Struct, frozen=True):
    """The meaning of a family of exceptions, in the terms of RetryableError. ``words`` may name the ``{host}``."""

    words: str
    kinds: tuple[type[BaseException], ...] = ()
    final: bool = False
    executed: bool = True


# The first line that matches the exception or one of its causes counts: requests wraps most of them in ConnectionError.
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
    Meaning("the proxy cannot reach {host}", (http.ProxyError, pool.ProxyError), executed=False),
    Meaning(
        "no connection to {host}",
        (http.ConnectTimeout, pool.ConnectTimeoutError, pool.NewConnectionError),
        executed=False,
    ),
    Meaning("{host} did not answer in time", (http.Timeout, pool.TimeoutError)),
    Meaning("TLS with {host} failed", (http.SSLError, pool.SSLError)),
    Meaning(
        "the answer of {host} was cut off or cannot be read",
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
# How urllib3 and http.client say that CONNECT was answered by 407.
PROXY_REFUSAL = "Tunnel connection failed: 407"
PROXY_WORDS = "the proxy asks for credentials (407); put them into HTTPS_PROXY, as in http://USER:PASSWORD@HOST:PORT"
UNEXPECTED = Meaning("the request to {host} failed")


def meaning_of(error: BaseException) -> Meaning:
    """The line of the table for an exception; UNEXPECTED for one that the libraries may add later."""
    causes = tuple(_causes(error))
    fitting = (line for line in MEANINGS if any(isinstance(cause, line.kinds) for cause in causes))
    return next(fitting, UNEXPECTED)


def retryable_error(error: Exception, host: str) -> RetryableError:
    """The RetryableError for an exception of requests, urllib3 or the system.

    The words are ours, since theirs can hold URLs with a proxy's password; only the system's are added.
    """
    meaning = meaning_of(error)
    words = meaning.words.format(host=host) + _system_words(error)
    return RetryableError(words, final=meaning.final, executed=meaning.executed)


def refuse_proxy(error: Exception) -> None:
    """Raise Refused where a proxy asks for credentials, which no retry can help. Only the libraries' text says so."""
    if any(isinstance(cause, OSError) and PROXY_REFUSAL in str(cause) for cause in _causes(error)):
        raise Refused(f"{PROXY_WORDS}.", status=407) from error


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
