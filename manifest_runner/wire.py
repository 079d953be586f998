"""Bodies of ICA's answers as values of the model. Pure; all text is cleaned on its way in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import orjson

from manifest_runner.model import Analysis, Batch, BatchItem
from manifest_runner.plaintext import Cleaner

T = TypeVar("T")

# The API's ids are UUIDs. Nothing but a plain word is ever put into the path of a later request.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,254}")


class WireError(ValueError):
    """The body is not what the API promises; the message says what is missing, without the body's text."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list. ``next_token`` is None on the last, ``total`` None unless the server counted."""

    items: tuple[T, ...]
    next_token: str | None
    total: int | None


def read_batch(body: bytes, clean: Cleaner) -> Batch:
    """A batch; only its id is needed, so that no launch is lost over an odd job. Raises WireError."""
    document = _document(body)
    job = document.get("job")
    told = [job.get(key) if isinstance(job, dict) else None for key in ("status", "timeCreated")]
    status, time_created = (clean.name(each) if isinstance(each, str) else None for each in told)
    return Batch(_id(document, clean), status, time_created)


def read_item(body: bytes, clean: Cleaner) -> BatchItem:
    """An item of a batch, of version 3 or 4. Raises WireError."""
    return _item(_document(body), clean)


def read_analysis(body: bytes, clean: Cleaner) -> Analysis:
    """An analysis, of version 3 or 4. Raises WireError."""
    return _analysis(_document(body), clean)


def read_item_page(body: bytes, clean: Cleaner) -> Page[BatchItem]:
    """A page of items. Raises WireError."""
    return _page(body, clean, _item)


def read_analysis_page(body: bytes, clean: Cleaner) -> Page[Analysis]:
    """A page of analyses. Raises WireError."""
    return _page(body, clean, _analysis)


def _document(body: bytes) -> Mapping[str, object]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise WireError("it is not JSON") from error
    return _mapping(document, "the body")


def _page(body: bytes, clean: Cleaner, read: Callable[[Mapping[str, object], Cleaner], T]) -> Page[T]:
    document = _document(body)
    items = document.get("items")
    if not isinstance(items, list):
        raise WireError("items is not a list")
    token = _optional(document, "nextPageToken")
    total = document.get("totalItemCount")
    return Page(
        tuple(read(_mapping(item, "an item"), clean) for item in items),
        token or None,
        total if isinstance(total, int) else None,
    )


def _item(item: Mapping[str, object], clean: Cleaner) -> BatchItem:
    processing = _mapping(item.get("processing"), "processing")
    message = _optional(processing, "additionalStatusInformation")
    created = item.get("createdAnalysis")
    request = _mapping(item.get("request"), "request")
    return BatchItem(
        id=_id(item, clean),
        user_reference=clean.label(_required(request, "userReference")),
        status=clean.name(_required(processing, "status")),
        message=None if message is None else clean.message(message),
        analysis=None if created is None else _analysis(_mapping(created, "createdAnalysis"), clean),
        technical_tags=tuple(map(clean.label, _technical_tags(request))),
    )


def _analysis(analysis: Mapping[str, object], clean: Cleaner) -> Analysis:
    def name(key: str) -> str | None:
        text = _optional(analysis, key)
        return None if text is None else clean.name(text)

    return Analysis(
        id=_id(analysis, clean),
        reference=name("reference"),
        status=clean.name(_required(analysis, "status")),
        user_reference=clean.label(_optional(analysis, "userReference") or ""),
        start_date=name("startDate"),
        end_date=name("endDate"),
        time_created=name("timeCreated"),
        technical_tags=tuple(map(clean.label, _technical_tags(analysis))),
    )


def _technical_tags(tagged: Mapping[str, object]) -> list[str]:
    tags = tagged.get("tags")
    if tags is None:
        return []
    technical = _mapping(tags, "tags").get("technicalTags")
    if not isinstance(technical, list | None):
        raise WireError("technicalTags is not a list")
    return [tag for tag in technical or [] if isinstance(tag, str)]


def _id(document: Mapping[str, object], clean: Cleaner) -> str:
    text = clean.name(_required(document, "id"))
    if not _ID.fullmatch(text):
        raise WireError("an id is not a plain word")
    return text


def _required(document: Mapping[str, object], key: str) -> str:
    text = _optional(document, key)
    if not text:
        raise WireError(f"{key} is missing")
    return text


def _optional(document: Mapping[str, object], key: str) -> str | None:
    value = document.get(key)
    if value is None or isinstance(value, str):
        return value
    raise WireError(f"{key} is not text")


def _mapping(value: object, what: str) -> Mapping[str, object]:
    if isinstance(value, dict):
        return value
    raise WireError(f"{what} is not an object")
