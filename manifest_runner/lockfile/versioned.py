"""The lockfile where it is kept, beside the manifest or in a store: it replaces only the version that was read."""

from __future__ import annotations

from collections.abc import Callable, Collection

from manifest_runner.errors import BadState
from manifest_runner.lockfile.file import check_owner, dump_lockfile, parse_lockfile
from manifest_runner.lockfile.merge import merge_lockfiles
from manifest_runner.lockfile.model import Lockfile
from manifest_runner.store.interface import Conflict, Store, Stored, Unchanged


class VersionedLockfile:
    """One lockfile. ``check`` is called before each write, and raises if this command may no longer write.

    ``size`` is the number of bytes that were last written.
    """

    def __init__(self, store: Store, name: str, check: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._name = name
        self._check = check
        self._version: str | None = None
        self._base: Lockfile | None = None
        self.size = 0

    @property
    def where(self) -> str:
        return self._store.where(self._name)

    @property
    def exists(self) -> bool:
        """Whether there was one when it was last read or written."""
        return self._version is not None

    def load(self) -> Lockfile | None:
        """The lockfile of any manifest; None if there is none. Raises BadState."""
        if (stored := self._changed()) is not None:
            self._base = parse_lockfile(stored.content, self.where)
            self._version = stored.version
        return None if self._base is None else self._base.copy()

    def _changed(self) -> Stored | None:
        """What is stored, unless it is what was read last: fetching and parsing a large lockfile takes a while."""
        try:
            stored = self._store.get(self._name, unless=self._version if self._base is not None else None)
        except Unchanged:
            return None
        if stored is None:
            self._version = self._base = None
        return stored

    def content(self) -> bytes | None:
        """Its bytes as they are, None if there is none."""
        stored = self._store.get(self._name)
        return stored.content if stored else None

    def read(self, *, name: str, project: str, server: str, former_names: Collection[str] = ()) -> Lockfile:
        """The same, or an empty one if there is none yet.

        Raises BadState also if it belongs to another manifest, project or server.
        """
        found = self.load()
        if found is None:
            return Lockfile(name, project, server)
        check_owner(found, self.where, name=name, project=project, server=server, former_names=former_names)
        return found

    def write(self, lockfile: Lockfile) -> Lockfile:
        """Write it and return what is stored, merged if someone else wrote in between."""
        while True:
            self._check()
            try:
                self._version = self._put(dump_lockfile(lockfile))
            except Conflict:
                base = self._base
                theirs = self.load()
                lockfile = merge_lockfiles(base, lockfile, theirs) if theirs else lockfile
                continue
            self._base = lockfile.copy()
            return lockfile

    def overwrite(self, lockfile: Lockfile) -> None:
        """Write it over what was loaded, without a merge. Raises BadState if that has changed in between."""
        try:
            self._version = self._put(dump_lockfile(lockfile))
        except Conflict as e:
            raise BadState(f"{self.where}: changed in the meantime. Nothing was copied; try again.") from e
        self._base = lockfile.copy()

    def _put(self, content: bytes) -> str:
        self.size = len(content)
        if self._version is None:
            return self._store.create(self._name, content)
        return self._store.replace(self._name, content, self._version)
