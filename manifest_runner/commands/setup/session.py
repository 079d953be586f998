"""A manifest's state, and the connection to its server: every command that talks to ICA holds a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from manifest_runner.commands.setup.connection import connected
from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.leases import Leases
from manifest_runner.commands.setup.opened_manifest import Opened, naming_of
from manifest_runner.commands.setup.state import check_former_journals, check_moved_in, former_lockfile
from manifest_runner.commands.setup.unseen import Unseen
from manifest_runner.launch.journal.journal import Journal, Owner
from manifest_runner.launch.record import record_answer
from manifest_runner.names.names_file import names_path

if TYPE_CHECKING:  # requests is imported where it is used
    from manifest_runner.ica.client import Client
    from manifest_runner.ica.connection.retry import Deadline

# GitHub warns at this size, and refuses twice as much.
LARGE_LOCKFILE = 50_000_000
NO_LEASES = Leases()


class Session:
    """A manifest with its lockfile and journal as they were read. ``lockfile`` is changed in place and saved.

    Launches that only the journal knows are in ``lockfile`` from the start, though not yet on disk.
    """

    def __init__(
        self,
        opened: Opened,
        context: Context,
        leases: Leases = NO_LEASES,
        *,
        writes: bool = True,
        elsewhere: Callable[[], bool] = lambda: False,
    ) -> None:
        """Without ``writes`` nothing on disk is changed.

        ``elsewhere`` says whether another run is still at work.
        """
        self.loaded = opened.loaded
        self.workspace = opened.workspace
        self.context = context
        self.leases = leases
        held = leases.own
        self._target = opened.target
        self.names_path = names_path(opened.workspace.manifest, is_trial=opened.target.emulator)
        identity, stores = opened.stores.identity, opened.stores
        check = held.keeper.check if held else _nothing
        self._kept = stores.lockfile(opened.workspace, check)
        self._writes = writes
        self.is_run_elsewhere = elsewhere
        self._records = stores.records(opened.workspace, check, *(held.tokens if held else ()))
        self._identity = identity
        self._stores = stores
        self.naming = naming_of(opened.loaded.document)
        self._read()
        if stores.state is not None and not self.lockfile.items:
            check_moved_in(self._kept, opened.workspace)
        self.unseen = Unseen(leases, self.lockfile, self.journal, context.clock, is_shared=stores.state is not None)

    def _read(self) -> None:
        """Read the journal first: a launch that moves to the lockfile meanwhile is seen twice, not missed."""
        identity = self._identity
        self.journal = Journal.read(self._records, Owner(identity.name, identity.project, identity.server))
        self.lockfile = self._kept.read(
            name=identity.name,
            project=identity.project,
            server=identity.server,
            former_names=self.naming.former_names,
        )
        self._saved = self.lockfile.copy()
        former_names = self.naming.names[1:]
        if self.leases.own is not None or not self._kept.exists:
            check_former_journals(self._stores, former_names)
        if not self._kept.exists and (former := former_lockfile(self._stores, former_names)) is not None:
            self.lockfile = former
        self._take_answers()

    def reread(self) -> None:
        """Add what another run has launched since. What was seen here is newer than what that run has written.

        The lockfile stays the same object. An item that is now missing has a new name.
        """
        if self._writes:
            return
        seen = self.lockfile
        self._read()
        seen.items = {
            reference: ours if (ours := seen.items.get(reference)) and ours.digest == item.digest else item
            for reference, item in self.lockfile.items.items()
        }
        seen.batches.update({key: batch for key, batch in self.lockfile.batches.items() if key not in seen.batches})
        self.lockfile = seen

    @property
    def lockfile_at(self) -> str:
        """The location of the lockfile, for messages."""
        return self._kept.where

    def _take_answers(self) -> None:
        for answer in self.journal.answers:
            record_answer(self.lockfile, answer)

    def report_pending(self) -> None:
        """Report what only ``run`` can settle, for the commands that leave it alone."""
        if self.journal.pending and self._writes:
            self.context.notify("a batch was sent and has not been answered; `manifest-runner run` settles it")

    def save(self) -> None:
        """Write the lockfile if anything in it changed since it was last read or written."""
        if self.lockfile != self._saved and self._writes:
            now = self._kept.write(self.lockfile)
            if self._kept.size >= LARGE_LOCKFILE:
                self.context.notify(
                    f"warning: {self.lockfile_at} has {self._kept.size / 1e6:,.0f} MB; GitHub refuses files of 100 MB. "
                    "Start a new manifest for what comes next, or keep the lockfile in a store (`state`)"
                )
            self.lockfile.batches, self.lockfile.items = now.batches, now.items
            self._saved = self.lockfile.copy()

    def finish(self) -> None:
        """Write everything known into the lockfile, and remove the journal if nothing in it is unanswered.

        ^C may have come between an answer and its record in the lockfile, so all answers are recorded once more.
        """
        self._take_answers()
        self.unseen.leave()
        self.save()
        self.journal.close()
        if self._writes:
            self.journal.forget_answered()

    @contextmanager
    def client(self, deadline: Deadline) -> Iterator[Client]:
        """A client for this session's server, starting the embedded emulator for trials."""
        with connected(self.workspace, self._target, self.loaded.project, self.context, deadline) as client:
            yield client


def _nothing() -> None:
    """Check nothing: nobody else writes the files beside the manifest."""
