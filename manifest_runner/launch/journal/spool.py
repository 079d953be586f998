"""The requests that are due, in a nameless file on disk: what was checked is what is sent, however large it is."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from manifest_runner.errors import BadState
from manifest_runner.files import unwritable


class Spool:
    """Byte strings by their place. First all are kept, then they are fetched. Raises BadState when the disk is full."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._end = 0

    def keep(self, request: bytes) -> tuple[int, int]:
        place = (self._end, len(request))
        try:
            self._file.write(request)
        except OSError as e:
            raise _full(e) from e
        self._end += len(request)
        return place

    def fetch(self, place: tuple[int, int] | bytes) -> bytes:
        """What is at a place; bytes that were never kept are their own place."""
        if isinstance(place, bytes):
            return place
        try:  # what is buffered is written first
            self._file.seek(place[0])
            return self._file.read(place[1])
        except OSError as e:
            raise _full(e) from e

    def clear(self) -> None:
        """Forget everything; what is kept next starts at the beginning."""
        try:
            self._file.seek(0)
            self._file.truncate()
        except OSError as e:
            raise _full(e) from e
        self._end = 0


@contextmanager
def open_spool() -> Iterator[Spool]:
    try:
        file = tempfile.TemporaryFile(prefix="manifest-runner-")  # noqa: SIM115 - closed below, full disk or not
    except OSError as e:  # no folder for temporary files can be written
        raise BadState(f"cannot create a temporary file: {e.strerror or e}. Free some space, or set TMPDIR.") from e
    try:
        yield Spool(file)
    finally:
        with suppress(OSError):
            file.close()


def _full(error: OSError) -> BadState:
    return unwritable(Path(tempfile.gettempdir()), error)
