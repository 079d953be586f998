"""The batch that a run is about to send, written into its lease before each POST, for the run that takes over.

If that run has the same credential and the same items due, it sends the same bytes under the same key, and ICA executes
them once, whichever request arrives. Otherwise it waits until the batch shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from manifest_runner.timestamps import seconds_of, timestamp

# The start of a digest is enough to find it among those that are due; the key then says whether they are the batch.
START = 12
# Analyses of a batch that was never answered show within an hour.
SHOWN_WITHIN = 3600.0
_KEY = "mr1-"


class InFlight(msgspec.Struct, frozen=True):
    """A batch: its idempotency key, its sender (`Credential.user`), and the starts of its digests, in order.

    ``at`` is when it was sent, None if that is not known.
    """

    key: str
    user: str = ""
    at: float | None = None
    starts: tuple[str, ...] = ()

    def may_show(self, now: float) -> bool:
        """Whether its analyses may exist and not show yet."""
        return self.at is not None and now < self.at + SHOWN_WITHIN


class Coming(msgspec.Struct, frozen=True):
    """Launches that may still show until this time: those whose digests start like this, or any if none are known."""

    until: float
    starts: frozenset[str] = frozenset()

    def has(self, digest: str) -> bool:
        return not self.starts or digest[:START] in self.starts


def entry_of(key: str, user: str, at: float, digests: Iterable[str]) -> str:
    """A batch in flight as it is in ``unseen`` of a lease."""
    return " ".join((key, user, timestamp(at), *(digest[:START] for digest in digests)))


def batches_in(unseen: Iterable[str]) -> Iterator[InFlight]:
    """The batches in flight among the entries of a lease."""
    for entry in filter(is_in_flight, unseen):
        key, _, rest = entry.partition(" ")
        user, _, rest = rest.partition(" ")
        at, _, starts = rest.partition(" ")
        yield InFlight(key, user, seconds_of(at), tuple(starts.split()))


def is_in_flight(entry: str) -> bool:
    return entry.startswith(_KEY)


def batch_entry(batch_id: str, items: int) -> str:
    """A batch that was answered, with the number of its items: a list of them may not show all of them yet."""
    return f"{batch_id} {items}"


def size_of(entry: str) -> int | None:
    """The number of items of a batch that was answered; None if the entry does not say."""
    size = entry.partition(" ")[2]
    return int(size) if size.isascii() and size.isdigit() else None


def name_of(entry: str) -> str:
    """A batch's id, or its key if it is in flight."""
    return entry.partition(" ")[0]
