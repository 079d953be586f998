"""What the commands do, from a manifest to its lockfile. Nothing here prints or exits."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from manifest_runner.backoff import Deadline
from manifest_runner.batches import PreparedBatch, make_batches
from manifest_runner.errors import ApprovalNeeded, NotCovered, Unreachable, UsageProblem
from manifest_runner.journal import Journal, Owner, references
from manifest_runner.loading import Loaded, load
from manifest_runner.lockfile import LockedItem, Lockfile, read_lockfile, write_lockfile
from manifest_runner.manifest import read_mapping
from manifest_runner.model import Finding
from manifest_runner.plan import Choices, Plan, make_plan
from manifest_runner.settings import Credential, find_credential, find_server, retries_rate_limits
from manifest_runner.submit import DEFAULT_KEY_WINDOW, AdoptMode, Submitter
from manifest_runner.workspace import Workspace, held

if TYPE_CHECKING:  # requests is imported where it is used
    from manifest_runner.client import Client
    from manifest_runner.polling import Poller

WaitMode = Literal["none", "created", "finished"]
EMULATOR = "emulator"
DEFAULT_TIMEOUT = 3600.0


@dataclass(frozen=True)
class World:
    """What lies outside: the process's environment, its home, the clocks, and who is told of progress."""

    env: Mapping[str, str]
    home: Path
    notify: Callable[[str], None] = lambda _line: None
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Target:
    """Which server, project and lockfile a command line names."""

    server_url: str | None = None
    emulator: bool = False
    lockfile: Path | None = None
    project: str | None = None
    given_vars: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run. Times are in seconds."""

    choices: Choices = field(default_factory=Choices)
    wait: WaitMode = "created"
    timeout: float = DEFAULT_TIMEOUT
    locked: bool = False
    adopt: AdoptMode = "wait"
    batch_size: int | None = None
    max_launches: int | None = None
    poll_interval: float | None = None
    key_window: float = DEFAULT_KEY_WINDOW
    strict: bool = False


@dataclass
class Outcome:
    """What a run did. ``failed`` are the manifest's items that have failed by now, in manifest order."""

    plan: Plan
    lockfile: Lockfile
    path: Path
    batches: int = 0
    launched: list[str] = field(default_factory=list)
    adopted: int = 0
    failed: list[str] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)

    @property
    def created(self) -> int:
        return sum(self.lockfile.items[each].status == "SUCCEEDED" for each in self.launched)

    @property
    def created_failed(self) -> int:
        return sum(self.lockfile.items[each].creation_failed for each in self.launched)


class Session:
    """One manifest, held against other processes, with its state read."""

    def __init__(self, loaded: Loaded, workspace: Workspace, target: Target, world: World) -> None:
        self.loaded = loaded
        self.workspace = workspace
        self.target = target
        self.world = world
        self.server = server_of(target, world)
        document = loaded.document
        self.before = read_lockfile(workspace.lockfile, name=document.name, project=loaded.project, server=self.server)
        self.lockfile = self.before.copy()
        self.journal = Journal.read(workspace.journal, Owner(document.name, loaded.project, self.server))

    def save(self) -> None:
        """Write the lockfile if anything in it changed since it was last read or written."""
        if self.lockfile != self.before:
            write_lockfile(self.workspace.lockfile, self.lockfile)
            self.before = self.lockfile.copy()

    def finish(self) -> None:
        """Everything known is in the lockfile; the journal goes when nothing in it is unanswered."""
        self.save()
        self.journal.close()
        if not self.journal.pending:
            self.journal.remove()

    @contextmanager
    def client(self, deadline: Deadline) -> Iterator[Client]:
        """A client for this session's server, with an embedded one where that is the emulator."""
        from manifest_runner.client import Client

        world = self.world
        with ExitStack() as stack:
            if self.target.emulator:
                url = stack.enter_context(_embedded(self.workspace))
                credential = Credential("X-API-Key", EMULATOR, "the emulator")
            else:
                url = self.server
                credential = find_credential(url, world.env, world.home, _read_settings)
            yield stack.enter_context(
                Client(
                    url,
                    credential,
                    self.loaded.project,
                    deadline=deadline,
                    notify=world.notify,
                    sleep=world.sleep,
                    retry_rate_limits=retries_rate_limits(world.env),
                    env=world.env,
                )
            )


