"""Find the lockfile of a manifest whose results another manifest uses."""

from __future__ import annotations

from pathlib import Path

from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.options import Target
from manifest_runner.commands.setup.state import READING, Identity, StatePlace, local_lockfile, open_stores
from manifest_runner.items.load import find_project
from manifest_runner.lockfile.versioned import VersionedLockfile
from manifest_runner.lockfile.workspace import Workspace
from manifest_runner.manifest.check import load_document
from manifest_runner.manifest.input_file import read_bytes
from manifest_runner.manifest.yaml_file import MAX_BYTES, read_manifest
from manifest_runner.rows.raw_lockfile import RawLockfile


def lockfile_of_other(manifest: Path, target: Target, server: str, context: Context) -> RawLockfile:
    """The lockfile for a command with this target. Reads only the location of its state from the other manifest."""
    found = _find(manifest, target, server, context)
    return RawLockfile(found.content(), found.where)


def _find(manifest: Path, target: Target, server: str, context: Context) -> VersionedLockfile:
    workspace = Workspace.of(manifest, is_trial=target.emulator)
    if target.emulator or b"state" not in read_bytes(manifest, str(manifest), MAX_BYTES):
        return local_lockfile(workspace)
    document = load_document(read_manifest(manifest), env=context.env, given_vars={})
    project = find_project(target.project, document.project, context.env)
    identity = Identity(server, project, document.name)
    place = StatePlace(manifest.parent, document.state)
    return open_stores(place, identity, context.env, context.home, patience=READING).lockfile(workspace)
