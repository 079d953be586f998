"""A manifest and the location of its state, before any state is read."""

from __future__ import annotations

from pathlib import Path

import msgspec

from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.options import Target
from manifest_runner.commands.setup.state import (
    READING,
    Identity,
    StatePlace,
    Stores,
    check_moved_in,
    former_lockfile,
    local_lockfile,
    open_stores,
    refuse_lockfile_option,
)
from manifest_runner.commands.setup.target import load_target, server_of
from manifest_runner.items.load import Loaded
from manifest_runner.lockfile.file import belongs_to
from manifest_runner.lockfile.model import Lockfile
from manifest_runner.lockfile.workspace import Workspace
from manifest_runner.manifest.document import Document
from manifest_runner.planning.known_digests import Naming


def naming_of(document: Document) -> Naming:
    return Naming(document.name, document.former_names, document.moved)


class Opened(msgspec.Struct, frozen=True):
    """A manifest, and where its state is kept."""

    loaded: Loaded
    workspace: Workspace
    target: Target
    stores: Stores


def open_target(
    path: Path, target: Target, context: Context, *, patience: float = READING, no_check: bool = False
) -> Opened:
    """Read a manifest and find its state. A trial with the emulator never touches what is shared.

    With ``no_check`` items are not checked against their pipelines and data.
    """
    loaded = load_target(path, target, context)
    if no_check:
        loaded = loaded.without_checks()
    identity = Identity(server_of(target, context), loaded.project, loaded.document.name)
    document = loaded.document
    place = StatePlace(path.parent)
    if not target.emulator:
        place = StatePlace(path.parent, document.state, document.lock == "git", document.git)
    refuse_lockfile_option(target.lockfile, place)
    stores = open_stores(place, identity, context.env, context.home, patience=patience)
    return Opened(loaded, workspace_of(path, target), target, stores)


def workspace_of(path: Path, target: Target) -> Workspace:
    return Workspace.of(path, target.lockfile, is_trial=target.emulator)


def trial_lockfile(path: Path, target: Target) -> Path | None:
    """The lockfile of a trial with --emulator, if there is one and the command is not part of it."""
    trial = Workspace.of(path, is_trial=True).lockfile
    return trial if not target.emulator and trial.exists() else None


def namesake_lockfile(opened: Opened) -> Path | None:
    """Another lockfile of a manifest of this name, in the folder where this manifest should have one and has none."""
    lockfile, identity = opened.workspace.lockfile, opened.stores.identity
    if opened.stores.state is not None or opened.target.lockfile or lockfile.exists():
        return None
    others = sorted(lockfile.parent.glob("*.lock.json"))
    return next((other for other in others if belongs_to(other, identity.name, identity.project)), None)


class FoundLockfile(msgspec.Struct, frozen=True):
    """A lockfile, None if there is none, and its location."""

    where: str
    lockfile: Lockfile | None


def find_lockfile(path: Path, target: Target, context: Context) -> FoundLockfile:
    """A manifest's lockfile. The manifest itself is read only if it mentions ``state``."""
    workspace = workspace_of(path, target)
    try:
        mentions_state = target.lockfile is None and not target.emulator and b"state" in path.read_bytes()
    except OSError:
        mentions_state = False
    if not mentions_state:
        kept = local_lockfile(workspace)
        return FoundLockfile(kept.where, kept.load())
    opened = open_target(path, target, context)
    kept = opened.stores.lockfile(workspace)
    lockfile = kept.load() or former_lockfile(opened.stores, naming_of(opened.loaded.document).names[1:])
    if lockfile is None and opened.stores.state is not None:
        check_moved_in(kept, workspace)
    return FoundLockfile(kept.where, lockfile)
