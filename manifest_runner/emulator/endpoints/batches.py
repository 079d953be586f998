"""The endpoints for batches."""

from __future__ import annotations

from starlette.responses import Response

from manifest_runner.emulator.api import Api, Call
from manifest_runner.emulator.protocol.media import V3, require_body_type
from manifest_runner.emulator.protocol.paging import envelope
from manifest_runner.emulator.protocol.problems import Problem
from manifest_runner.emulator.store.database import StoredBatch, find_batch
from manifest_runner.emulator.store.idempotency import Answer, Slot, check_key
from manifest_runner.emulator.store.item_queries import Filter, find_item, list_items
from manifest_runner.emulator.views.analyses import batch_view

_ITEM_STATUSES = ("RUNNING", "WAITING_RESOURCES", "SUCCEEDED", "FAILED")


async def create_batch(api: Api, call: Call) -> Response:
    """POST analysisCreationBatch: schedule analyses, at most once for a key."""
    require_body_type(call.request, (V3,))
    key = call.request.headers.get("idempotency-key")
    body = await call.request.body()
    if key is None:
        await api.pause()
        answer = api.creator.create(call.user, call.project, body, api.clock())
    else:
        check_key(key)
        answer = await _create_once(api, call, Slot(call.user, call.request.url.path, key), body)
    return Response(answer.body, answer.status, media_type=call.media)


async def _create_once(api: Api, call: Call, slot: Slot, body: bytes) -> Answer:
    # The key is held during the pause: the work makes a server slow, and others get 409 meanwhile.
    with api.answers.holding(slot, body):
        await api.pause()
        return api.creator.create_once(slot, call.project, body, api.clock())


async def get_batch(api: Api, call: Call) -> Response:
    """GET one batch and its job."""
    return call.answer(batch_view(_batch(api, call), call.now))


async def list_batch_items(api: Api, call: Call) -> Response:
    """GET the items of a batch, in no particular order, filtered by status and paged."""
    page = api.page(call)
    filters = Filter(call.now, call.project).equal("b.id", _batch(api, call).id)
    if statuses := _statuses(call):
        filters.item_status(statuses)
    listing = list_items(api.connection, filters, page)
    return call.answer(envelope(listing, [api.views.item(row, call.now, call.media) for row in listing.rows]))


async def get_batch_item(api: Api, call: Call) -> Response:
    """GET one item of a batch."""
    batch, item = _batch(api, call), call.path("item")
    row = find_item(api.connection, Filter(call.now, call.project).equal("b.id", batch.id).equal("i.id", item))
    if row is None:
        raise Problem(404, f"The batch has no item {item}.")
    return call.answer(api.views.item(row, call.now, call.media))


def _batch(api: Api, call: Call) -> StoredBatch:
    batch = find_batch(api.connection, call.project, call.path("batch"))
    if batch is None:
        raise Problem(404, f"The project has no analysis creation batch {call.path('batch')}.")
    return batch


def _statuses(call: Call) -> list[str]:
    """Statuses to filter on, given as repeated parameters or with commas. Raises Problem 400."""
    given = ",".join(call.request.query_params.getlist("status"))
    statuses = [status.strip() for status in given.split(",") if status.strip()]
    if unknown := [status for status in statuses if status not in _ITEM_STATUSES]:
        message = f"{', '.join(unknown)} is not among {', '.join(_ITEM_STATUSES)}"
        raise Problem(400, f"status: {message}.", parameters={"status": message})
    return statuses
