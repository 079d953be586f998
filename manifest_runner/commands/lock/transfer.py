"""``lock pull`` and ``lock push``: copy the lockfile between a store and the file beside the manifest."""

from __future__ import annotations

from pathlib import Path

import msgspec

from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.opened_manifest import Opened, open_target
from manifest_runner.commands.setup.options import Target
from manifest_runner.commands.setup.state import local_lockfile, refuse_old_journal
from manifest_runner.errors import BadState, UsageProblem
from manifest_runner.launch.lease.lease import standing
from manifest_runner.launch.lease.stored_lease import read_lease
from manifest_runner.lockfile.file import check_owner
from manifest_runner.lockfile.model import Lockfile
from manifest_runner.lockfile.versioned import VersionedLockfile
from manifest_runner.lockfile.workspace import Workspace, held


class Copied(msgspec.Struct, frozen=True):
    """A lockfile that was copied."""

    source: str
    target: str
    items: int


def pull(path: Path, target: Target, context: Context) -> Copied:
    """Copy the lockfile from the store to the file beside the manifest."""
    opened, workspace = _opened(path, target, context)
    stored, local = opened.stores.lockfile(workspace), local_lockfile(workspace)
    lockfile = _loaded(stored, opened)
    with held(workspace):
        local.load()
        local.overwrite(lockfile)
    return Copied(stored.where, local.where, len(lockfile.items))


def push(path: Path, target: Target, context: Context, *, force: bool) -> Copied:
    """Copy the file beside the manifest to the store. Raises BadState if there is one, unless ``force``."""
    opened, workspace = _opened(path, target, context)
    stored, local = opened.stores.lockfile(workspace), local_lockfile(workspace)
    with held(workspace):
        refuse_old_journal(workspace, "Nothing was copied")
        lockfile = _loaded(local, opened)
        _check_free(opened, context)
        if stored.load() is not None and not force:
            raise BadState(
                f"{stored.where}: the store already has a lockfile. Nothing was copied. `lock pull` copies it "
                "here; --force overwrites it."
            )
        stored.overwrite(lockfile)
    return Copied(local.where, stored.where, len(lockfile.items))


def _opened(path: Path, target: Target, context: Context) -> tuple[Opened, Workspace]:
    """``--lockfile`` names the file beside the manifest."""
    opened = open_target(path, msgspec.structs.replace(target, lockfile=None), context)
    if opened.stores.state is None:
        raise UsageProblem(f"{path}: has no `state`, so its lockfile is the file beside it")
    return opened, Workspace.of(path, target.lockfile)


def _loaded(kept: VersionedLockfile, opened: Opened) -> Lockfile:
    lockfile, identity = kept.load(), opened.stores.identity
    if lockfile is None:
        raise BadState(f"{kept.where}: there is no lockfile to copy")
    check_owner(lockfile, kept.where, name=identity.name, project=identity.project, server=identity.server)
    return lockfile


def _check_free(opened: Opened, context: Context) -> None:
    stores = opened.stores
    assert stores.state is not None
    lease = read_lease(stores.state, stores.lease_name).lease
    if lease is not None and standing(lease, "", context.clock()) == "held":
        raise BadState(f"{stores.state.where(stores.lease_name)}: in use by {lease.words}. Nothing was copied.")
