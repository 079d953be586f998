"""One manifest's state, and the way to its server: what every command that talks to ICA holds while it works."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from manifest_runner.commands.context import Context
from manifest_runner.commands.options import Target
from manifest_runner.errors import BadState, UsageProblem
from manifest_runner.files import unwritable
from manifest_runner.ica.config import Credential, find_credential, find_server, retries_rate_limits
from manifest_runner.items.load import Loaded, load
from manifest_runner.launch.journal import Journal, Owner
from manifest_runner.launch.record import record_answer
from manifest_runner.lockfile.file import read_lockfile, write_lockfile
from manifest_runner.lockfile.workspace import Workspace, held
from manifest_runner.manifest.yaml_file import read_mapping

if TYPE_CHECKING:  # requests is imported where it is used
    from manifest_runner.ica.client import Client
    from manifest_runner.ica.retry import Deadline

EMULATOR = "emulator"
EMULATOR_KEY = "manifest-runner-emulator"


class Session:
    """A manifest with its lockfile and journal as they were read. ``lockfile`` is changed in place and saved.

    What the journal knows to be launched is in ``lockfile`` from the start, though not yet on disk.
    """

    def __init__(self, loaded: Loaded, workspace: Workspace, target: Target, context: Context) -> None:
        self.loaded = loaded
        self.workspace = workspace
        self.context = context
        self._emulator = target.emulator
        self._server = server_of(target, context)
        name, project = loaded.document.name, loaded.project
        self.lockfile = read_lockfile(workspace.lockfile, name=name, project=project, server=self._server)
        self.journal = Journal.read(workspace.journal, Owner(name, project, self._server))
        self._saved = self.lockfile.copy()
        self._take_answers()

    def _take_answers(self) -> None:
        for answer in self.journal.answers:
            record_answer(self.lockfile, answer)

    def report_pending(self) -> None:
        """Say what only ``run`` can settle, for the commands that leave it alone."""
        if self.journal.pending:
            self.context.notify("a batch was sent and has not been answered; `manifest-runner run` settles it")

    def save(self) -> None:
        """Write the lockfile if anything in it changed since it was last read or written."""
        if self.lockfile != self._saved:
            write_lockfile(self.workspace.lockfile, self.lockfile)
            self._saved = self.lockfile.copy()

    def finish(self) -> None:
        """Everything known is in the lockfile; the journal goes when nothing in it is unanswered.

        ^C may have come between an answer and its way into the lockfile, so all of them are taken once more.
        """
        self._take_answers()
        self.save()
        self.journal.close()
        if not self.journal.pending:
            self.journal.remove()

    @contextmanager
    def client(self, deadline: Deadline) -> Iterator[Client]:
        """A client for this session's server, with the embedded emulator started where that is meant."""
        from manifest_runner.ica.client import Client

        context = self.context
        with ExitStack() as stack:
            if self._emulator:
                url = stack.enter_context(_embedded(self.workspace))
                credential = Credential("X-API-Key", EMULATOR_KEY, "the emulator")
            else:
                url = self._server
                credential = find_credential(url, context.env, context.home, _read_settings)
            client = Client(
                url,
                credential,
                self.loaded.project,
                deadline=deadline,
                notify=context.notify,
                sleep=context.sleep,
                clock=context.clock,
                retry_rate_limits=retries_rate_limits(context.env),
                env=context.env,
            )
            yield stack.enter_context(client)


def load_target(path: Path, target: Target, context: Context) -> Loaded:
    return load(path, env=context.env, project=target.project, given_vars=target.given_vars)


def read_session(path: Path, target: Target, context: Context) -> Session:
    """A session for looking only: nothing is held, nothing may be written."""
    return Session(load_target(path, target, context), Workspace.of(path, target.lockfile), target, context)


@contextmanager
def held_session(path: Path, target: Target, context: Context) -> Iterator[Session]:
    """A session that no other process can change. Raises BadState where one holds it already."""
    loaded = load_target(path, target, context)
    workspace = Workspace.of(path, target.lockfile)
    server_of(target, context)
    with held(workspace):
        yield Session(loaded, workspace, target, context)


def server_of(target: Target, context: Context) -> str:
    """The server as the lockfile names it."""
    if target.emulator and target.server_url:
        raise UsageProblem("use either --emulator or --server-url, not both")
    if target.emulator:
        return EMULATOR
    return find_server(target.server_url, context.env, context.home, _read_settings)


def _read_settings(path: Path) -> Mapping[str, object]:
    return read_mapping(path, binary=True)


@contextmanager
def _embedded(workspace: Workspace) -> Iterator[str]:
    """The emulator with its state beside the manifest, in a folder that git does not see."""
    import sqlite3

    from manifest_runner.emulator import CatalogError, EmulatorOptions, running

    database = workspace.emulator_database
    try:
        database.parent.mkdir(exist_ok=True)
        database.with_name(".gitignore").write_text("*\n", encoding="utf-8")
    except OSError as e:
        raise unwritable(database.parent, e) from e
    try:
        with running(EmulatorOptions(database=database, catalog=workspace.emulator_catalog)) as url:
            yield url + "/ica/rest"
    except CatalogError as e:
        raise UsageProblem(str(e)) from e
    except sqlite3.Error as e:
        raise BadState(f"{database}: the emulator's state cannot be read ({e}); move it away to start again") from e
