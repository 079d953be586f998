"""The API's requests as values. Pure: building a request is separate from sending it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import quote

import msgspec
import orjson
from msgspec import structs

from manifest_runner.errors import UsageProblem

V3 = "application/vnd.illumina.v3+json"
V4 = "application/vnd.illumina.v4+json"


class GuardedBody(msgspec.Struct, frozen=True):
    """The body of a request. ``check`` can still stop it just before it is sent.

    Connecting and sending the headers take time, during which a machine may go to sleep.
    """

    content: bytes
    check: Callable[[], None]

    def __len__(self) -> int:
        return len(self.content)

    def __iter__(self) -> Iterator[bytes]:
        self.check()
        yield self.content


class Call(msgspec.Struct, frozen=True):
    """One request. ``path`` comes after the project's own, or starts with ``/api/``; ``wanted`` is what a 404 says
    does not exist.

    ``key`` is the idempotency key; ``accept`` and the type of a body are media types.
    """

    method: str
    path: str
    accept: str = V3
    wanted: str = ""
    params: tuple[tuple[str, str], ...] = ()
    body: bytes | GuardedBody | None = None
    key: str | None = None

    def headers(self) -> dict[str, str]:
        """The headers that belong to this call, without credential."""
        headers = {"Accept": self.accept}
        if self.method == "POST":  # ICA demands it of a POST without a body, too
            headers["Content-Type"] = V3
        if self.key is not None:
            headers["Idempotency-Key"] = self.key
        return headers

    def with_params(self, **params: str) -> Call:
        """The same call with more query parameters."""
        return structs.replace(self, params=(*self.params, *params.items()))


def exchange_key() -> Call:
    """Exchange an API key for a token; not a call of a project."""
    return Call("POST", "/api/tokens")


def create_batch(key: str, body: bytes | GuardedBody) -> Call:
    """Launch a batch; ``body`` is sent as it is."""
    return Call("POST", "/analysisCreationBatch", body=body, key=key)


def get_batch(batch_id: str) -> Call:
    """Read a batch, which has no version 4."""
    return Call("GET", _batch_path(batch_id), wanted=f"batch {batch_id}")


def list_items(batch_id: str, statuses: tuple[str, ...]) -> Call:
    """List the items of a batch; no status means all of them."""
    params = tuple(("status", status) for status in statuses)
    return Call("GET", f"{_batch_path(batch_id)}/items", V4, f"batch {batch_id}", params)


def get_item(batch_id: str, item_id: str) -> Call:
    """Read one item of a batch."""
    return Call("GET", f"{_batch_path(batch_id)}/items/{segment(item_id)}", V4, f"item {item_id}")


def search_analyses(technical_tags: tuple[str, ...], statuses: tuple[str, ...]) -> Call:
    """Search analyses; an empty filter does not restrict. The API names this call version 3 and answers 4."""
    query = {"technicalTags": technical_tags, "status": statuses}
    body = orjson.dumps({name: value for name, value in query.items() if value})
    return Call("POST", "/analysis:search", body=body)


def search_ended(technical_tag: str, statuses: tuple[str, ...], offset: int, size: int) -> Call:
    """Search analyses that have ended, the latest first; by offset, since a cursor cannot sort."""
    call = search_analyses((technical_tag,), statuses)
    return call.with_params(sort="endDate desc", pageOffset=str(offset), pageSize=str(size))


def get_analysis(analysis_id: str) -> Call:
    """Read an analysis."""
    return Call("GET", f"/analyses/{segment(analysis_id)}", V4, f"analysis {analysis_id}")


def abort_analysis(analysis_id: str) -> Call:
    """Ask ICA to abort an analysis."""
    return Call("POST", f"/analyses/{segment(analysis_id)}:abort", wanted=f"analysis {analysis_id}")


def _batch_path(batch_id: str) -> str:
    return f"/analysisCreationBatch/{segment(batch_id)}"


def segment(text: str) -> str:
    """One segment of a path; dots alone would climb to another one."""
    if text.strip(".") == "":
        raise UsageProblem("an id of ICA must not be empty or made of dots")
    return quote(text, safe="")
