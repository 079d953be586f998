"""The items of a lockfile, as much of each as rows need: read piece by piece, not held in memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from enum import IntEnum
from itertools import pairwise
from typing import Any, Protocol

import msgspec

from manifest_runner.lockfile.file import LOCK_VERSION, parse_lockfile
from manifest_runner.model import FINAL_ANALYSIS

# Takes the place of a lockfile that does not exist yet.
EMPTY = b'{"lockVersion":1,"batches":{},"items":{}}'
_ITEMS = b'\n"items": {\n'
_END = b"\n}\n}\n"
# Small enough for copies on the heap: larger ones are mapped again each time, which takes as long as decoding.
_PIECE = 2**15
_NULL = msgspec.Raw(b"null")


class End(IntEnum):
    """How a launch ended. ``RECORDED`` and ``UNRECORDED`` have succeeded, with and without recorded outputs."""

    REMOVED = 0
    RECORDED = 1
    UNRECORDED = 2
    FAILED = 3
    OPEN = 4


class LaunchedAnalysis(msgspec.Struct, frozen=True, gc=False):
    """An analysis, as far as a row of `forEach: {launched: …}` shows it."""

    id: str
    status: str
    reference: str | None = None


class _Seen(msgspec.Struct, frozen=True, gc=False):
    """The members of an item that show how it ended, and those that a row needs, so that they are checked."""

    kind: str
    status: str | None = None
    analysis: LaunchedAnalysis | None = None
    removed: bool = False
    outputs: msgspec.Raw = _NULL

    @property
    def end(self) -> End:
        status = self.analysis.status if self.analysis else None
        if self.removed:
            return End.REMOVED
        if self.status == "FAILED":
            return End.FAILED
        if status == "SUCCEEDED":
            return End.UNRECORDED if self.outputs == _NULL else End.RECORDED
        return End.FAILED if status in FINAL_ANALYSIS else End.OPEN


class LaunchedItem(msgspec.Struct, frozen=True, gc=False):
    """An item, as far as a row shows it; ``outputs`` are as they are in the lockfile."""

    kind: str
    analysis: LaunchedAnalysis | None = None
    outputs: Any = None


class _Head(msgspec.Struct, frozen=True, rename="camel"):
    lock_version: int


class _AllSeen(_Head, frozen=True, rename="camel"):
    items: dict[str, _Seen]


class _AllLaunched(_Head, frozen=True, rename="camel"):
    items: dict[str, LaunchedItem]


_SEEN = msgspec.json.Decoder(dict[str, _Seen])
_LAUNCHED = msgspec.json.Decoder(dict[str, LaunchedItem])


class Launches(Protocol):
    """The items in order of their userReferences. ``ends`` has the end of each, by its index in that order."""

    @property
    def ends(self) -> Sequence[int]: ...

    def __iter__(self) -> Iterator[tuple[str, LaunchedItem]]: ...

    def line(self, index: int) -> int:
        """The line of an item in the file, 1 if that is not known."""
        ...


def read_launches(content: bytes, label: str) -> Launches:
    """Raises BadState if the lockfile is damaged, or of a newer version."""
    try:
        return _by_line(content) or _parsed(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, _OtherVersion):
        whole = parse_lockfile(content, label)  # which says in words what is wrong
        raise AssertionError(f"{label} has {len(whole.items)} items and gives no rows") from None


class _OtherVersion(Exception):
    pass


class _Parsed(msgspec.Struct, frozen=True):
    """The items of a lockfile that somebody has laid out in another way."""

    ends: list[int]
    items: dict[str, LaunchedItem]

    def __iter__(self) -> Iterator[tuple[str, LaunchedItem]]:
        return iter(sorted(self.items.items()))

    def line(self, _index: int) -> int:
        return 1


class _ByLine(msgspec.Struct, frozen=True):
    """The items of a lockfile as this tool writes it: a sorted line each. ``pieces`` are their starts, and the end."""

    ends: array[int]
    content: bytes
    pieces: array[int]
    first_line: int

    def __iter__(self) -> Iterator[tuple[str, LaunchedItem]]:
        for start, end in pairwise(self.pieces):
            yield from _LAUNCHED.decode(_object(self.content[start:end])).items()

    def line(self, index: int) -> int:
        return self.first_line + index


def _parsed(content: bytes) -> _Parsed:
    seen = msgspec.json.decode(content, type=_AllSeen)
    _check(seen)
    ends: list[int] = [item.end for _, item in sorted(seen.items.items())]
    return _Parsed(ends, msgspec.json.decode(content, type=_AllLaunched).items)


def _by_line(content: bytes) -> _ByLine | None:
    """None if the file is laid out in another way."""
    at, stop = content.find(_ITEMS), len(content) - len(_END)
    if at < 0 or not content.endswith(_END):
        return None
    _check(msgspec.json.decode(content[:at].rstrip(b",") + b"}", type=_Head))
    start = at + len(_ITEMS)
    pieces, ends, last = array("Q", [start]), array("B"), ""
    first_line = content.count(b"\n", 0, start) + 1
    while start <= stop:
        end = (content.find(b"\n", start + _PIECE, stop) + 1 or stop + 1) if start + _PIECE < stop else stop + 1
        seen = _SEEN.decode(_object(content[start:end]))
        names = [last, *seen]
        if len(seen) != content.count(b"\n", start, end) or any(a >= b for a, b in pairwise(names)):
            return None
        ends.extend([item.end for item in seen.values()])
        pieces.append(end)
        start, last = end, names[-1]
    return _ByLine(ends, content, pieces, first_line)


def _object(lines: bytes) -> bytes:
    return b"{%b}" % lines.rstrip(b",\n")


def _check(head: _Head) -> None:
    if head.lock_version != LOCK_VERSION:
        raise _OtherVersion
