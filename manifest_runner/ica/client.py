"""The API of ICA as methods that take and return values."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from manifest_runner.ica import endpoints, responses
from manifest_runner.ica.connection.caller import Caller
from manifest_runner.ica.endpoints import GuardedBody
from manifest_runner.ica.model import Analysis, Batch, BatchItem, LatestEnded


class Client(Caller):
    """Launches, reads and aborts analyses; all other requests go through ``ask`` and ``pages``.

    Each method raises what those do: Refused, Unreachable.
    """

    def create_batch(
        self,
        key: str,
        body: bytes,
        before: Callable[[], None] = lambda: None,
        before_body: Callable[[], None] | None = None,
    ) -> Batch:
        """POST a batch: the bytes as they are, under the idempotency key. A replayed answer looks the same.

        ``before`` is called before each try, and ``before_body`` when the server is connected and has the headers; what
        they raise ends the tries.

        Raises KeyReused when the key was used with other bytes, Refused for any other refusal
        (see its ``maybe_executed``), and Unreachable, after which the batch may or may not be launched.
        """
        call = endpoints.create_batch(key, body if before_body is None else GuardedBody(body, before_body))
        return self.ask(call, responses.read_batch, before)

    def get_batch(self, batch_id: str) -> Batch:
        """A batch, with the present status of its job."""
        return self.ask(endpoints.get_batch(batch_id), responses.read_batch)

    def list_items(self, batch_id: str, statuses: tuple[str, ...] = ()) -> Iterator[BatchItem]:
        """The items of a batch in the server's order, only those of the given statuses if there are any."""
        return self.pages(endpoints.list_items(batch_id, statuses), responses.read_item_page)

    def get_item(self, batch_id: str, item_id: str) -> BatchItem:
        """One item of a batch."""
        return self.ask(endpoints.get_item(batch_id, item_id), responses.read_item)

    def search_analyses(
        self, *, technical_tags: tuple[str, ...] = (), statuses: tuple[str, ...] = ()
    ) -> Iterator[Analysis]:
        """The project's analyses that the server finds. The server may compare loosely: compare again."""
        call = endpoints.search_analyses(technical_tags, statuses)
        return self.pages(call, responses.read_analysis_page)

    def latest_ended(self, technical_tag: str, statuses: tuple[str, ...], most: int) -> LatestEnded:
        """The analyses that ended last, at most about ``most``. A server may not sort them: compare again."""
        found: list[Analysis] = []
        total: int | None = None
        for offset in range(0, most, self.page_size):
            call = endpoints.search_ended(technical_tag, statuses, offset, self.page_size)
            page = self.ask(call, responses.read_analysis_page)
            found += page.items
            total = page.total
            if len(page.items) < self.page_size:
                break
        return LatestEnded(found, total)

    def get_analysis(self, analysis_id: str) -> Analysis:
        """An analysis as it is now."""
        return self.ask(endpoints.get_analysis(analysis_id), responses.read_analysis)

    def abort_analysis(self, analysis_id: str) -> None:
        """Ask ICA to abort an analysis; its status changes later."""
        self.ask(endpoints.abort_analysis(analysis_id), lambda _body, _clean: None)
