"""The lockfile: what was launched, as what, and how it went. One line a batch and one line an item.

It is read whole, changed as values, and written once at the end; a run that changes nothing does not write it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from manifest_runner.errors import BadState
from manifest_runner.files import replace_file
from manifest_runner.model import FINAL_ANALYSIS, FINAL_CREATION, Analysis, BatchItem
from manifest_runner.schema import lockfile_faults

LOCK_VERSION = 1
_CONFLICT = b"<<<<<<< "


@dataclass(frozen=True, slots=True)
class LockedBatch:
    """One POST that was answered. ``status`` is its job's, None where the API sends no job."""

    idempotency_key: str
    items: int
    status: str | None
    submitted_at: str
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LockedItem:
    """The latest launch of one item, and whole, in ``previous``, those that it replaced, oldest first."""

    digest: str
    kind: str
    revision: str
    attempt: int
    batch_id: str | None
    item_id: str | None = None
    status: str | None = None
    message: str | None = None
    analysis: Mapping[str, Any] | None = None
    previous: tuple[Mapping[str, Any], ...] = ()
    removed: bool = False
    adopted: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def creation_is_final(self) -> bool:
        return self.status in FINAL_CREATION and (self.status == "FAILED" or self.analysis is not None)

    @property
    def analysis_is_final(self) -> bool:
        return self.status == "FAILED" or (self.analysis is not None and self.analysis["status"] in FINAL_ANALYSIS)

    @property
    def creation_failed(self) -> bool:
        return self.status == "FAILED"

    @property
    def analysis_failed(self) -> bool:
        status = self.analysis["status"] if self.analysis else None
        return status in FINAL_ANALYSIS and status != "SUCCEEDED"


@dataclass
class Lockfile:
    """The state of one manifest. ``batches`` by batch id, ``items`` by userReference."""

    name: str
    project: str
    server: str
    batches: dict[str, LockedBatch] = field(default_factory=dict)
    items: dict[str, LockedItem] = field(default_factory=dict)

    def copy(self) -> Lockfile:
        return replace(self, batches=dict(self.batches), items=dict(self.items))


def updated(item: LockedItem, seen: BatchItem) -> LockedItem:
    """A launch with what the API says of it now."""
    analysis = item.analysis if seen.analysis is None else locked_analysis(seen.analysis)
    return replace(item, item_id=seen.id, status=seen.status, message=seen.message, analysis=analysis)


def locked_analysis(analysis: Analysis) -> dict[str, Any]:
    known = {
        "endDate": analysis.end_date,
        "id": analysis.id,
        "reference": analysis.reference,
        "startDate": analysis.start_date,
        "status": analysis.status,
    }
    return {key: value for key, value in known.items() if value is not None or key == "reference"}


def launched(before: LockedItem | None, item: LockedItem) -> LockedItem:
    """A new launch of an item; the one that it replaces moves, whole, to ``previous``."""
    if before is None:
        return item
    if (before.digest, before.batch_id) == (item.digest, item.batch_id):
        return replace(before, removed=False)
    history = item_json(replace(before, previous=(), removed=False))
    return replace(item, previous=(*before.previous, history))


# -- reading


def read_lockfile(path: Path, *, name: str, project: str, server: str) -> Lockfile:
    """The state beside a manifest, an empty one where there is no file yet.

    Raises BadState where the file is damaged, of a newer version, or of another name, project or server.
    """
    lockfile = load_lockfile(path)
    if lockfile is None:
        return Lockfile(name, project, server)
    for what, mine, theirs in (
        ("name", name, lockfile.name),
        ("project", project, lockfile.project),
        ("server", server, lockfile.server),
    ):
        if mine != theirs:
            hint = " (made with --emulator: nothing in it is real, move it away)" if theirs == "emulator" else ""
            raise BadState(
                f"{path}: belongs to another {what}: it holds {theirs!r}{hint}, this command is for {mine!r}. "
                f"Nothing was sent; mend the {what}, or keep one lockfile for each with --lockfile."
            )
    return lockfile


