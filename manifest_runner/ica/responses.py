"""Bodies of ICA's answers as values of the model. Pure; all text is cleaned on its way in."""

from __future__ import annotations

import re
from typing import Annotated, Any, Generic, TypeVar

import msgspec

from manifest_runner.ica.model import Analysis, Batch, BatchItem
from manifest_runner.ica.redact import Cleaner

T = TypeVar("T")

# The API's ids are UUIDs. Nothing but a plain word is ever put into the path of a later request.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,254}")
_Text = Annotated[str, msgspec.Meta(max_length=2000)]
_Word = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class WireError(ValueError):
    """The body is not what the API promises; the message says what is missing, without the body's text."""


class Page(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list. ``next_token`` is None on the last, ``total`` None unless the server counted."""

    items: tuple[T, ...]
    next_token: str | None
    total: int | None


# What is read of the answers, of version 3 and 4 alike. The API's other members are skipped.


class _Wire(msgspec.Struct, frozen=True, rename="camel", gc=False):
    pass


class _Batch(_Wire, frozen=True):
    id: _Word
    job: Any = None


class _Tags(_Wire, frozen=True):
    technical_tags: list[Any] | None = None


class _Request(_Wire, frozen=True):
    user_reference: _Word
    tags: _Tags | None = None


class _Processing(_Wire, frozen=True):
    status: _Word
    additional_status_information: str | None = None


class _Analysis(_Wire, frozen=True):
    id: _Word
    status: _Word
    reference: _Text | None = None
    user_reference: _Text | None = None
    start_date: _Text | None = None
    end_date: _Text | None = None
    time_created: _Text | None = None
    tags: _Tags | None = None


class _Item(_Wire, frozen=True):
    id: _Word
    request: _Request
    processing: _Processing
    created_analysis: _Analysis | None = None


class _List(_Wire, Generic[T], frozen=True):
    items: list[T]
    next_page_token: str | None = None
    total_item_count: Any = None


def read_batch(body: bytes, clean: Cleaner) -> Batch:
    """A batch; only its id is needed, so that no launch is lost over an odd job. Raises WireError."""
    batch = _decoded(body, _BATCH)
    job = batch.job if isinstance(batch.job, dict) else {}
    status, time_created = (
        clean.name(each) if isinstance(each, str) else None for each in (job.get("status"), job.get("timeCreated"))
    )
    return Batch(_id(batch.id, clean), status, time_created)


def read_item(body: bytes, clean: Cleaner) -> BatchItem:
    """An item of a batch, of version 3 or 4. Raises WireError."""
    return _item(_decoded(body, _ITEM), clean.for_text_of(body))


def read_analysis(body: bytes, clean: Cleaner) -> Analysis:
    """An analysis, of version 3 or 4. Raises WireError."""
    return _analysis(_decoded(body, _ANALYSIS), clean.for_text_of(body))


def read_item_page(body: bytes, clean: Cleaner) -> Page[BatchItem]:
    """A page of items. Raises WireError."""
    page, clean = _decoded(body, _ITEMS), clean.for_text_of(body)
    return _page(page, tuple([_item(each, clean) for each in page.items]))


def read_analysis_page(body: bytes, clean: Cleaner) -> Page[Analysis]:
    """A page of analyses. Raises WireError."""
    page, clean = _decoded(body, _ANALYSES), clean.for_text_of(body)
    return _page(page, tuple([_analysis(each, clean) for each in page.items]))


_BATCH = msgspec.json.Decoder(_Batch)
_ITEM = msgspec.json.Decoder(_Item)
_ITEMS = msgspec.json.Decoder(_List[_Item])
_ANALYSIS = msgspec.json.Decoder(_Analysis)
_ANALYSES = msgspec.json.Decoder(_List[_Analysis])


def _decoded(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:  # it names the place and the type, and shows no value
        raise WireError(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError("it is not JSON") from error


def _page(page: _List[Any], items: tuple[T, ...]) -> Page[T]:
    total = page.total_item_count
    return Page(items, page.next_page_token or None, total if isinstance(total, int) else None)


def _item(item: _Item, clean: Cleaner) -> BatchItem:
    processing, request = item.processing, item.request
    message = processing.additional_status_information
    return BatchItem(
        id=_id(item.id, clean),
        user_reference=clean.label(request.user_reference),
        status=clean.name(processing.status),
        message=None if message is None else clean.message(message),
        analysis=None if item.created_analysis is None else _analysis(item.created_analysis, clean),
        technical_tags=_technical_tags(request.tags, clean),
    )


def _analysis(analysis: _Analysis, clean: Cleaner) -> Analysis:
    return Analysis(
        id=_id(analysis.id, clean),
        reference=_name(analysis.reference, clean),
        status=clean.name(analysis.status),
        user_reference=clean.label(analysis.user_reference or ""),
        start_date=_name(analysis.start_date, clean),
        end_date=_name(analysis.end_date, clean),
        time_created=_name(analysis.time_created, clean),
        technical_tags=_technical_tags(analysis.tags, clean),
    )


def _name(text: str | None, clean: Cleaner) -> str | None:
    return None if text is None else clean.name(text)


def _technical_tags(tags: _Tags | None, clean: Cleaner) -> tuple[str, ...]:
    if tags is None or not tags.technical_tags:
        return ()
    return tuple([clean.label(tag) for tag in tags.technical_tags if isinstance(tag, str)])


def _id(text: str, clean: Cleaner) -> str:
    cleaned = clean.name(text)
    if not _ID.fullmatch(cleaned):
        raise WireError("an id is not a plain word")
    return cleaned
