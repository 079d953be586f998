"""The connection: sessions, proxies, and what each failure of the libraries means."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import requests
from requests import exceptions as http
from urllib3 import exceptions as pool

from manifest_runner import __version__
from manifest_runner.errors import UsageProblem
from manifest_runner.ica.retry import RetryableError
from manifest_runner.ica.server_url import host_of, is_loopback
from manifest_runner.text import plain_text


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a family of exceptions means, in the terms of RetryableError; ``words`` may name the ``{host}``."""

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


def meaning_of(error: BaseException) -> Meaning:
    """The line of the table for an exception; UNEXPECTED for what the libraries may add one day."""
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


def open_session(server_url: str, env: Mapping[str, str]) -> requests.Session:
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
