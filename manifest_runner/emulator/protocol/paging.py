"""Cursor and offset paging, which the list endpoints of the API share.

The API does not say what a request without paging parameters means. Here it is the first page of either kind: the
answer has both the cursor and the total. Pages never have more than 1000 rows.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
from starlette.datastructures import QueryParams

from manifest_runner.emulator.protocol.problems import refuse_parameter

_LARGEST_PAGE = 1000
# "Offset-based pagination has a result limit of 200K rows".
_OFFSET_LIMIT = 200_000


class Cursor(NamedTuple):
    """The start of the next page: the row before it, and the number of rows that are left."""

    batch: int
    item: str
    remaining: int


class Page(NamedTuple):
    """A part of a list: by ``offset``, after ``cursor``, or the first page of either kind."""

    size: int
    offset: int | None = None
    cursor: Cursor | None = None
    sort: str | None = None

    @property
    def by_offset(self) -> bool:
        """Whether cursors cannot be used, since they only follow the order of the table."""
        return self.offset is not None or self.sort is not None


class Listing(NamedTuple):
    """Rows of one page. ``total`` is None when paging by cursor, ``remaining`` and ``cursor`` by offset."""

    rows: Sequence[Any]
    total: int | None
    remaining: int | None
    cursor: Cursor | None


def one_page(rows: Sequence[Any], page: Page) -> Listing:
    """One page of rows that are all in memory; their order must be the same for each page."""
    if page.by_offset:
        start = page.offset or 0
        return Listing(rows[start : start + page.size], len(rows), None, None)
    start = page.cursor.batch if page.cursor else 0
    end = start + page.size
    remaining = max(len(rows) - end, 0)
    cursor = Cursor(end, "", remaining) if remaining else None
    return Listing(rows[start:end], None if page.cursor else len(rows), remaining, cursor)


def read_page(query: QueryParams) -> Page:
    """The page that a query string asks for. Raises Problem 400."""
    token, offset, sort = query.get("pageToken"), query.get("pageOffset"), query.get("sort")
    if token is not None and (offset is not None or sort):
        refuse_parameter("pageToken", "cannot be combined with pageOffset or sort")
    size = _number("pageSize", query.get("pageSize", str(_LARGEST_PAGE)), least=1)
    return Page(
        min(size, _LARGEST_PAGE),
        None if offset is None else _offset(offset),
        _cursor(token) if token else None,
        sort or None,
    )


def envelope(listing: Listing, items: list[Any]) -> dict[str, Any]:
    """The JSON object of one page that shows the rows as ``items``."""
    return {
        "items": items,
        "nextPageToken": _token(listing.cursor) if listing.cursor else "",
        "remainingRecords": listing.remaining,
        "totalItemCount": listing.total,
    }


def _offset(value: str) -> int:
    offset = _number("pageOffset", value, least=0)
    if offset >= _OFFSET_LIMIT:
        refuse_parameter("pageOffset", f"must be below {_OFFSET_LIMIT}; page by cursor instead")
    return offset


def _number(name: str, value: str, least: int) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 10 and int(value) >= least):
        refuse_parameter(name, f"must be a whole number from {least}")
    return int(value)


def _token(cursor: Cursor) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(tuple(cursor))).decode()


def _cursor(token: str) -> Cursor:
    try:
        batch, item, remaining = orjson.loads(base64.urlsafe_b64decode(token))
        return Cursor(int(batch), str(item), int(remaining))
    except (binascii.Error, ValueError, TypeError):
        refuse_parameter("pageToken", "is not a token of this list")