def load_lockfile(path: Path) -> Lockfile | None:
    """The lockfile as it is, whosever it is; None where there is none. Raises BadState."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as e:
        raise BadState(f"{path}: cannot be read: {e.strerror or e}") from e
    return parse_lockfile(raw, str(path))


def parse_lockfile(raw: bytes, label: str) -> Lockfile:
    data = _parsed(raw, label)
    version = data.get("lockVersion") if isinstance(data, dict) else None
    if isinstance(version, int) and version > LOCK_VERSION:
        raise BadState(f"{label}: written by a newer manifest-runner (lockVersion {version}); update manifest-runner.")
    faults = lockfile_faults(data)
    if faults:
        where = ".".join(map(str, faults[0].path)) or "the top"
        raise _damaged(label, f"{where}: {faults[0].message}")
    return Lockfile(
        data["name"],
        data["project"],
        data["server"],
        {key: _batch(value) for key, value in data["batches"].items()},
        {key: read_item(value) for key, value in data["items"].items()},
    )


def _parsed(raw: bytes, label: str) -> Any:
    conflict = 0 if raw.startswith(_CONFLICT) else raw.find(b"\n" + _CONFLICT)
    if conflict >= 0:
        line = raw.count(b"\n", 0, conflict + 1) + 1
        raise BadState(
            f"{label}:{line}: git conflict markers. Nothing was sent. Merge both sides with `manifest-runner "
            "lock merge BASE OURS THEIRS`, whose --help has all the commands, or resolve the conflict "
            "by hand, keeping every item's line."
        )
    try:
        data = orjson.loads(raw)
    except ValueError as e:
        at = getattr(e, "lineno", 1)
        raise _damaged(label, f"line {at}: not valid JSON ({getattr(e, 'msg', e)})") from e
    if not _is_laid_out(raw, data):
        _refuse_duplicates(raw, label)
    return data


def _is_laid_out(raw: bytes, data: Any) -> bool:
    """Whether the file has the layout that this module writes; then no key can stand in it twice unseen."""
    try:
        return raw.count(b'\n"') == 6 + len(data["batches"]) + len(data["items"])
    except (TypeError, KeyError):
        return False


def _refuse_duplicates(raw: bytes, label: str) -> None:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [key for key, _ in pairs]
            raise _damaged(label, f"{next(key for key in names if names.count(key) > 1)!r} is there twice")
        return found

    json.loads(raw, object_pairs_hook=unique)


def _damaged(label: str, what: str) -> BadState:
    return BadState(
        f"{label}: damaged: {what}. Nothing was sent. Restore it from git (`git checkout -- {label}`). "
        "Where git has none, move it away and rebuild it from the API with `manifest-runner import`."
    )


_BATCH_KEYS = frozenset({"idempotencyKey", "items", "status", "submittedAt"})
_ITEM_KEYS = frozenset(
    [
        "adopted",
        "analysis",
        "attempt",
        "batchId",
        "digest",
        "itemId",
        "kind",
        "message",
        "previous",
        "removed",
        "revision",
        "status",
    ]
)


def _batch(value: dict[str, Any]) -> LockedBatch:
    more = {key: each for key, each in value.items() if key not in _BATCH_KEYS} if len(value) > 4 else {}
    return LockedBatch(value["idempotencyKey"], value["items"], value["status"], value["submittedAt"], more)


def read_item(value: dict[str, Any]) -> LockedItem:
    more = {} if value.keys() <= _ITEM_KEYS else {key: each for key, each in value.items() if key not in _ITEM_KEYS}
    return LockedItem(
        value["digest"],
        value["kind"],
        value["revision"],
        value["attempt"],
        value["batchId"],
        value["itemId"],
        value["status"],
        value["message"],
        value["analysis"],
        tuple(value.get("previous", ())),
        value.get("removed", False),
        value.get("adopted", False),
        more,
    )


# -- writing


def write_lockfile(path: Path, lockfile: Lockfile) -> None:
    """Replace the file, whole or not at all. Raises BadState where it cannot be written."""
    replace_file(path, dump_lockfile(lockfile))


def dump_lockfile(lockfile: Lockfile) -> bytes:
    """Sorted, one line a batch and one line an item, so that a small change is a small diff."""
    head = {
        "lockVersion": LOCK_VERSION,
        "name": lockfile.name,
        "project": lockfile.project,
        "server": lockfile.server,
    }
    lines = ["{", *(f"{_json(key)}: {_json(value)}," for key, value in head.items()), '"batches": {']
    lines += _lines({key: _batch_json(batch) for key, batch in lockfile.batches.items()})
    lines += ["},", '"items": {']
    lines += _lines({key: item_json(item) for key, item in lockfile.items.items()})
    lines += ["}", "}", ""]
    return "\n".join(lines).encode("utf-8", "replace")


def _lines(members: Mapping[str, Any]) -> list[str]:
    lines = [f"{_json(key)}: {_json(members[key])}," for key in sorted(members)]
    if lines:
        lines[-1] = lines[-1][:-1]
    return lines


# json.dumps would make an encoder for each line.
_json = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode


def _batch_json(batch: LockedBatch) -> dict[str, Any]:
    return {
        **batch.more,
        "idempotencyKey": batch.idempotency_key,
        "items": batch.items,
        "status": batch.status,
        "submittedAt": batch.submitted_at,
    }


def item_json(item: LockedItem) -> dict[str, Any]:
    members = {
        **item.more,
        "analysis": item.analysis,
        "attempt": item.attempt,
        "batchId": item.batch_id,
        "digest": item.digest,
        "itemId": item.item_id,
        "kind": item.kind,
        "message": item.message,
        "revision": item.revision,
        "status": item.status,
    }
    if item.previous:
        members["previous"] = list(item.previous)
    if item.removed:
        members["removed"] = True
    if item.adopted:
        members["adopted"] = True
    return members
