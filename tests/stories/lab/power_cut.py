"""What a folder holds after a power cut: of each file what was fsynced last, of the names what the folder's fsync kept.

The record of it lies in a folder of its own, since the process that makes it is killed and others go on. Files are
distinguished by their inodes, which links in there keep from being used again.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

Call = Callable[[], Any]


class Disk:
    """Follows what a command writes in a folder. What was there before counts as on disk; what others do is not
    looked at. Made before `os` and `io` are wrapped, and works with what they were then.
    """

    def __init__(self, folder: Path, record: Path) -> None:
        self._folder = folder
        self._record = record
        self._kept = record / "names"
        self._link, self._unlink = os.link, os.unlink
        if not record.exists():
            record.mkdir()
            self._keep_names({})

    def write(self, path: Path, call: Call) -> Any:
        """Open a file for writing, replace it or remove it."""
        if path.parent.resolve() != self._folder:
            return call()
        if path.is_file() and not self._is_followed(path):
            self._follow(path)
            self._sync_file(path)
            self._keep_names({**self._kept_names(), path.name: path.stat().st_ino})
        given = call()
        if path.is_file() and not self._is_followed(path):
            self._follow(path)
        return given

    def sync(self, fd: int) -> None:
        """What an fsync of this file or folder puts on disk."""
        status = os.fstat(fd)
        if stat.S_ISDIR(status.st_mode):
            if os.path.samestat(status, self._folder.stat()):
                self._keep_names(self._names())
        elif (link := self._link_of(status.st_ino)).exists():
            self._sync_file(link)

    def cut_power(self, names: str) -> None:
        """Leave in the folder what is on disk.

        With ``names`` "ahead" all names are, as they are now; with "behind" those that were made or replaced since
        the folder's fsync are not, although what was removed is gone: no file system promises an order.
        """
        now, left = self._names(), self._names()
        if names == "behind":
            left = {name: inode for name, inode in self._kept_names().items() if name in now}
        contents = {name: self._synced(inode) for name, inode in left.items()}
        for name in now:
            self._unlink(self._folder / name)
        for name, content in contents.items():
            self._write(self._folder / name, content)
            self._follow(self._folder / name)
            self._sync_file(self._folder / name)
        self._keep_names(self._names())

    # -- the record

    def _names(self) -> dict[str, int]:
        """The followed files of the folder, as they are called now."""
        return {path.name: path.stat().st_ino for path in self._folder.iterdir() if self._is_followed(path)}

    def _kept_names(self) -> dict[str, int]:
        return dict(json.loads(self._kept.read_text()))

    def _keep_names(self, names: dict[str, int]) -> None:
        self._write(self._kept, json.dumps(names).encode())

    def _is_followed(self, path: Path) -> bool:
        return self._link_of(path.stat().st_ino).exists()

    def _follow(self, path: Path) -> None:
        self._link(path, self._link_of(path.stat().st_ino))

    def _link_of(self, inode: int) -> Path:
        return self._record / f"{inode}.link"

    def _synced(self, inode: int) -> bytes:
        synced = self._record / f"{inode}.synced"
        return synced.read_bytes() if synced.exists() else b""

    def _sync_file(self, path: Path) -> None:
        self._write(self._record / f"{path.stat().st_ino}.synced", path.read_bytes())

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        """Without `io`, which is wrapped."""
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.write(fd, content)
        os.close(fd)
