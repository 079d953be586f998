"""The bodies of ICA's answers as values of the model. Pure; all text is cleaned as it is read."""

from __future__ import annotations

from typing import Any

import msgspec

from manifest_runner.ica.connection.redact import Cleaner
from manifest_runner.ica.model import Analysis, Batch, BatchItem
from manifest_runner.ica.wire import Page, PagedList, Text, Wire, Word, cleaned_name, decode, page_of, plain_id

# The members that are read, of answers in version 3 and 4 alike.


class _Batch(Wire, frozen=True):
    id: Word
    job: Any = None


class _Tags(Wire, frozen=True):
    technical_tags: list[Any] | None = None


class _Request(Wire, frozen=True):
    user_reference: Word
    tags: _Tags | None = None


class _Processing(Wire, frozen=True):
    status: Word
    additional_status_information: str | None = None


class _Analysis(Wire, frozen=True):
    id: Word
    status: Word
    reference: Text | None = None
    user_reference: Text | None = None
    start_date: Text | None = None
    end_date: Text | None = None
    time_created: Text | None = None
    tags: _Tags | None = None
    summary: str | None = None


class _Item(Wire, frozen=True):
    id: Word
    request: _Request
    processing: _Processing
    created_analysis: _Analysis | None = None


def read_batch(body: bytes, clean: Cleaner) -> Batch:
    """A batch; only its id is needed, so that no launch is lost over an odd job. Raises WireError."""
    batch = decode(body, _BATCH)
    job = batch.job if isinstance(batch.job, dict) else {}
    status, time_created = (
        clean.name(each) if isinstance(each, str) else None for each in (job.get("status"), job.get("timeCreated"))
    )
    return Batch(plain_id(batch.id, clean), status, time_created)


def read_item(body: bytes, clean: Cleaner) -> BatchItem:
    """An item of a batch, of version 3 or 4. Raises WireError."""
    return _item(decode(body, _ITEM), clean.for_text_of(body))


def read_analysis(body: bytes, clean: Cleaner) -> Analysis:
    """An analysis, of version 3 or 4. Raises WireError."""
    return _analysis(decode(body, _ANALYSIS), clean.for_text_of(body))


def read_item_page(body: bytes, clean: Cleaner) -> Page[BatchItem]:
    """A page of items. Raises WireError."""
    page, clean = decode(body, _ITEMS), clean.for_text_of(body)
    return page_of(page, tuple([_item(each, clean) for each in page.items]))


def read_analysis_page(body: bytes, clean: Cleaner) -> Page[Analysis]:
    """A page of analyses. Raises WireError."""
    page, clean = decode(body, _ANALYSES), clean.for_text_of(body)
    return page_of(page, tuple([_analysis(each, clean) for each in page.items]))


_BATCH = msgspec.json.Decoder(_Batch)
_ITEM = msgspec.json.Decoder(_Item)
_ITEMS = msgspec.json.Decoder(PagedList[_Item])
_ANALYSIS = msgspec.json.Decoder(_Analysis)
_ANALYSES = msgspec.json.Decoder(PagedList[_Analysis])


def _item(item: _Item, clean: Cleaner) -> BatchItem:
    processing, request = item.processing, item.request
    message = processing.additional_status_information
    analysis = None if item.created_analysis is None else _analysis(item.created_analysis, clean)
    own_tags = _technical_tags(request.tags, clean)
    return BatchItem(
        id=plain_id(item.id, clean),
        user_reference=clean.label(request.user_reference),
        status=clean.name(processing.status),
        message=None if message is None else clean.message(message),
        analysis=analysis,
        technical_tags=own_tags or (() if analysis is None else analysis.technical_tags),
    )


def _analysis(analysis: _Analysis, clean: Cleaner) -> Analysis:
    return Analysis(
        id=plain_id(analysis.id, clean),
        reference=cleaned_name(analysis.reference, clean),
        status=clean.name(analysis.status),
        user_reference=clean.label(analysis.user_reference or ""),
        start_date=cleaned_name(analysis.start_date, clean),
        end_date=cleaned_name(analysis.end_date, clean),
        time_created=cleaned_name(analysis.time_created, clean),
        technical_tags=_technical_tags(analysis.tags, clean),
        summary=clean.message(analysis.summary) if analysis.summary else None,
    )


def _technical_tags(tags: _Tags | None, clean: Cleaner) -> tuple[str, ...]:
    if tags is None or not tags.technical_tags:
        return ()
    return tuple([clean.label(tag) for tag in tags.technical_tags if isinstance(tag, str)])
