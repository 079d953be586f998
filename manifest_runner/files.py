"""Files that are replaced whole or not at all, whatever dies in between."""

from __future__ import annotations

import os
from pathlib import Path

from manifest_runner.errors import BadState


def replace_file(path: Path, content: bytes) -> None:
    """Write beside, fsync, rename, fsync the folder. Raises BadState that says what to do; the old file stays."""
    path = path.resolve() if path.is_symlink() else path  # a link stays a link
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        try:
            with beside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as e:
        raise unwritable(path, e) from e


def remove_file(path: Path) -> None:
    """What was renamed in its folder before, perhaps by a process that was killed, lasts before this file is gone."""
    try:
        sync_folder(path.parent)
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as e:
        raise unwritable(path, e) from e


def sync_folder(folder: Path) -> None:
    """Make a rename or a removal in the folder last; some file systems have no such thing, and say so."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


def unwritable(path: Path, error: OSError) -> BadState:
    reason = error.strerror or type(error).__name__
    return BadState(
        f"{path}: cannot be written: {reason}. Nothing is lost; make room or access, and run the command again."
    )
