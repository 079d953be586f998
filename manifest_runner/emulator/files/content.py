"""The bytes of a file: its text, or made-up ones up to its size, the same each time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from manifest_runner.emulator.catalog.data_rows import DataRow

_CHUNK = 64 * 1024


def content(row: DataRow, first: int, end: int) -> Iterator[bytes]:
    """The bytes from ``first`` up to but not including ``end``, in pieces."""
    if row.text is not None:
        yield row.text.encode()[first:end]
        return
    block = _block(row)
    while first < end:
        start = first % len(block)
        piece = (block * (_CHUNK // len(block) + 2))[start : start + min(_CHUNK, end - first)]
        yield piece
        first += len(piece)


def _block(row: DataRow) -> bytes:
    return f"{row.path} {hashlib.sha256(row.id.encode()).hexdigest()}\n".encode()
