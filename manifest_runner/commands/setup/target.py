"""Load the manifest and find the server of a command line: every command that reads a manifest begins with this."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.options import Target
from manifest_runner.diagnostics.finding import Finding
from manifest_runner.errors import RunnerError, UsageProblem
from manifest_runner.ica.connection.config import find_credential, find_server
from manifest_runner.items.load import Loaded, load
from manifest_runner.lockfile.model import EMULATOR_SERVER
from manifest_runner.manifest.yaml_file import read_mapping
from manifest_runner.names.names_file import names_path, read_names
from manifest_runner.names.pins import Pins
from manifest_runner.planning.moved import move_faults
from manifest_runner.rows.raw_lockfile import LockfileOf, RawLockfile


def load_target(path: Path, target: Target, context: Context, *, report_unresolved: bool = False) -> Loaded:
    """A manifest with its names file. With ``report_unresolved`` a name that is not in it is an error."""
    file, server = names_path(path, is_trial=target.emulator), server_of(target, context)
    loaded = load(
        path,
        env=context.env,
        project=target.project,
        given_vars=target.given_vars,
        lockfile_of=_lockfile_of(target, server, context),
    )
    names = read_names(file, project=loaded.project, server=server)
    return loaded.with_pins(Pins(names, report_unresolved=report_unresolved))


def _lockfile_of(target: Target, server: str, context: Context) -> LockfileOf:
    def lockfile_of(manifest: Path, _label: str) -> RawLockfile:
        # Most manifests do not start from another one, and do not need the modules that read lockfiles.
        from manifest_runner.commands.setup.other_lockfile import lockfile_of_other

        return lockfile_of_other(manifest, target, server, context)

    return lockfile_of


def server_of(target: Target, context: Context) -> str:
    """The server as written in the lockfile."""
    if target.emulator and target.server_url:
        raise UsageProblem("use either --emulator or --server-url, not both")
    if target.emulator:
        return EMULATOR_SERVER
    return find_server(target.server_url, context.env, context.home, read_settings)


def has_credential(target: Target, context: Context) -> bool:
    """Whether there is a credential for the server."""
    try:
        find_credential(server_of(target, context), context.env, context.home, read_settings)
    except RunnerError:
        return False
    return True


def read_settings(path: Path) -> Mapping[str, object]:
    return read_mapping(path, binary=True)


def report_moves(loaded: Loaded, references: Collection[str]) -> None:
    """Add the faults of the manifest's ``moved`` to the findings, given all userReferences."""
    document = loaded.document
    for fault in move_faults(document.moved, references):
        place = document.source.place(("moved", fault.entry))
        if fault.is_error:
            loaded.findings.add(Finding(place, "MR203", fault.message))
        else:
            loaded.findings.add(Finding(place, "MR611", fault.message, severity="warning"))