def server_of(target: Target, world: World) -> str:
    """The server as the lockfile names it."""
    if target.emulator:
        if target.server_url:
            raise UsageProblem("--emulator and --server-url exclude each other")
        return EMULATOR
    return find_server(target.server_url, world.env, world.home, _read_settings)


def _read_settings(path: Path) -> Mapping[str, object]:
    return read_mapping(path, binary=True)


@contextmanager
def _embedded(workspace: Workspace) -> Iterator[str]:
    from manifest_runner.emulator import EmulatorNotInstalled, EmulatorOptions, running

    database = workspace.emulator_database
    database.parent.mkdir(exist_ok=True)
    ignore = database.with_name(".gitignore")
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
    try:
        with running(EmulatorOptions(database=database)) as url:
            yield url + "/ica/rest"
    except EmulatorNotInstalled as e:
        raise UsageProblem(str(e)) from e


def load_target(path: Path, target: Target, world: World) -> Loaded:
    return load(path, env=world.env, project=target.project, given_vars=target.given_vars)


# -- commands


def validate(path: Path, target: Target, world: World) -> list[Finding]:
    """Everything that is wrong with a manifest, warnings included. Raises InvalidManifest with all errors."""
    loaded = load_target(path, target, world)
    for _ in loaded.expansion.items():
        pass
    loaded.raise_errors()
    return loaded.findings.all()


