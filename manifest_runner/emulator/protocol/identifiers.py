"""Ids that are the same whenever the same requests are made, so that whole runs can be compared."""

from __future__ import annotations

import hashlib
import re

UUID_PATTERN = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_VARIANTS = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


def derive(*names: str) -> str:
    """The UUID (version 5) of these names, in order; the same names give the same id in every process.

    It is assembled by hand because each item needs two of them, and ``uuid.uuid5`` takes three times as long.
    """
    text = hashlib.sha1("\n".join(names).encode(), usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANTS[text[16]]}{text[17:20]}-{text[20:32]}"


def derive_within(batch: str, *names: str) -> str:
    """An id for something that belongs to a batch.

    It starts like the batch's id, so that the index entries of one batch are side by side: scattered ones would make
    every batch rewrite hundreds of pages of the database. Only the start is the same, since people see shortened ids.
    """
    return batch[:4] + derive(batch, *names)[4:]


def data_id(path: str, *names: str) -> str:
    """The id of the file or (with ``/`` at the end of its path) folder with these names."""
    return ("fol." if path.endswith("/") else "fil.") + derive("data", path, *names).replace("-", "")


def is_uuid(text: str) -> bool:
    """Whether this is a UUID in its usual spelling."""
    return re.fullmatch(UUID_PATTERN, text) is not None
