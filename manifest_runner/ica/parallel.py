"""Send many requests, a few at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

AT_A_TIME = 4


def in_parallel(ask: Callable[[T], R], values: Sequence[T]) -> Iterator[tuple[T, R]]:
    """Each value with what ``ask`` returns for it, in order, four at a time. Raises what ``ask`` raises.

    Nothing waits for the threads after an error or an interrupt: they are daemons, and they only read.
    """
    from multiprocessing.pool import ThreadPool  # the import takes a while

    if len(values) <= 1:
        yield from ((value, ask(value)) for value in values)
        return
    with ThreadPool(min(AT_A_TIME, len(values))) as pool:
        yield from zip(values, pool.imap(ask, values), strict=True)
