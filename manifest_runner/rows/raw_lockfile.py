"""The lockfile of another manifest, as bytes: reading it takes modules that most manifests do not need."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from manifest_runner.diagnostics.finding import InvalidManifest, Place


class RawLockfile(msgspec.Struct, frozen=True):
    """The bytes of a lockfile, and its name in messages. ``content`` is None if there is none yet."""

    content: bytes | None
    label: str


# Finds the lockfile of a manifest, given its path and its name in messages.
LockfileOf = Callable[[Path, str], RawLockfile]


def lockfile_beside(manifest: Path, label: str) -> RawLockfile:
    """The lockfile beside a manifest. Raises InvalidManifest if it cannot be read."""
    name = f"{manifest.stem}.lock.json"
    label = str(Path(label).with_name(name))
    try:
        return RawLockfile(manifest.with_name(name).read_bytes(), label)
    except FileNotFoundError:
        return RawLockfile(None, label)
    except OSError as e:
        message = f"cannot be read: {e.strerror or e}"
        raise InvalidManifest.at(Place(label, 1), "MR301", message) from e
