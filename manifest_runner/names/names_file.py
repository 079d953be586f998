"""The names file: checked when read, written as a whole, one line per entry so that git can merge it by lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from manifest_runner.conflict_markers import conflict_line
from manifest_runner.errors import BadState
from manifest_runner.files import replace_file
from manifest_runner.lockfile.workspace import TRIAL_FOLDER
from manifest_runner.model import NAME_KINDS
from manifest_runner.names.model import DataEntry, Names, PipelineEntry
from manifest_runner.names.references import ID_STARTS, data_fault, is_data_name
from manifest_runner.text import clean, shown
from manifest_runner.values import is_uuid, unique_keys

NAMES_VERSION = 1
SUFFIX = ".names.json"
MAX_BYTES = 512 * 2**20

_JSON = msgspec.json.Encoder(order="sorted")


def names_path(manifest: Path, *, is_trial: bool) -> Path:
    """``germline.yaml`` → ``germline.names.json`` beside it; a trial on the emulator has one of its own."""
    folder = manifest.parent / TRIAL_FOLDER if is_trial else manifest.parent
    return folder / (manifest.stem + SUFFIX)


class _File(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    names_version: int
    project: str
    server: str
    data: dict[str, DataEntry]
    pipelines: dict[str, PipelineEntry]
    projects: dict[str, str]
    storages: dict[str, str]


def read_names(path: Path, *, project: str, server: str) -> Names:
    """The names of a manifest; none if there is no file yet.

    Raises BadState if the file is damaged, newer, or belongs to another project or server.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return Names(project, server)
    except OSError as e:
        raise BadState(f"{path}: cannot be read: {e.strerror or type(e).__name__}") from e
    names = parse_names(raw, str(path))
    for what, found, wanted in (("project", names.project, project), ("server", names.server, server)):
        if found != wanted:
            raise BadState(
                f"{path}: belongs to {what} {clean(found, 200)}, but this is {what} {clean(wanted, 200)}. Nothing was "
                f"sent. Use the {what} of the file, or move the file away and run `manifest-runner resolve` to make "
                f"one for this {what}."
            )
    return names


def parse_names(raw: bytes, label: str) -> Names:
    """The bytes of a names file as names. Raises BadState that says what is wrong, and where."""
    _refuse_conflicts(raw, label)
    try:
        file = msgspec.json.decode(raw, type=_File)
        _refuse_version(file.names_version, label)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        _refuse_version(_version_of(raw), label)
        raise _damaged(label, _place_of(raw), str(e)) from e
    _refuse_duplicates(raw, file, label)
    _check_entries(file, label)
    return Names(file.project, file.server, file.data, file.pipelines, file.projects, file.storages)


def write_names(path: Path, names: Names) -> None:
    """Replace the file as a whole, or not at all; a file that would not change is not written."""
    content = dump_names(names)
    try:
        if path.read_bytes() == content:
            return
    except OSError:
        pass  # missing, or replaced anyway
    path.parent.mkdir(exist_ok=True)  # of a trial
    replace_file(path, content)


def dump_names(names: Names) -> bytes:
    """Sorted, one line per entry, so that a small change is a small diff."""
    head = {"namesVersion": NAMES_VERSION, "project": names.project, "server": names.server}
    lines = [b"{", *(_line(key, value) + b"," for key, value in head.items())]
    for section in NAME_KINDS:
        lines += [_JSON.encode(section) + b": {", *_entries(names.section(section))]
        lines.append(b"}" if section == NAME_KINDS[-1] else b"},")
    return b"\n".join([*lines, b"}", b""])


def _entries(entries: Mapping[str, Any]) -> list[bytes]:
    lines = [_line(key, entries[key]) + b"," for key in sorted(entries)]
    return [*lines[:-1], lines[-1][:-1]] if lines else []


def _line(key: str, value: Any) -> bytes:
    return _JSON.encode(key) + b": " + msgspec.json.format(_JSON.encode(value), indent=0)


# -- faults


def _refuse_conflicts(raw: bytes, label: str) -> None:
    if line := conflict_line(raw):
        raise BadState(
            f"{label}:{line}: git conflict markers. Nothing was sent. Keep the lines of both sides, each key once, or "
            "take either side and run `manifest-runner resolve`."
        )


def _version_of(raw: bytes) -> int:
    """The version that a file claims, even if its other keys are unknown; ours if it claims none."""
    try:
        return msgspec.json.decode(raw, type=_Version).names_version
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return NAMES_VERSION


def _refuse_version(version: int, label: str) -> None:
    if version > NAMES_VERSION:
        raise BadState(
            f"{label}: format {version} is newer than this version of manifest-runner, which reads {NAMES_VERSION}. "
            "Nothing was sent. Update manifest-runner."
        )
    if version < NAMES_VERSION:
        raise _damaged(label, 0, f"there is no format {version}")


class _Version(msgspec.Struct, rename="camel"):
    names_version: int


def _refuse_duplicates(raw: bytes, file: _File, label: str) -> None:
    """Look for duplicate keys, unless there are as many lines as entries: then no key was lost."""
    entries = len(file.data) + len(file.pipelines) + len(file.projects) + len(file.storages)
    if raw.count(b'\n"') == entries + len(_File.__struct_fields__):
        return
    json.loads(raw, object_pairs_hook=unique_keys(lambda key: _damaged(label, 0, f"duplicate key {shown(key)}")))


def _check_entries(file: _File, label: str) -> None:
    """Faults that only an edit by hand can cause."""
    for key, data in file.data.items():
        if key[:1] == "/" and key[1:2] not in ("", "/") and data.id[:4] in ID_STARTS and data.id[4:].isalnum():
            continue  # nearly all of them
        if not is_data_name(key) or data_fault(key):
            raise _damaged(label, 0, f"{shown(key)} is not a path")
        if not data.id.startswith(ID_STARTS) or data_fault(data.id):
            raise _damaged(label, 0, f"the id of {shown(key)} is {shown(data.id)}, which is not an id of data")
    ids = {key: entry.id for key, entry in file.pipelines.items()} | file.projects | file.storages
    for key, found in ids.items():
        if not is_uuid(found):
            raise _damaged(label, 0, f"the id of {shown(key)} is {shown(found)}, which is not a UUID")


def _place_of(raw: bytes) -> int:
    """The line of the first JSON error; 0 if there is none."""
    try:
        json.loads(raw)
    except json.JSONDecodeError as e:
        return e.lineno
    except (ValueError, RecursionError):
        pass
    return 0


def _damaged(label: str, line: int, what: str) -> BadState:
    where = f"{label}:{line}" if line else label
    return BadState(
        f"{where}: damaged: {clean(what, 300)}. Nothing was sent. Restore it from git (`git checkout -- {label}`), or "
        "remove it and run `manifest-runner resolve` to look everything up again."
    )
