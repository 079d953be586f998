"""The files of a manifest's state, and the lock that lets one process at a time change them."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from manifest_runner.errors import InUse, UsageProblem
from manifest_runner.files import unwritable

if TYPE_CHECKING:  # filelock is imported only when something is held
    from filelock import FileLock

_SUFFIX = ".lock.json"
TRIAL_FOLDER = ".manifest-runner"


class Workspace(msgspec.Struct, frozen=True):
    """The files of one manifest: its lockfile, its journal, and the file that is locked during a run."""

    manifest: Path
    lockfile: Path
    folder: Path

    @classmethod
    def of(cls, manifest: Path, lockfile: Path | None = None, *, is_trial: bool = False) -> Workspace:
        """``germline.yaml`` → ``germline.lock.json`` beside it, unless a lockfile is given.

        The files of a trial are in a folder of their own, so that it never touches the real ones.
        """
        folder = manifest.parent / TRIAL_FOLDER if is_trial else manifest.parent
        return cls(manifest, lockfile or folder / (manifest.stem + _SUFFIX), folder)

    @property
    def journal(self) -> Path:
        return self._beside(".journal")

    @property
    def running(self) -> Path:
        return self._beside(".running")

    @property
    def lease(self) -> Path:
        """The token of the lease, while it is held from here."""
        return self._beside(".lease")

    def lease_of(self, former_name: str) -> Path:
        """The token of the lease of a former name of the manifest."""
        return self.lease.with_name(f"{self.lease.name}.{former_name}")

    def leases(self) -> list[Path]:
        """The tokens that exist."""
        return sorted(self.lease.parent.glob(escape(self.lease.name) + "*"))

    @property
    def emulator_database(self) -> Path:
        return self.manifest.parent / TRIAL_FOLDER / "emulator.sqlite3"

    @property
    def emulator_catalog(self) -> Path | None:
        """The embedded emulator's catalog, if there is one beside the manifest."""
        catalog = self.manifest.parent / "emulator.yaml"
        return catalog if catalog.is_file() else None

    def _beside(self, suffix: str) -> Path:
        return self.lockfile.with_name(self.lockfile.name.removesuffix(_SUFFIX) + suffix)


@contextmanager
def trial_folder(manifest: Path) -> Iterator[None]:
    """The folder for a trial's files, which git ignores; it is removed if nothing was written to it."""
    folder = manifest.parent / TRIAL_FOLDER
    ignore = folder / ".gitignore"
    try:
        folder.mkdir(exist_ok=True)
        ignore.write_text("*\n", encoding="utf-8")
    except OSError as e:
        raise unwritable(folder, e) from e
    try:
        yield
    finally:
        with suppress(OSError):
            if list(folder.iterdir()) == [ignore]:
                ignore.unlink()
                folder.rmdir()


@contextmanager
def held(workspace: Workspace, timeout: float = 0.0, notify: Callable[[str], None] = lambda _: None) -> Iterator[bool]:
    """Hold the manifest's state. Raises InUse, which names the holder, if another process keeps it for ``timeout``.

    Yields whether it had to wait: then what was read before may be outdated. ``notify`` gets a line when it does.
    The system releases the lock when its holder dies. The holder removes the file when it is done; a process that had
    opened the file before finds that it has no name, and starts over (filelock checks this).
    """
    from filelock import FileLock, Timeout

    path = workspace.running
    if not path.parent.is_dir():  # filelock would make it
        raise UsageProblem(f"{path.parent}: the folder for the lockfile does not exist")
    lock = FileLock(path, timeout=0)
    try:
        waited = _acquire(lock, path, timeout, notify)
    except Timeout as e:
        raise InUse(
            f"{workspace.lockfile}: in use by {_owner(path)}. Nothing was sent. Wait for it to end; meanwhile, "
            "`manifest-runner status` shows how it is doing."
        ) from e
    except OSError as e:
        raise unwritable(path, e) from e
    try:
        _sign(path)
        _sweep(workspace.lockfile, workspace.lease)
        yield waited
    finally:
        with suppress(OSError):
            path.unlink()
        lock.release()


def _acquire(lock: FileLock, path: Path, timeout: float, notify: Callable[[str], None]) -> bool:
    """Whether it had to wait. Raises filelock.Timeout."""
    from filelock import Timeout

    try:
        lock.acquire()
    except Timeout:
        if not timeout:
            raise
        notify(f"waiting for {_owner(path)}")
        lock.acquire(timeout=timeout)
        return True
    return False


def is_in_use(workspace: Workspace) -> bool:
    """Whether a process holds the manifest's state; one that was killed leaves its file behind, without a lock."""
    import fcntl

    try:
        file = workspace.running.open("rb")
    except OSError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _sweep(*replaced: Path) -> None:
    """Remove new versions that a killed process left beside these files (see ``replace_file``)."""
    with suppress(OSError):
        for path in replaced:
            for left in path.parent.glob(f".{escape(path.name)}.*.new"):
                left.unlink()


def _sign(path: Path) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    with suppress(OSError):
        path.write_text(f"process {os.getpid()} on {socket.gethostname()} since {now}\n", encoding="utf-8")


def _owner(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        text = path.read_text(encoding="utf-8")[:200].strip()
        if text.isprintable() and text:
            return text
    return "another process"
