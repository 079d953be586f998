"""The address of a server: one spelling for each server, and no address that could leak a credential."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from manifest_runner.errors import UsageProblem
from manifest_runner.loopback import is_loopback

DEFAULT_PATH = "/ica/rest"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")
_VISIBLE_ASCII = re.compile(r"[!-~]+")


def normal_url(text: str, source: str) -> str:
    """``scheme://host[:port]/path`` of a URL or bare host (which gets https); no path becomes ``/ica/rest``.

    ``source`` says in messages where the text came from. The text itself is never shown, since what makes a
    URL wrong is often a password in it. Raises UsageProblem.
    """
    parts = _split(text, source)
    host = _host(parts, source)
    _check_scheme(parts.scheme, host, source)
    port = _port(parts, source)
    shown_port = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    shown_host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown_host}{shown_port}{parts.path.rstrip('/') or DEFAULT_PATH}"


def host_of(url: str) -> str:
    """The host of a URL that `normal_url` made, without port or brackets."""
    return urlsplit(url).hostname or ""


def _split(text: str, source: str) -> SplitResult:
    if not _VISIBLE_ASCII.fullmatch(text):
        raise UsageProblem(f"{source}: the server URL must be ASCII without spaces or control characters")
    if "?" in text or "#" in text:
        raise UsageProblem(f"{source}: a server URL has no query (?) and no fragment (#)")
    try:
        return urlsplit(text if "://" in text else f"https://{text}")
    except ValueError:
        raise _not_a_url(source) from None


def _host(parts: SplitResult, source: str) -> str:
    if "@" in parts.netloc:
        raise UsageProblem(
            f"{source}: a server URL must not contain a user name or password; set ICAV2_X_API_KEY instead"
        )
    host = parts.hostname or ""
    address = _address(host)
    if address is None and not _HOST_NAME.fullmatch(host):
        raise _not_a_url(source)
    return host if address is None else str(address)


def _check_scheme(scheme: str, host: str, source: str) -> None:
    if scheme not in _DEFAULT_PORTS:
        raise UsageProblem(f"{source}: a server URL starts with https://")
    if scheme == "http" and not is_loopback(host):
        raise UsageProblem(f"{source}: plain HTTP is allowed only for localhost; use https://")


def _port(parts: SplitResult, source: str) -> int | None:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise UsageProblem(f"{source}: the port of the server URL must be a number from 1 to 65535")
    return port


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _not_a_url(source: str) -> UsageProblem:
    return UsageProblem(f"{source}: not a server URL; it looks like https://ica.illumina.com")
