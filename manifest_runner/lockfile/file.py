"""The lockfile as a file: read as a whole, written once at the end, one line per batch and one line per item.

msgspec reads and writes it in one pass, with the lockfile's values as its types. What that rejects is read again,
slowly, to say in words what is wrong, or because a newer version of this tool has added members, which are kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import msgspec
import orjson

from manifest_runner.conflict_markers import conflict_line
from manifest_runner.errors import BadState
from manifest_runner.files import replace_file
from manifest_runner.lockfile.model import (
    EMULATOR_SERVER,
    MORE,
    LockedAnalysis,
    LockedBatch,
    LockedItem,
    Lockfile,
    Value,
)
from manifest_runner.validation.shipped_schemas import lockfile_faults
from manifest_runner.values import unique_keys

LOCK_VERSION = 1
_HEX = b"0123456789abcdef"
_LONGEST_OWNER = 500  # bytes within which a lockfile names its manifest and its project
_REVISION = re.compile(r"[0-9]{1,1000}\.[0-9]{1,1000}")


class _File(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, gc=False):
    """The file as it is parsed."""

    lock_version: Literal[1]
    name: str
    project: str
    server: str
    batches: dict[str, LockedBatch]
    items: dict[str, LockedItem]


# -- reading


def check_owner(
    lockfile: Lockfile, label: str, *, name: str, project: str, server: str, former_names: Collection[str] = ()
) -> None:
    """Raise BadState if a lockfile belongs to another manifest, project or server; its name may be a former one."""
    for what, mine, theirs in (
        ("name", name, lockfile.name),
        ("project", project, lockfile.project),
        ("server", server, lockfile.server),
    ):
        if mine != theirs and not (what == "name" and theirs in former_names):
            hint = " (made with --emulator: nothing in it is real; move it away)" if theirs == EMULATOR_SERVER else ""
            cure = f"correct the {what}, or keep one lockfile for each with --lockfile."
            if what == "name":
                cure = f"if the manifest was renamed, add `moved: [{{name: {theirs}}}]` to it; if not, {cure}"
            owner = "manifest" if what == "name" else what
            raise BadState(
                f"{label}: belongs to another {owner}: it is for {theirs!r}{hint}, but this command is for {mine!r}. "
                f"Nothing was sent. {cure[0].upper()}{cure[1:]}"
            )


def load_lockfile(path: Path) -> Lockfile | None:
    """The lockfile of any manifest; None if there is none. Raises BadState."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as e:
        raise BadState(f"{path}: cannot be read: {e.strerror or e}") from e
    return parse_lockfile(raw, str(path))


def belongs_to(path: Path, name: str, project: str) -> bool:
    """Whether a file is a lockfile, as this module writes it, of a manifest of this name; reads only its start."""
    owner = b"\n".join([b"", *_head({"name": name, "project": project}), b""])
    try:
        if not path.is_file():  # opening a pipe would wait for its writer
            return False
        with path.open("rb") as file:
            return owner in file.read(_LONGEST_OWNER)
    except OSError:
        return False


def parse_lockfile(raw: bytes, label: str) -> Lockfile:
    """The lockfile in these bytes; ``label`` names them in messages. Raises BadState."""
    try:
        file = _DECODER.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        file = None
    if file is None or not _is_laid_out(raw, file) or not _is_sound(file):
        file = _parse_slowly(raw, label)
    return Lockfile(file.name, file.project, file.server, file.batches, file.items)


_DECODER = msgspec.json.Decoder(_File)


def _is_laid_out(raw: bytes, file: _File) -> bool:
    """Whether the file has the layout that this module writes, in which no line can occur twice unnoticed."""
    return raw.endswith(b"\n") and raw.count(b"\n") == 10 + len(file.batches) + len(file.items)


def _is_sound(file: _File) -> bool:
    """Checks beyond the types, for all launches at once, since there can be very many."""
    launches = [*file.items.values(), *chain.from_iterable(item.previous for item in file.items.values())]
    digests = "".join([launch.digest for launch in launches])
    revisions = {launch.revision for launch in launches}
    return not digests.encode().translate(None, _HEX) and all(map(_REVISION.fullmatch, revisions))


