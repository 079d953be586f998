"""The requests that are due, in a nameless file on disk: the very bytes that were checked are sent, even gigabytes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from manifest_runner.errors import BadState
from manifest_runner.files import unwritable
from manifest_runner.planning.plan import Handle, SpoolPlace


class Spool:
    """Byte strings by their position. All are kept before any is fetched. Raises BadState if the disk is full."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._end = 0

    def keep(self, request: bytes) -> SpoolPlace:
        place = SpoolPlace(self._end, len(request))
        try:
            self._file.write(request)
        except OSError as e:
            raise _full(e) from e
        self._end += len(request)
        return place

    def fetch(self, handle: Handle | None) -> bytes:
        """The bytes of a launch's request, which was kept here or is the handle itself."""
        assert handle is not None  # only a plan that is sent has its launches fetched
        if not isinstance(handle, SpoolPlace):
            return handle
        try:  # buffered bytes are written first
            self._file.seek(handle.offset)
            return self._file.read(handle.length)
        except OSError as e:
            raise _full(e) from e

    def clear(self) -> None:
        """Forget everything; the next request is kept at the beginning."""
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
