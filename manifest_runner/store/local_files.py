"""State in a folder, on one machine or on a file system that several machines share."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from manifest_runner.errors import BadState, Unreachable
from manifest_runner.files import replace_file, sync_folder, unwritable
from manifest_runner.store.interface import Conflict, Stored, Unchanged

_GUARD = ".manifest-runner.guard"
_PAUSE = 0.02


class LocalFiles:
    """Files in ``folder``, replaced as a whole or not at all, on disk when a call returns.

    A file's version is its inode, its size and the time of its last change: each write makes a new inode. Comparing and
    writing are two steps; with ``shared``, a lock on a file in the folder keeps other machines out in between, and is
    waited for at most ``patience`` seconds. Without it, the caller must keep others out.
    """

    def __init__(
        self,
        folder: Path,
        *,
        shared: bool = False,
        patience: float = 20.0,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._folder = folder
        self._shared = shared
        self._patience = patience
        self._monotonic = monotonic
        self._sleep = sleep

    def where(self, name: str) -> str:
        return str(self._folder / name)

    def get(self, name: str, *, unless: str | None = None) -> Stored | None:
        path = self._folder / name
        try:
            with path.open("rb") as file:
                if (version := _version(os.fstat(file.fileno()))) == unless:
                    raise Unchanged(name)
                return Stored(file.read(), version)
        except FileNotFoundError:
            return None
        except OSError as e:
            raise BadState(f"{path}: cannot be read: {e.strerror or e}") from e

    def create(self, name: str, content: bytes) -> str:
        with self._guarded():
            if self._version(name) is not None:
                raise Conflict(name)
            return self._write(name, content)

    def replace(self, name: str, content: bytes, version: str) -> str:
        with self._guarded():
            if self._version(name) != version:
                raise Conflict(name)
            return self._write(name, content)

    def delete(self, names: Sequence[str]) -> None:
        """Make earlier renames in a folder durable, perhaps those of a killed process, before anything is removed."""
        paths = [self._folder / name for name in names]
        folders = sorted({path.parent for path in paths if path.parent.is_dir()})
        with self._guarded():
            _sync(folders)
            for path in paths:
                try:
                    path.unlink(missing_ok=True)
                except OSError as e:
                    raise unwritable(path, e) from e
            _sync(folders)
            self._sweep(folders)

    def names(self, folder: str) -> list[str]:
        try:
            found = [entry.name for entry in os.scandir(self._folder / folder) if not entry.name.startswith(".")]
        except FileNotFoundError:
            return []
        except OSError as e:
            raise BadState(f"{self._folder / folder}: cannot be read: {e.strerror or e}") from e
        return sorted(folder + name for name in found)

    def probe(self, name: str, content: bytes) -> None:
        """Do nothing: without locks no write would have come this far."""

    def _version(self, name: str) -> str | None:
        """Open the file to read its version: network file systems check it again only then."""
        try:
            with (self._folder / name).open("rb") as file:
                return _version(os.fstat(file.fileno()))
        except FileNotFoundError:
            return None
        except OSError as e:
            raise BadState(f"{self._folder / name}: cannot be read: {e.strerror or e}") from e

    def _write(self, name: str, content: bytes) -> str:
        path = self._folder / name
        _make_folders(path.parent)
        replace_file(path, content)
        self._sweep([path.parent])
        return self._version(name) or ""

    def _sweep(self, folders: Sequence[Path]) -> None:
        """Remove new files that killed processes left beside the old ones; nobody else writes now."""
        for folder in folders if self._shared else ():
            for left in folder.glob(".*.new"):
                with suppress(OSError):
                    left.unlink()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Hold the lock. It is freed when its holder dies; a holder that is stopped is waited for."""
        if not self._shared:
            yield
            return
        import fcntl

        path = self._folder / _GUARD
        _make_folders(self._folder)
        try:
            guard = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as e:
            raise unwritable(path, e) from e
        try:
            self._wait_for(lambda: fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB), path)
            yield
        finally:
            os.close(guard)

    def _wait_for(self, lock: Callable[[], None], path: Path) -> None:
        end = self._monotonic() + self._patience
        while True:
            try:
                return lock()
            except BlockingIOError as e:
                if self._monotonic() >= end:
                    raise Unreachable(f"{path}: another process has held this lock for {self._patience:g} s") from e
            except OSError as e:
                raise BadState(
                    f"{path}: this file system has no locks ({e.strerror or e}), so it cannot keep two runs apart. "
                    "Nothing was sent; use another place for `state`."
                ) from e
            self._sleep(_PAUSE)


def _version(status: os.stat_result) -> str:
    return f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}"


def _make_folders(folder: Path) -> None:
    """Make folders, each with its name on disk before anything in it counts."""
    missing = [each for each in (folder, *folder.parents) if not each.is_dir()]
    try:
        for each in reversed(missing):
            each.mkdir(exist_ok=True)
            sync_folder(each.parent)
    except OSError as e:
        raise unwritable(folder, e) from e


def _sync(folders: Sequence[Path]) -> None:
    for folder in folders:
        try:
            sync_folder(folder)
        except OSError as e:
            raise unwritable(folder, e) from e
