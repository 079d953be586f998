"""A run that is under way: the manifest's state, held, and the connection, opened when it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.open_session import looking_session, watching_session, working_session
from manifest_runner.commands.setup.options import RunOptions, Target
from manifest_runner.commands.setup.origin import find_origin
from manifest_runner.commands.setup.session import Session
from manifest_runner.commands.setup.state import READING, RUNNING
from manifest_runner.ica.connection.retry import Deadline
from manifest_runner.launch.environment import LaunchEnvironment
from manifest_runner.launch.following.gone import Gone
from manifest_runner.launch.journal.journal import Origin
from manifest_runner.launch.journal.spool import Spool, open_spool

if TYPE_CHECKING:  # requests is imported only when something is sent
    from manifest_runner.ica.client import Client


class OpenRun(msgspec.Struct, frozen=True):
    """``client`` opens the connection at its first call, ``origin`` asks git at its first.

    ``spool`` holds the requests of what is due, ``gone`` what ICA no longer shows.
    """

    session: Session
    options: RunOptions
    spool: Spool
    deadline: Deadline
    client: Callable[[], Client]
    origin: Callable[[], Origin]
    gone: Gone

    @property
    def max_running(self) -> int | None:
        """How many analyses of the manifest may run at once, None if there is no limit."""
        return self.session.loaded.document.max_running

    def launch_environment(self) -> LaunchEnvironment:
        session, context = self.session, self.session.context
        return LaunchEnvironment(
            client=self.client(),
            names=session.naming.names,
            origin=self.origin(),
            journal=session.journal,
            lockfile=session.lockfile,
            save=session.save,
            clock=context.clock,
            sleep=context.sleep,
            notify=context.notify,
            deadline=self.deadline,
            key_window=self.options.key_window,
            poll_interval=self.options.poll_interval,
            coming=session.unseen.coming,
            is_complete=session.leases.is_complete and not session.unseen.batches,
            before_post=session.unseen.before_post,
            before_body=session.leases.check if session.leases.own else None,
            after_post=session.unseen.after_post,
            was_anothers=session.unseen.was_anothers,
        )


@contextmanager
def open_run(path: Path, target: Target, options: RunOptions, context: Context) -> Iterator[OpenRun]:
    """Hold the manifest's state and its lease, to launch. Raises BadState if another run does."""
    session = working_session(
        path,
        target,
        context,
        "run",
        patience=min(RUNNING, options.timeout),
        lock_timeout=options.lock_timeout,
        no_lock=options.no_lock,
        no_check=options.no_check,
    )
    with _opened(path, session, options, context) as run:
        yield run


@contextmanager
def open_look(path: Path, target: Target, options: RunOptions, context: Context) -> Iterator[OpenRun]:
    """The same to follow launches, also beside a run: then nothing is written."""
    patience = min(READING, options.timeout)
    session = looking_session(path, target, context, patience=patience)
    with _opened(path, session, options, context) as run:
        yield run


@contextmanager
def open_watch(path: Path, target: Target, options: RunOptions, context: Context) -> Iterator[OpenRun]:
    """The same to follow launches for a long time: nothing is held and nothing is written."""
    patience = min(READING, options.timeout)
    session = watching_session(path, target, context, patience=patience)
    with _opened(path, session, options, context) as run:
        yield run


@contextmanager
def _opened(
    path: Path, opening: AbstractContextManager[Session], options: RunOptions, context: Context
) -> Iterator[OpenRun]:
    with opening as session, ExitStack() as stack:
        spool = stack.enter_context(open_spool())
        deadline = context.deadline(options.timeout)
        client = cache(lambda: stack.enter_context(session.client(deadline)))
        origin = cache(lambda: find_origin(path, session.workspace, context.env, options.expect))
        yield OpenRun(session, options, spool, deadline, client, origin, Gone())
