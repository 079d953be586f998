"""Rows from what another manifest launched: its items that succeeded, by its lockfile alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from manifest_runner.diagnostics.finding import Finding, InvalidManifest, Place
from manifest_runner.model import FINAL_ANALYSIS, RowId
from manifest_runner.rows.base import IdentifiedRow, Report, Rows

KEYS = ("userReference", "kind", "analysisId", "analysisReference", "outputs")
_LINES_BEFORE_ITEMS = 8
_NULL = msgspec.Raw(b"null")
_SHOWN = 3


class RawLockfile(msgspec.Struct, frozen=True):
    """A lockfile as it lies somewhere, and its name in messages; ``content`` is None where there is none yet."""

    content: bytes | None
    label: str


# Finds the lockfile of a manifest, given its path and its name in messages.
LockfileOf = Callable[[Path, str], RawLockfile]


class _Analysis(msgspec.Struct, frozen=True, gc=False):
    id: str
    status: str
    reference: str | None = None


class _Item(msgspec.Struct, frozen=True, gc=False):
    """``outputs`` are parsed when the row is read: a hundred thousand of them at once would busy the collector."""

    kind: str
    status: str | None = None
    analysis: _Analysis | None = None
    removed: bool = False
    outputs: msgspec.Raw = _NULL


class _File(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A lockfile, as much of it as rows need: a large one is read as fast as a table of as many rows."""

    lock_version: int
    batches: dict[str, msgspec.Raw]
    items: dict[str, _Item]


def lockfile_beside(manifest: Path, label: str) -> RawLockfile:
    """The lockfile that lies beside a manifest. Raises InvalidManifest where it cannot be read."""
    name = f"{manifest.stem}.lock.json"
    label = str(Path(label).with_name(name))
    try:
        return RawLockfile(manifest.with_name(name).read_bytes(), label)
    except FileNotFoundError:
        return RawLockfile(None, label)
    except OSError as e:
        message = f"cannot be read: {e.strerror or e}"
        raise InvalidManifest([Finding(Place(label, 1), "MR301", message)]) from e


def launched_rows(lockfile: RawLockfile, manifest: str, at: Place) -> Rows:
    """The items of a manifest's lockfile that succeeded, in order of their userReferences.

    ``manifest`` is its name in messages, ``at`` where it is named. Raises BadState where the lockfile is damaged.
    """
    file = _parsed(lockfile)
    found: list[tuple[int, str, _Item, _Analysis]] = []
    others: Counter[str] = Counter()
    for index, (name, item) in enumerate(sorted(file.items.items())):
        if item.removed:
            continue
        if item.status != "FAILED" and item.analysis is not None and item.analysis.status == "SUCCEEDED":
            found.append((index, name, item, item.analysis))
        else:
            others[_end(item)] += 1

    def read(_report: Report) -> Iterator[IdentifiedRow]:
        return ((index, _row(name, item, analysis)) for index, name, item, analysis in found)

    unknown = [name for _, name, item, _ in found if item.outputs == _NULL]
    return Rows(
        None,
        read,
        _places(lockfile, file),
        keys=KEYS,
        notes=tuple(_notes(manifest, at, len(found), others)),
        lacks=tuple(("outputs", fault) for fault in _unknown_outputs(manifest, at, unknown)),
        is_text=_is_text,
    )


def _is_text(key: str, path: Sequence[str | int]) -> bool:
    """As in ``outputs.vcf[0].dataId``; the reference of an analysis can be null."""
    if key == "outputs":
        return len(path) == 3 and path[2] in ("dataId", "name", "type")
    return not path and key in ("userReference", "kind", "analysisId")


def _parsed(lockfile: RawLockfile) -> _File:
    if lockfile.content is None:
        return _File(1, {}, {})
    try:
        file = msgspec.json.decode(lockfile.content, type=_File)
        if file.lock_version == 1:
            return file
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    # Says in words what is wrong; what reads a sound one needs nothing of it.
    from manifest_runner.lockfile.file import parse_lockfile

    whole = parse_lockfile(lockfile.content, lockfile.label)
    raise AssertionError(f"{lockfile.label} has {len(whole.items)} items and gives no rows")


def _places(lockfile: RawLockfile, file: _File) -> Callable[[RowId], Place]:
    """The line of each item, where the lockfile is laid out as this tool writes it."""
    lines = (lockfile.content or b"").count(b"\n")
    first = _LINES_BEFORE_ITEMS + len(file.batches) + 1
    has_lines = lines == _LINES_BEFORE_ITEMS + 2 + len(file.batches) + len(file.items)
    return lambda row: Place(lockfile.label, first + row if has_lines and isinstance(row, int) else 1)


def _row(name: str, item: _Item, analysis: _Analysis) -> dict[str, Any]:
    row = {"userReference": name, "kind": item.kind, "analysisId": analysis.id, "analysisReference": analysis.reference}
    outputs = msgspec.json.decode(item.outputs)
    return row if outputs is None else {**row, "outputs": outputs}


def _end(item: _Item) -> str:
    status = item.analysis.status if item.analysis else None
    return "failed" if item.status == "FAILED" or status in FINAL_ANALYSIS else "not ended"


# -- what is to be said of the source


def _notes(manifest: str, at: Place, rows: int, others: Counter[str]) -> Iterator[Finding]:
    total = rows + others.total()
    if not total:
        yield Finding(at, "MR610", f"{manifest} has launched nothing yet, so it gives no rows", severity="info")
    elif others:
        ends = ", ".join(f"{count:,} {end}" for end, count in sorted(others.items()))
        message = f"{others.total():,} of {total:,} items of {manifest} give no row ({ends})"
        yield Finding(at, "MR610", message, severity="info")


def _unknown_outputs(manifest: str, at: Place, names: Sequence[str]) -> Iterator[Finding]:
    if names:
        more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
        items = "one item" if len(names) == 1 else f"{len(names):,} items"
        message = (
            f"the outputs of {items} of {manifest} are not recorded yet ({', '.join(names[:_SHOWN])}{more}); "
            f"run: manifest-runner outputs {manifest}"
        )
        yield Finding(at, "MR316", message)
