"""One manifest's state, and the way to its server: what every command that talks to ICA holds while it works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from manifest_runner.commands.setup.connection import connected
from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.holding import Held, holder_of, is_held, leased
from manifest_runner.commands.setup.leases import Leases
from manifest_runner.commands.setup.opened import Opened, naming_of, open_target
from manifest_runner.commands.setup.options import Target
from manifest_runner.commands.setup.state import RUNNING, check_former_journals, check_moved_in, former_lockfile
from manifest_runner.errors import InUse
from manifest_runner.launch.journal.journal import Journal, Owner
from manifest_runner.launch.lease.in_flight import SHOWN_WITHIN, START, Coming, InFlight, entry_of
from manifest_runner.launch.record import record_answer
from manifest_runner.lockfile.workspace import Workspace, held, is_in_use, trial_folder
from manifest_runner.names.names_file import names_path
from manifest_runner.timestamps import seconds_of

if TYPE_CHECKING:  # requests is imported where it is used
    from manifest_runner.ica.client import Client
    from manifest_runner.ica.connection.retry import Deadline

# GitHub warns at this size, and refuses twice as much.
LARGE_LOCKFILE = 50_000_000
NO_LEASES = Leases()


class Session:
    """A manifest with its lockfile and journal as they were read. ``lockfile`` is changed in place and saved.

    What the journal knows to be launched is in ``lockfile`` from the start, though not yet on disk.
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
        """Without ``writes`` everything is left as it was found.

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
        self.shares_journal = stores.state is not None

    def _read(self) -> None:
        """The journal first: a launch that another run moves to the lockfile meanwhile is seen twice, not missed."""
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
        self._own_keys = {*self.journal.pending, *(answer.post.key for answer in self.journal.answers)}
        self._take_answers()

    def reread(self) -> None:
        """Add what another run has launched since; what was seen here is newer than what that run has written.

        The lockfile stays the same object. An item that is missing now has another name.
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
    def unseen_batches(self) -> list[str]:
        """The ids of the batches that earlier holders of the leases did not see whole, less those in the lockfile.

        What is left of them after they were read is not shown to this credential.
        """
        return [each for each in self.leases.unseen_batches if each not in self.lockfile.batches]

    @property
    def coming(self) -> tuple[Coming, ...]:
        """What earlier holders of the leases sent that may still show.

        A journal that they share says what that is: it is settled first.
        """
        return () if self.shares_journal else self.leases.coming(self.context.clock(), self._resolved_keys())

    @property
    def in_flight(self) -> tuple[InFlight, ...]:
        """The batches that earlier holders of the leases were sending, and nobody has settled."""
        return () if self.shares_journal else self.leases.in_flight(self._resolved_keys())

    def before_post(self) -> None:
        """Make sure that the leases are ours. Unless the journal is shared, they say what is sent now.

        Raises LeaseLost, Unreachable.
        """
        if self.shares_journal:
            self.leases.assure()
        else:
            self.leases.announce(self._sent())

    def after_post(self) -> None:
        """An answer is in the journal: from its next renewal the lease has the batch's id."""
        if not self.shares_journal:
            self.leases.note(self._sent())

    def _sent(self) -> list[str]:
        """What this folder has sent and not put into the lockfile, as entries of a lease."""
        return [*(answer.batch_id for answer in self.journal.answers), *self._pending()]

    def _pending(self) -> list[str]:
        posts = self.journal.pending.values()
        now = self.context.clock()
        return [entry_of(post.key, post.by, now, (item.digest for item in post.items)) for post in posts]

    def _resolved_keys(self) -> set[str]:
        """The keys of batches that the lockfile has, or that this folder's own journal had when it was read.

        A batch whose launches are all known otherwise is resolved, too: nobody waits for it.
        """
        keys = {batch.idempotency_key for batch in self.lockfile.batches.values()} | self._own_keys
        if batches := self.leases.in_flight(keys):
            launches = (launch for item in self.lockfile.items.values() for launch in item.launches)
            known = {launch.digest[:START] for launch in launches}
            keys |= {batch.key for batch in batches if batch.starts and known.issuperset(batch.starts)}
        return keys

    @property
    def was_anothers(self) -> bool:
        """Whether another run held the lease since the journal was written; a shared one has what that run did."""
        held = self.leases.own
        return held is not None and held.was_anothers and not self.shares_journal

    @property
    def lockfile_at(self) -> str:
        """Where the lockfile lies, for people."""
        return self._kept.where

    def _take_answers(self) -> None:
        for answer in self.journal.answers:
            record_answer(self.lockfile, answer)

    def report_pending(self) -> None:
        """Say what only ``run`` can settle, for the commands that leave it alone."""
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
        """Everything known is in the lockfile; the journal goes when nothing in it is unanswered.

        ^C may have come between an answer and its way into the lockfile, so all of them are taken once more.
        """
        self._take_answers()
        self.leases.forget(self.lockfile.batches.keys() | self._resolved_keys())
        if self.leases.own is not None:
            self._leave_unseen(self.leases.own)
        self.save()
        self.journal.close()
        if self._writes:
            self.journal.forget_answered()

    def _leave_unseen(self, held: Held) -> None:
        """Record what the next holder of the lease must read first; shared state has most of it already."""
        items = self.lockfile.items.values()
        batches = {item.batch_id for item in items if item.batch_id and not item.creation_is_final}
        sent = [] if self.shares_journal else [*self._recent_batches(), *self._pending()]
        held.unseen = held.with_unseen([*sorted(batches), *sent])
        held.keeps_token = not self.shares_journal and bool(self.journal.pending)

    def _recent_batches(self) -> list[str]:
        """The ids of batches that a search need not show yet to somebody who has another lockfile."""
        end = self.context.clock() - SHOWN_WITHIN
        return [name for name, batch in self.lockfile.batches.items() if (seconds_of(batch.submitted_at) or end) > end]

    @contextmanager
    def client(self, deadline: Deadline) -> Iterator[Client]:
        """A client for this session's server, starting the embedded emulator for trials."""
        with connected(self.workspace, self._target, self.loaded.project, self.context, deadline) as client:
            yield client


