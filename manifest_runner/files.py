"""Replace files as a whole or not at all, even if the process is killed."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from manifest_runner.errors import BadState

# Errors of a file system that cannot sync a folder. Any other error, such as EIO, may mean that a rename is lost, and
# with it the record that an analysis was launched.
_CANNOT_SYNC_FOLDERS = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})


def replace_file(path: Path, content: bytes) -> None:
    """Write beside, fsync, rename, fsync the folder. Raises BadState, and then the old or the new file exists."""
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
    """Remove a file, after making earlier renames in the folder durable. Raises BadState."""
    try:
        sync_folder(path.parent)
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as e:
        raise unwritable(path, e) from e


def sync_folder(folder: Path) -> None:
    """Make a rename or a removal in the folder durable, if the system can. Raises OSError if that failed."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as e:
        if e.errno not in _CANNOT_SYNC_FOLDERS:
            raise
    finally:
        os.close(handle)


def unwritable(path: Path, error: OSError) -> BadState:
    reason = error.strerror or type(error).__name__
    advice = "check the disk" if error.errno == errno.EIO else "free space or fix the permissions"
    return BadState(f"{path}: cannot be written: {reason}. Nothing is lost; {advice}, then run again.")
