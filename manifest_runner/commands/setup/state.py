"""Where a manifest's state is kept: its lockfile, its journal, and the lease that keeps other machines out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec

from manifest_runner.errors import BadState, UsageProblem
from manifest_runner.launch.journal.records import FileRecords, Records
from manifest_runner.lockfile.model import Lockfile
from manifest_runner.lockfile.versioned import VersionedLockfile
from manifest_runner.lockfile.workspace import Workspace
from manifest_runner.store.interface import Store

# Reading from a store may take this many seconds, retries included, so that a command that only reads ends within 20 s.
READING = 15.0
RUNNING = 60.0


class Identity(msgspec.Struct, frozen=True):
    """The owner of a state: the server, the project and the manifest's name."""

    server: str
    project: str
    name: str


class StatePlace(msgspec.Struct, frozen=True):
    """The manifest's settings for its state: a URL, a lease as a git ref, or neither.

    ``folder`` is the manifest's.
    """

    folder: Path
    state: str | None = None
    git_lease: bool = False
    remote: str | None = None


class Stores(msgspec.Struct, frozen=True):
    """The opened stores: ``state`` for lockfile and journal (None if these are beside the manifest), and ``lease``."""

    state: Store | None
    lease: Store | None
    identity: Identity

    def under(self, name: str) -> Stores:
        """The same stores for another name of the manifest."""
        return msgspec.structs.replace(self, identity=msgspec.structs.replace(self.identity, name=name))

    @property
    def lease_name(self) -> str:
        """The lease's name in its store."""
        if self.state is None:
            return f"lock/{lease_hash(self.identity)}"
        return self.stored(".lease.json")

    def lockfile(self, workspace: Workspace, check: Callable[[], None] = lambda: None) -> VersionedLockfile:
        """``check`` is called before each write to a shared store."""
        if self.state is None:
            return local_lockfile(workspace)
        return VersionedLockfile(self.state, self.stored(".lock.json"), check)

    def records(
        self, workspace: Workspace, check: Callable[[], None] = lambda: None, token: str = "", before: str = ""
    ) -> Records:
        """``check`` is called before each write to a shared store; the tokens are those of this lease and the last."""
        if self.state is None:
            return FileRecords(workspace.journal)
        from manifest_runner.launch.journal.stored_records import StoredRecords

        return StoredRecords(self.state, self.stored(".journal/"), check, token=token, before=before)

    def stored(self, suffix: str) -> str:
        """The name of an object of this manifest."""
        return f"{self.identity.project}/{self.identity.name}{suffix}"


def open_stores(
    place: StatePlace, identity: Identity, env: Mapping[str, str], home: Path, *, patience: float
) -> Stores:
    """The stores that a manifest names. Asks nothing but git, for its remotes. Raises RunnerError."""
    if place.state is not None:
        from manifest_runner.store.open_store import open_state

        store = open_state(place.state, env, home, patience=patience)
        return Stores(store, store, identity)
    if place.git_lease:
        from manifest_runner.store.git_refs import GitRefs

        return Stores(None, GitRefs(place.folder, place.remote, env, patience=patience), identity)
    return Stores(None, None, identity)


def lease_hash(identity: Identity) -> str:
    """SHA-256 of the JCS of server, project and name."""
    import rfc8785

    return sha256(rfc8785.dumps([identity.server, identity.project, identity.name])).hexdigest()


def local_lockfile(workspace: Workspace) -> VersionedLockfile:
    """The lockfile beside the manifest."""
    from manifest_runner.store.local_files import LocalFiles

    return VersionedLockfile(LocalFiles(workspace.lockfile.parent), workspace.lockfile.name)


def check_former_journals(stores: Stores, names: Sequence[str]) -> None:
    """Raise BadState if a run under a former name of the manifest left its journal in the store."""
    if (store := stores.state) is None:
        return
    for journal in [stores.under(name).stored(".journal/") for name in names]:
        if store.names(journal):
            raise BadState(
                f"{store.where(journal)}: left by a run under the manifest's former name. Nothing was sent. "
                "Finish that run under that name first."
            )


def former_lockfile(stores: Stores, names: Sequence[str]) -> Lockfile | None:
    """The lockfile that a renamed manifest has in a store under a former name."""
    if stores.state is None:
        return None
    for former in map(stores.under, names):
        if (found := VersionedLockfile(stores.state, former.stored(".lock.json")).load()) is not None:
            return found
    return None


def check_moved_in(lockfile: VersionedLockfile, workspace: Workspace) -> None:
    """Refuse to start if the store lacks the state beside the manifest: everything would be launched again."""
    refuse_old_journal(workspace, "Nothing was sent")
    if not lockfile.exists and workspace.lockfile.exists():
        raise BadState(
            f"{lockfile.where}: there is no lockfile in the store yet, but there is {workspace.lockfile}. "
            f"Nothing was sent. `manifest-runner lock push {workspace.manifest}` copies it there; "
            "or move it elsewhere to start over."
        )


def refuse_old_journal(workspace: Workspace, so_far: str) -> None:
    """Refuse to go on if the state is in a store now, but a run beside the manifest was never finished."""
    if workspace.journal.exists():
        raise BadState(
            f"{workspace.journal}: left by a run from before `state` was set. {so_far}. Finish that run first: "
            "take `state` out of the manifest, run, and put it back."
        )


def refuse_lockfile_option(given: Path | None, place: StatePlace) -> None:
    if given is not None and place.state is not None:
        raise UsageProblem(f"--lockfile {given}: this manifest keeps its lockfile at {place.state} (`state`)")
