"""Decode the bodies of ICA's answers: what all their readers share. Pure."""

from __future__ import annotations

import re
from typing import Annotated, Any, Generic, TypeVar

import msgspec

from manifest_runner.ica.connection.redact import Cleaner

T = TypeVar("T")

# The API's ids are UUIDs. Nothing but a plain word is ever put into the path of a later request.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,254}")
Text = Annotated[str, msgspec.Meta(max_length=2000)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class WireError(ValueError):
    """The body is not what the API promises; the message says what is missing, without the body's text."""


class Page(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list. ``next_token`` is None on the last, ``total`` None unless the server counted.

    ``remaining`` is about how many rows come after it, None if the server does not say.
    """

    items: tuple[T, ...]
    next_token: str | None
    total: int | None
    remaining: int | None = None


class Wire(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Members of an answer that are read; all others are skipped."""


class PagedList(Wire, Generic[T], frozen=True):
    """A list of the API, with or without pages."""

    items: list[T]
    next_page_token: str | None = None
    total_item_count: Any = None
    remaining_records: Any = None


def decode(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """The body as the decoder's type. Raises WireError."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:  # it names the place and the type, and shows no value
        raise WireError(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError("it is not JSON") from error


def page_of(page: PagedList[Any], items: tuple[T, ...]) -> Page[T]:
    """The page with these items, which were read from it."""
    total, left = page.total_item_count, page.remaining_records
    return Page(
        items,
        page.next_page_token or None,
        total if isinstance(total, int) else None,
        left if isinstance(left, int) and left >= 0 else None,
    )


def cleaned_name(text: str | None, clean: Cleaner) -> str | None:
    """A name, status or time, or None."""
    return None if text is None else clean.name(text)


def plain_id(text: str, clean: Cleaner) -> str:
    """An id that is safe in a path. Raises WireError."""
    cleaned = clean.name(text)
    if not _ID.fullmatch(cleaned):
        raise WireError("an id is not a plain word")
    return cleaned