def _parse_slowly(raw: bytes, label: str) -> _File:
    """Describe damage in words, and keep members of a newer version."""
    data = _parsed(raw, label)
    version = data.get("lockVersion") if isinstance(data, dict) else None
    if isinstance(version, int) and version > LOCK_VERSION:
        raise BadState(f"{label}: written by a newer manifest-runner (lockVersion {version}); update manifest-runner.")
    faults = lockfile_faults(data)
    if faults:
        where = ".".join(map(str, faults[0].path)) or "the top level"
        raise _damaged(label, f"{where}: {faults[0].message}")
    for kept, kind in (("batches", LockedBatch), ("items", LockedItem)):
        data[kept] = {key: _lowered(value, kind) for key, value in data[kept].items()}
    try:
        return msgspec.convert(data, _File)
    except msgspec.ValidationError as e:
        raise _damaged(label, str(e)) from e


def _lowered(members: dict[str, Any], kind: type[Value]) -> dict[str, Any]:
    """The members that ``kind`` has, with all others inside one of them."""
    known = {name: members[name] for name in kind.__struct_encode_fields__ if name in members}
    if "previous" in known:
        known["previous"] = [_lowered(launch, kind) for launch in known["previous"]]
    if known.get("analysis"):
        known["analysis"] = _lowered(known["analysis"], LockedAnalysis)
        known["analysis"].pop(MORE)
    return {**known, MORE: {name: value for name, value in members.items() if name not in known}}


def _parsed(raw: bytes, label: str) -> Any:
    if line := conflict_line(raw):
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
    json.loads(raw, object_pairs_hook=unique_keys(lambda key: _damaged(label, f"{key!r} appears twice")))
    return data


def _damaged(label: str, what: str) -> BadState:
    if "://" in label:
        cure = "Restore an earlier version of it, or delete it"
    else:
        cure = f"Restore it from git (`git checkout -- {label}`). Where git has none, move it away"
    return BadState(
        f"{label}: damaged: {what}. Nothing was sent. {cure} and rebuild it from the API with `manifest-runner import`."
    )


# -- writing


def write_lockfile(path: Path, lockfile: Lockfile) -> None:
    """Replace the file as a whole, or not at all. Raises BadState if it cannot be written."""
    replace_file(path, dump_lockfile(lockfile))


def dump_lockfile(lockfile: Lockfile) -> bytes:
    """Sorted, one line per batch and one line per item, so that a small change is a small diff."""
    head = {
        "lockVersion": LOCK_VERSION,
        "name": lockfile.name,
        "project": lockfile.project,
        "server": lockfile.server,
    }
    lines = [b"{", *_head(head), b'"batches": {']
    lines += _lines(lockfile.batches)
    lines += [b"},", b'"items": {']
    lines += _lines(lockfile.items)
    lines += [b"}", b"}", b""]
    return b"\n".join(lines)


_JSON = msgspec.json.Encoder(order="sorted")
_MARK = _JSON.encode(MORE) + b":"


def _head(members: Mapping[str, Any]) -> list[bytes]:
    return [_line(key, _JSON.encode(value)) + b"," for key, value in members.items()]


def _lines(members: Mapping[str, Value]) -> list[bytes]:
    lines = [_line(key, value_json(members[key])) + b"," for key in sorted(members)]
    if lines:
        lines[-1] = lines[-1][:-1]
    return lines


def _line(key: str, value: bytes) -> bytes:
    return _JSON.encode(key) + b": " + value


def value_json(value: Value) -> bytes:
    """One batch or item as it is written in its line."""
    raw = _JSON.encode(value)
    if _MARK in raw:
        raw = _JSON.encode(_lifted(orjson.loads(raw)))
    return msgspec.json.format(raw, indent=0)


def _lifted(members: dict[str, Any]) -> dict[str, Any]:
    """The reverse of ``_lowered``."""
    more = members.pop(MORE, {})
    if "previous" in members:
        members["previous"] = [_lifted(launch) for launch in members["previous"]]
    return {**members, **more}
