"""Signed URLs of files, like those of an object store in the platform's region."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from manifest_runner.emulator.catalog.data_rows import DataRow

_SECRET = b"the emulator keeps no secrets"
_LIFETIME = 3600
_DATE = "%Y%m%dT%H%M%SZ"


class Signer:
    """Makes the URLs of one file server; ``base`` is its URL without a path."""

    def __init__(self, base: str) -> None:
        self._base = base

    def url(self, project: str, row: DataRow, now: float) -> str:
        """A URL with which anybody can fetch the file for an hour."""
        path = quote(f"/{project}/{row.id}{row.path}")
        date = datetime.fromtimestamp(now, UTC).strftime(_DATE)
        query = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"EMULATOR/{date[:8]}/nowhere/s3/aws4_request",
            "X-Amz-Date": date,
            "X-Amz-Expires": str(_LIFETIME),
            "X-Amz-SignedHeaders": "host",
            "X-Amz-Signature": _signature(path, date),
        }
        return f"{self._base}{path}?{urlencode(query)}"


def refusal(path: str, query: Mapping[str, str], now: float) -> str | None:
    """Why a store refuses a request for this (escaped) path, or None."""
    date, given = query.get("X-Amz-Date", ""), query.get("X-Amz-Signature", "")
    if not hmac.compare_digest(given.encode(), _signature(path, date).encode()):
        return "SignatureDoesNotMatch"
    signed = datetime.strptime(date, _DATE).replace(tzinfo=UTC).timestamp()
    return "AccessDenied" if now >= signed + _LIFETIME else None


def _signature(path: str, date: str) -> str:
    return hmac.new(_SECRET, f"{path}\n{date}".encode(), hashlib.sha256).hexdigest()
