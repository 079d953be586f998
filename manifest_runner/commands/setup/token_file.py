"""The file with the token of a folder's lease, by which the folder takes the lease back after its run was killed.

A copy of the file is worthless: if somebody commits it, or copies the folder, the run that holds the lease may be
alive. So the file says in which folder it was written and when, and no copy agrees with both.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from manifest_runner.files import replace_file


def write_token(path: Path, token: str, now: float) -> None:
    """Write the token. If its time cannot be set, or the run is killed before, the file does not count."""
    seconds = int(now)
    replace_file(path, f"{token} {_folder_of(path)} {seconds}\n".encode())
    with suppress(OSError):
        os.utime(path, (seconds, seconds))


def read_token(path: Path) -> str | None:
    """The token, if it was written here."""
    with suppress(OSError, ValueError):
        token, folder, seconds = path.read_text(encoding="ascii").split()
        if (folder, int(seconds)) == (_folder_of(path), int(path.stat().st_mtime)):
            return token
    return None


def forget_token(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _folder_of(path: Path) -> str:
    """The number of the folder in its file system; another folder, or a copy of this one, has another number."""
    return str(path.parent.stat().st_ino)
