"""Users, distinguished by their credentials; only a hash of a credential is ever kept."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import orjson
from starlette.requests import Request

from manifest_runner.emulator.protocol.identifiers import derive
from manifest_runner.emulator.protocol.problems import Problem
from manifest_runner.emulator.store.database import transaction

# The tenant's name is base64-encoded after the last colon.
_TENANT = "tenant:" + base64.b64encode(b"emulator").decode()
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="emulator"'}


class _Issued(NamedTuple):
    """An issued token: its owner, whether an API key was exchanged for it, and when it expires."""

    owner: str
    from_api_key: bool
    expires: float


class Gatekeeper:
    """Admits users: with the one ``api_key`` or tokens issued for it, or with anything if that is None.

    Tokens are valid for ``lifetime`` seconds; those of an earlier process as long as it decided.
    """

    def __init__(self, connection: sqlite3.Connection, api_key: str | None, lifetime: float) -> None:
        self._connection = connection
        self._api_key = api_key
        self._lifetime = lifetime

    def user(self, request: Request, now: float) -> str:
        """The id of the user who makes the request. Raises Problem 401."""
        for secret in _presented(request, "bearer"):
            if user := self._known(secret, now):
                return user
        raise Problem(401, "X-API-Key or a bearer token is missing or not known.", headers=_CHALLENGE)

    def mint(self, request: Request, now: float) -> str:
        """A new token for an API key, a psToken or basic authentication. Raises Problem 401."""
        from_key = bool(request.headers.get("x-api-key"))
        for secret in _presented(request, "bearer", "basic"):
            if user := self._known(secret, now):
                return self._issue(user, now, from_key=from_key)
        raise Problem(401, "No credential that a token can be made of.", headers=_CHALLENGE)

    def refresh(self, request: Request, now: float) -> str:
        """A new token for a token. Raises Problem 401, and 400 for one made with an API key."""
        for secret in _authorization(request, "bearer"):
            if user := self._known(secret, now):
                if self._is_from_key(secret):
                    raise Problem(400, "A token that was generated with an API key cannot be refreshed.")
                return self._issue(user, now, from_key=False)
        raise Problem(401, "A valid token is needed.", headers=_CHALLENGE)

    def _known(self, secret: str, now: float) -> str | None:
        if issued := self._issued(secret):
            return issued.owner if now < issued.expires else None
        if self._api_key is None or hmac.compare_digest(secret.encode(), self._api_key.encode()):
            return derive("user", _fingerprint(secret).hex())
        return None

    def _is_from_key(self, token: str) -> bool:
        issued = self._issued(token)
        return issued is not None and issued.from_api_key

    def _issued(self, secret: str) -> _Issued | None:
        row = self._connection.execute(
            "SELECT owner, from_api_key, expires FROM tokens WHERE fingerprint = ?", (_fingerprint(secret),)
        ).fetchone()
        return _Issued(row[0], bool(row[1]), row[2]) if row else None

    def _issue(self, user: str, now: float, *, from_key: bool) -> str:
        expires = now + self._lifetime
        claims = {"sub": user, "aud": "ica", "tid": _TENANT, "iat": int(now), "exp": int(expires)}
        token = _token({**claims, "jti": secrets.token_hex(8)})
        with transaction(self._connection):
            self._connection.execute(
                "INSERT INTO tokens VALUES (?,?,?,?)", (_fingerprint(token), user, from_key, expires)
            )
        return token


def _presented(request: Request, *schemes: str) -> Iterator[str]:
    yield from _authorization(request, *schemes)
    if key := request.headers.get("x-api-key", "").strip():
        yield key


def _authorization(request: Request, *schemes: str) -> Iterator[str]:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() in schemes and secret.strip():
        yield secret.strip()


def _fingerprint(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _token(claims: Mapping[str, object]) -> str:
    """A token that looks like a JWT; its signature is random, since tokens are recognized by their hash."""
    parts = (orjson.dumps({"alg": "HS256", "typ": "JWT"}), orjson.dumps(claims), secrets.token_bytes(32))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