def _nothing() -> None:
    """Nobody else writes what lies beside the manifest."""


def read_session(path: Path, target: Target, context: Context, *, no_check: bool = False) -> Session:
    """A read-only session."""
    return Session(open_target(path, target, context, no_check=no_check), context, writes=False)


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
    """A session that no other process can change. Raises InUse if one holds it already.

    It also holds the manifest's lease, in the name of ``command``, unless ``no_lock`` is set. A command that launches
    nothing needs no lease in git, since its lockfile is its own.
    """
    opened = open_target(path, target, context, patience=patience, no_check=no_check)
    needs_lease = opened.stores.lease is not None and (launches or opened.stores.state is not None)
    leases = NO_LEASES
    with ExitStack() as stack:
        stack.enter_context(_folder_of(opened))
        stack.enter_context(held(opened.workspace))
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
            context.notify(f"a run is working on {path}; it will write the lockfile")
            yield Session(opened, context, writes=False, elsewhere=lambda: is_in_use(opened.workspace))
            return
        _report_trial(opened, context)
        if (other := holder_of(opened.stores, context)) is not None:
            context.notify(f"in use by {other.words}: nothing is written")
            yield Session(opened, context, writes=False, elsewhere=lambda: is_held(opened.stores, context))
            return
        yield Session(opened, context)


def _folder_of(opened: Opened) -> AbstractContextManager[None]:
    """The folder for a trial's files; nothing else needs one."""
    return trial_folder(opened.workspace.manifest) if opened.target.emulator else nullcontext()


def _take_leases(opened: Opened, command: str, context: Context, timeout: float, stack: ExitStack) -> Iterator[Held]:
    """Those of the manifest's former names, and its own: a run under one of them is a run of the same items."""
    workspace = opened.workspace
    for name in reversed(naming_of(opened.loaded.document).names):
        token_file = workspace.lease if name == opened.stores.identity.name else workspace.lease_of(name)
        yield stack.enter_context(leased(opened.stores.under(name), token_file, command, context, timeout))


def _report_trial(opened: Opened, context: Context) -> None:
    """After a trial, omitting --emulator makes it look as if nothing was launched."""
    if opened.target.emulator or opened.workspace.lockfile.exists():
        return
    trial = Workspace.of(opened.workspace.manifest, is_trial=True).lockfile
    if trial.exists():
        context.notify(f"{trial} is from a trial; add --emulator to see it")


def _report_no_lock(opened: Opened, context: Context) -> None:
    if opened.stores.lease is not None:
        context.notify("working without the lease (--no-lock): only stamps keep other runs from launching the same")
