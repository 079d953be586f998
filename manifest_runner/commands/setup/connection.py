"""Connect to a server; for a trial, start the embedded emulator first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.options import Target
from manifest_runner.commands.setup.target import read_settings, server_of
from manifest_runner.errors import BadState, UsageProblem
from manifest_runner.ica.connection.config import Credential, find_credential, retries_rate_limits
from manifest_runner.lockfile.workspace import Workspace, trial_folder

if TYPE_CHECKING:  # requests is imported where it is used
    from manifest_runner.ica.client import Client
    from manifest_runner.ica.connection.retry import Deadline

EMULATOR_KEY = "manifest-runner-emulator"


@contextmanager
def connected(
    workspace: Workspace, target: Target, project: str, context: Context, deadline: Deadline
) -> Iterator[Client]:
    """A client for the server and project of a command line. The emulator keeps its state in ``workspace``."""
    from manifest_runner.ica.client import Client

    with ExitStack() as stack:
        if target.emulator:
            url = stack.enter_context(_embedded(workspace))
            credential = Credential("X-API-Key", EMULATOR_KEY, "the emulator")
        else:
            url = server_of(target, context)
            credential = find_credential(url, context.env, context.home, read_settings)
        client = Client(
            url,
            credential,
            project,
            deadline=deadline,
            notify=context.notify,
            sleep=context.sleep,
            clock=context.clock,
            retry_rate_limits=retries_rate_limits(context.env),
            env=context.env,
        )
        yield stack.enter_context(client)


@contextmanager
def _embedded(workspace: Workspace) -> Iterator[str]:
    """The emulator, with its state in the folder for trials."""
    import sqlite3

    from manifest_runner.emulator import CatalogError, EmulatorOptions, running

    database = workspace.emulator_database
    try:
        with (
            trial_folder(workspace.manifest),
            running(EmulatorOptions(database=database, catalog=workspace.emulator_catalog)) as url,
        ):
            yield url + "/ica/rest"
    except CatalogError as e:
        raise UsageProblem(str(e)) from e
    except sqlite3.Error as e:
        raise BadState(f"{database}: the emulator's state cannot be read ({e}); move it away to start over") from e