def plan(path: Path, target: Target, options: RunOptions, world: World) -> tuple[Plan, int, list[Finding]]:
    """What ``run`` would do, how many batches it would send, and the warnings. Writes nothing."""
    loaded = load_target(path, target, world)
    session = Session(loaded, Workspace.of(path, target.lockfile), target, world)
    made = _plan(session, options.choices)
    loaded.raise_errors(strict=options.strict)
    size = options.batch_size or loaded.document.batch_size
    return made, -(-len(made.launches) // size), loaded.findings.all()


def render(path: Path, target: Target, options: RunOptions, world: World) -> Iterator[PreparedBatch]:
    """The batches that ``run`` would POST for a new lockfile, one at a time, once all of the manifest is checked."""
    loaded = load_target(path, target, world)
    lockfile = Lockfile(loaded.document.name, loaded.project, "")
    with _spool() as spool:
        made = make_plan(loaded.expansion.items(), lockfile, options.choices, keep=spool.keep)
        loaded.raise_errors(strict=options.strict)
        yield from _batches(made, loaded, options, spool)


def run(path: Path, target: Target, options: RunOptions, world: World) -> Outcome:
    """Launch what is due, follow it, write the lockfile. Raises RunnerError; what was launched is kept."""
    loaded = load_target(path, target, world)
    workspace = Workspace.of(path, target.lockfile)
    with held(workspace):
        session = Session(loaded, workspace, target, world)
        return _Run(session, options).run()


def status(path: Path, target: Target, options: RunOptions, world: World) -> Lockfile:
    """The lockfile, brought up to date from the API."""
    loaded = load_target(path, target, world)
    workspace = Workspace.of(path, target.lockfile)
    with held(workspace):
        session = Session(loaded, workspace, target, world)
        run_ = _Run(session, replace(options, wait="finished"))
        run_.refresh()
        return session.lockfile


class _Run:
    """One run of one session, step by step."""

    def __init__(self, session: Session, options: RunOptions) -> None:
        self._session = session
        self._options = options
        self._deadline = Deadline.after(options.timeout)

    def run(self) -> Outcome:
        session, options = self._session, self._options
        with _spool() as spool, ExitStack() as stack:
            made = _plan(session, options.choices, spool)
            session.loaded.raise_errors(strict=options.strict)
            self._check_targets(made)
            if options.locked and not made.is_covered:
                raise NotCovered(_uncovered_words(made, session.workspace.lockfile))
            outcome = Outcome(made, session.lockfile, session.workspace.lockfile)
            outcome.warnings = session.loaded.findings.all()
            try:
                self._launch(outcome, spool, stack)
                self._mark_removed(outcome.plan)
                self._wait(stack)
            finally:
                session.finish()
            outcome.failed = [each for each in session.lockfile.items if self._has_failed(outcome.plan, each)]
            return outcome

    def refresh(self) -> None:
        session = self._session
        self._take_answers()
        if session.journal.pending:
            session.world.notify("a batch was sent without an answer; `manifest-runner run` settles it")
        try:
            with ExitStack() as stack:
                poller = self._poller(stack)
                if poller is not None:
                    poller.poll()
        finally:
            session.finish()

    # -- steps

    def _launch(self, outcome: Outcome, spool: _Spool, stack: ExitStack) -> None:
        session = self._session
        self._take_answers()
        if session.journal.pending:
            settled = references(session.journal.pending.values())
            self._submitter(stack).settle()
            session.save()
            spool.clear()
            outcome.plan = _plan(session, self._options.choices, spool)
            outcome.launched += [each for each in settled if each in session.lockfile.items]
        self._check_approval(outcome.plan)
        if outcome.plan.launches:
            self._send(outcome, spool, self._submitter(stack))

    def _send(self, outcome: Outcome, spool: _Spool, submitter: Submitter) -> None:
        loaded, plan_ = self._session.loaded, outcome.plan
        stamped = loaded.document.stamp
        due = plan_.launches
        if stamped:
            due = submitter.adopt(due, self._options.adopt)
            outcome.adopted = len(plan_.launches) - len(due)
        total = -(-len(due) // self._batch_size)
        for batch in _batches(replace(plan_, launches=due), loaded, self._options, spool):
            submitter.submit(batch, stamped=stamped)
            outcome.batches += 1
            outcome.launched += [launch.user_reference for launch in batch.launches]
            self._session.world.notify(f"submitted batch {outcome.batches} of {total}: {len(batch.launches)} item(s)")

    def _wait(self, stack: ExitStack) -> None:
        """Poll as long as was asked for. Raises Unreachable when the time is over."""
        from manifest_runner.polling import pauses

        poller = self._poller(stack)
        if poller is None:
            return
        wait, world = self._options.wait, self._session.world
        for pause in pauses(self._options.poll_interval):
            still_open = poller.poll()
            if not still_open or wait == "none":
                return
            if self._deadline.left() <= 0:
                what = "created" if wait == "created" else "finished"
                raise Unreachable(
                    f"{still_open} item(s) are not {what} after {self._options.timeout:g} s. What is known is in "
                    f"{self._session.workspace.lockfile}; run the same command again to go on waiting."
                )
            world.sleep(min(pause, self._deadline.left()))

    def _poller(self, stack: ExitStack) -> Poller | None:
        from manifest_runner.polling import Poller, analysis_done, creation_done

        done = analysis_done if self._options.wait == "finished" else creation_done
        lockfile = self._session.lockfile
        if all(done(item) for item in lockfile.items.values()):
            return None
        return Poller(self._client(stack), lockfile, done)

    # -- parts

    def _client(self, stack: ExitStack) -> Client:
        if not hasattr(self, "_open_client"):
            self._open_client = stack.enter_context(self._session.client(self._deadline))
        return self._open_client

    def _submitter(self, stack: ExitStack) -> Submitter:
        session, world = self._session, self._session.world
        return Submitter(
            client=self._client(stack),
            journal=session.journal,
            lockfile=session.lockfile,
            save=session.save,
            clock=world.clock,
            sleep=world.sleep,
            notify=world.notify,
            deadline=self._deadline,
            key_window=self._options.key_window,
            poll_interval=self._options.poll_interval,
        )

    @property
    def _batch_size(self) -> int:
        return self._options.batch_size or self._session.loaded.document.batch_size

    def _take_answers(self) -> None:
        from manifest_runner.submit import record_answer

        for answer in self._session.journal.answers:
            record_answer(self._session.lockfile, answer)

    def _check_targets(self, made: Plan) -> None:
        choices = self._options.choices
        if choices.targets and not any(map(choices.wants, made.references)):
            raise UsageProblem(f"--target {' '.join(choices.targets)}: no item's userReference matches")

    def _check_approval(self, made: Plan) -> None:
        """Nothing is sent, also not what is new, until a person has agreed to what is not a matter of course."""
        if made.unapproved:
            raise ApprovalNeeded(
                f"{len(made.unapproved)} launched item(s) changed: {_some(made.unapproved)}. To launch them again as "
                "they are now: --relaunch-changed, or raise `revision` in the manifest. `manifest-runner plan` shows what "
                "changed. Nothing was sent."
            )
        document = self._session.loaded.document
        limit = self._options.max_launches if self._options.max_launches is not None else document.max_launches
        if limit is not None and len(made.launches) > limit:
            raise ApprovalNeeded(
                f"{len(made.launches)} items are due, more than the {limit} that one run may launch (maxLaunches). "
                f"Raise it with --max-launches {len(made.launches)}, or launch a part with --limit. Nothing was sent."
            )

    def _mark_removed(self, made: Plan) -> None:
        items = self._session.lockfile.items
        for reference, item in items.items():
            is_removed = reference not in made.references
            if item.removed != is_removed:
                items[reference] = replace(item, removed=is_removed)

    def _has_failed(self, made: Plan, reference: str) -> bool:
        item: LockedItem = self._session.lockfile.items[reference]
        failed = item.creation_failed or (self._options.wait == "finished" and item.analysis_failed)
        return failed and reference in made.references


def _plan(session: Session, choices: Choices, spool: _Spool | None = None) -> Plan:
    keep = spool.keep if spool else lambda _request: None
    pending = references(session.journal.pending.values())
    known = session.lockfile.copy()
    from manifest_runner.submit import record_answer

    for answer in session.journal.answers:
        record_answer(known, answer)
    return make_plan(session.loaded.expansion.items(), known, choices, pending=pending, keep=keep)


def _batches(made: Plan, loaded: Loaded, options: RunOptions, spool: _Spool) -> Iterator[PreparedBatch]:
    document = loaded.document
    return make_batches(
        made.launches,
        options.batch_size or document.batch_size,
        stamp_name=document.name if document.stamp else None,
        fetch=spool.fetch,
    )


class _Spool:
    """The requests that are due, on disk without a name: what was checked is what is sent, however large."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._end = 0

    def keep(self, request: bytes) -> tuple[int, int]:
        self._file.seek(self._end)
        self._file.write(request)
        place = (self._end, len(request))
        self._end += len(request)
        return place

    def fetch(self, place: tuple[int, int]) -> bytes:
        self._file.seek(place[0])
        return self._file.read(place[1])

    def clear(self) -> None:
        self._end = 0


@contextmanager
def _spool() -> Iterator[_Spool]:
    with tempfile.TemporaryFile(prefix="manifest-runner-") as file:
        yield _Spool(file)


def _uncovered_words(made: Plan, lockfile: Path) -> str:
    counts = {"new": made.new, "changed": made.changed, "pending": made.pending}
    words = ", ".join(f"{len(refs)} {state} ({_some(refs)})" for state, refs in counts.items() if refs)
    return f"{lockfile} does not cover the manifest: {words}. Run without --locked and commit the lockfile."


def _some(references_: list[str], most: int = 3) -> str:
    more = f" and {len(references_) - most} more" if len(references_) > most else ""
    return ", ".join(references_[:most]) + more
