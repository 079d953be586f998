"""Open a manifest's session: to read, to work on it exclusively, or to record what is learned if no run does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.holding import Held, holder_of, is_held, leased
from manifest_runner.commands.setup.leases import Leases
from manifest_runner.commands.setup.opened_manifest import (
    Opened,
    namesake_lockfile,
    naming_of,
    open_target,
    trial_lockfile,
)
from manifest_runner.commands.setup.options import Target
from manifest_runner.commands.setup.session import NO_LEASES, Session
from manifest_runner.commands.setup.state import RUNNING
from manifest_runner.errors import InUse
from manifest_runner.lockfile.workspace import held, is_in_use, trial_folder

if TYPE_CHECKING:
    from manifest_runner.launch.lease.lease import Lease


def read_session(path: Path, target: Target, context: Context, *, no_check: bool = False) -> Session:
    """A session that only reads: nothing is held, and what is learned is not recorded."""
    opened = open_target(path, target, context, no_check=no_check)
    _report_namesake(opened, context)
    return Session(opened, context, writes=False)


@contextmanager
def working_session(
    path: Path,
    target: Target,
    context: Context,
    command: str,
    *,
    patience: float = RUNNING,
    lock_timeout: float = 0.0,
    no_lock: bool = False,
    no_check: bool = False,
    launches: bool = True,
) -> Iterator[Session]:
    """A session that no other process can change. Raises InUse if one holds it for longer than ``lock_timeout``.

    It also holds the manifest's lease, in the name of ``command``, unless ``no_lock`` is set. A command that launches
    nothing needs no lease in git, since its lockfile is its own.
    """
    opened = open_target(path, target, context, patience=patience, no_check=no_check)
    needs_lease = opened.stores.lease is not None and (launches or opened.stores.state is not None)
    leases = NO_LEASES
    with ExitStack() as stack:
        stack.enter_context(_folder_of(opened))
        if stack.enter_context(held(opened.workspace, lock_timeout, context.notify)):
            # The run that ended may have looked up names.
            opened = open_target(path, target, context, patience=patience, no_check=no_check)
        _report_namesake(opened, context)
        if no_lock:
            _report_no_lock(opened, context)
        elif needs_lease:
            *former, own = _take_leases(opened, f"{command} {path.name}", context, lock_timeout, stack)
            leases = Leases(own, tuple(former))
        yield Session(opened, context, leases)


@contextmanager
def looking_session(path: Path, target: Target, context: Context, *, patience: float = RUNNING) -> Iterator[Session]:
    """A session that records what it learns, unless a run holds the manifest or its lease: then that run does."""
    opened = open_target(path, target, context, patience=patience)
    with ExitStack() as stack:
        stack.enter_context(_folder_of(opened))
        try:
            stack.enter_context(held(opened.workspace))
        except InUse:
            _report_run(path, context)
            yield Session(opened, context, writes=False, elsewhere=lambda: is_in_use(opened.workspace))
            return
        _report_trial(opened, context)
        if (other := holder_of(opened.stores, context)) is not None:
            _report_holder(other, context)
            yield Session(opened, context, writes=False, elsewhere=lambda: is_held(opened.stores, context))
            return
        yield Session(opened, context)


@contextmanager
def watching_session(path: Path, target: Target, context: Context, *, patience: float) -> Iterator[Session]:
    """A session that writes nothing and holds nothing, so that runs can start and end meanwhile."""
    opened = open_target(path, target, context, patience=patience)
    with _folder_of(opened):
        if is_in_use(opened.workspace):
            _report_run(path, context)
        elif (other := holder_of(opened.stores, context)) is not None:
            _report_holder(other, context)
        else:
            _report_trial(opened, context)

        def is_run_elsewhere() -> bool:
            return is_in_use(opened.workspace) or is_held(opened.stores, context)

        yield Session(opened, context, writes=False, elsewhere=is_run_elsewhere)


def _folder_of(opened: Opened) -> AbstractContextManager[None]:
    """The folder for a trial's files; nothing else needs one."""
    return trial_folder(opened.workspace.manifest) if opened.target.emulator else nullcontext()


def _take_leases(opened: Opened, command: str, context: Context, timeout: float, stack: ExitStack) -> Iterator[Held]:
    """The leases of the manifest's former names and its own, since a run under any of them has the same items."""
    workspace = opened.workspace
    for name in reversed(naming_of(opened.loaded.document).names):
        token_file = workspace.lease if name == opened.stores.identity.name else workspace.lease_of(name)
        yield stack.enter_context(leased(opened.stores.under(name), token_file, command, context, timeout))


def _report_run(path: Path, context: Context) -> None:
    context.notify(f"a run is working on {path}; it will write the lockfile")


def _report_holder(other: Lease, context: Context) -> None:
    context.notify(f"in use by {other.words}: nothing is written")


def _report_trial(opened: Opened, context: Context) -> None:
    """Mention a trial: without --emulator it looks as if nothing was launched."""
    trial = trial_lockfile(opened.workspace.manifest, opened.target)
    if trial and not opened.workspace.lockfile.exists():
        context.notify(f"{trial} is from a trial; add --emulator to see it")


def _report_namesake(opened: Opened, context: Context) -> None:
    """Mention that a manifest was renamed or copied: without its lockfile it looks as if nothing was launched."""
    if (other := namesake_lockfile(opened)) is not None:
        manifest, lockfile = opened.workspace.manifest.name, opened.workspace.lockfile.name
        context.notify(
            f"{other} has the launches of a manifest of the same name. If {manifest} is that manifest, rename its "
            f"lockfile to {lockfile}; if it is a copy, change its `name`."
        )


def _report_no_lock(opened: Opened, context: Context) -> None:
    if opened.stores.lease is not None:
        context.notify("working without the lease (--no-lock): only stamps keep others from launching the same items")
