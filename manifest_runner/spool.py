"""The requests that are due, on disk without a name: what was checked is what is sent, however much it is."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO


class Spool:
    """Byte strings by their place. First all are kept, then they are fetched."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._end = 0

    def keep(self, request: bytes) -> tuple[int, int]:
        place = (self._end, len(request))
        self._file.write(request)
        self._end += len(request)
        return place

    def fetch(self, place: tuple[int, int]) -> bytes:
        self._file.seek(place[0])
        return self._file.read(place[1])

    def clear(self) -> None:
        """Forget everything; what is kept next starts at the beginning."""
        self._file.seek(0)
        self._file.truncate()
        self._end = 0


@contextmanager
def open_spool() -> Iterator[Spool]:
    with tempfile.TemporaryFile(prefix="manifest-runner-") as file:
        yield Spool(file)
