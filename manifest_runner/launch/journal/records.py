"""The records of a journal: lines appended to a local file, or an object for each batch in a store.

A record is one line: eight hex digits of CRC-32, a space, JSON. In a file a last line without its newline was torn by a
crash. Any other line whose checksum is wrong is damage, and nothing is sent until a person has looked.

A power cut loses what was not fsynced, names in the folder included: so the folder is fsynced when the journal is
opened, and again before it is removed, or the lockfile's new name could be lost after it. What a killed process has
written may be in the system's cache only: fsync it before relying on it.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import orjson

from manifest_runner.errors import BadState
from manifest_runner.files import remove_file, sync_folder, unwritable

Record = dict[str, Any]
# Records that begin with a head, each with the place to name in messages.
Chain = Iterable[tuple[str, Record]]


class Records(Protocol):
    """Each record is durable when a call returns; a call raises a RunnerError if that failed."""

    @property
    def where(self) -> str:
        """The path or URL of the records, for messages."""
        ...

    def read(self) -> Iterator[Chain]:
        """The records that earlier runs left, in the order in which they were written."""
        ...

    def append(self, record: Record, head: Record) -> None:
        """Add a record; ``head`` says whose journal it is."""
        ...

    def sync(self) -> None:
        """Make the records that ``read`` gave durable before anybody relies on them."""
        ...

    def forget_all_but(self, pending: Collection[str]) -> None:
        """Remove all batches but those with these keys: the lockfile has the others."""
        ...

    def close(self) -> None: ...


class FileRecords:
    """One file beside the lockfile, removed when nothing in it is pending."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    @property
    def where(self) -> str:
        return str(self._path)

    def read(self) -> Iterator[Chain]:
        try:
            raw = self._path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as e:
            raise BadState(f"{self._path}: cannot be read: {e.strerror or e}") from e
        if b"\n" in raw:
            yield parsed(raw, self.where)

    def append(self, record: Record, head: Record) -> None:
        self._write(line(record), head)

    def sync(self) -> None:
        if self._path.exists():
            self._write(b"", {})

    def _write(self, raw: bytes, head: Record) -> None:
        try:
            if self._file is None:
                self._file = self._open(head)
            self._file.write(raw)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as e:
            raise unwritable(self._path, e) from e

    def _open(self, head: Record) -> BinaryIO:
        """Append after the last complete record: a torn one must not become the start of the next line."""
        is_new = not self._path.exists()
        _keep_from_others(self._path)
        file = self._path.open("ab")
        try:
            sync_folder(self._path.parent)  # also of a file that exists: the run that made it may have failed here
        except OSError:
            file.close()
            raise
        if is_new:
            file.write(line(head))
        else:
            raw = self._path.read_bytes()
            file.truncate(raw.rfind(b"\n") + 1)
            if b"\n" not in raw:
                file.close()
                self._path.unlink()
                return self._open(head)
        return file

    def close(self) -> None:
        """A full disk can leave part of a record in the buffer; that failure was already reported."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None

    def forget_all_but(self, pending: Collection[str]) -> None:
        self.close()
        if not pending and self._path.exists():
            remove_file(self._path)


def _keep_from_others(path: Path) -> None:
    """Make the file readable by its owner alone: signatures in URLs are masked everywhere but in what is sent."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.fchmod(handle, 0o600)  # an earlier version may have made it
    finally:
        os.close(handle)


def line(record: Record) -> bytes:
    payload = orjson.dumps(record)
    return b"%08x %s\n" % (zlib.crc32(payload), payload)


def parsed(raw: bytes, where: str) -> Chain:
    """The records in these bytes. Raises BadState if they are damaged."""
    *lines, _torn = raw.split(b"\n")
    for number, each in enumerate(lines, 1):
        checksum, _, payload = each.partition(b" ")
        place = f"{where}:{number}"
        if checksum != b"%08x" % zlib.crc32(payload):
            raise damaged(place, "checksum mismatch")
        yield place, orjson.loads(payload)


def damaged(place: str, what: str) -> BadState:
    return BadState(
        f"{place}: {what}: the journal is damaged. Nothing was sent. The journal records which batches may "
        "have been launched: restore it from a backup. Or find them in ICA by the technical tag of the manifest's "
        "name, rebuild the lockfile with `manifest-runner import`, and only then move the journal away."
    )
