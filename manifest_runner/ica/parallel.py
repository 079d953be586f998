"""Send many requests, a few at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from typing import TypeVar

from manifest_runner.errors import Refused

T = TypeVar("T")
R = TypeVar("R")

AT_A_TIME = 4
# Refusals that hold for every other request, too: of the credential, and of a server that lacks the endpoint.
_OF_ALL = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED})


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


def each_in_parallel(ask: Callable[[T], R], values: Sequence[T]) -> Iterator[tuple[T, R]]:
    """The same, but if ICA refuses one of them, the others are asked for all the same.

    The first refusal is raised last. What concerns all of them is raised at once: a refusal of the credential, and a
    server that does not answer.
    """
    first: Refused | None = None

    def ask_one(value: T) -> tuple[R] | Refused:
        try:
            return (ask(value),)
        except Refused as refused:
            if refused.status in _OF_ALL:
                raise
            return refused

    for value, answer in in_parallel(ask_one, values):
        if isinstance(answer, Refused):
            first = first or answer
        else:
            yield value, answer[0]
    if first is not None:
        raise first
