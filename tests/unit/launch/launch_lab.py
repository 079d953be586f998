"""A launch environment around a client that answers as scripted; the stories use a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest

from manifest_runner.errors import Unreachable
from manifest_runner.ica.connection.retry import Deadline
from manifest_runner.ica.model import Analysis, Batch
from manifest_runner.launch.adoption import AdoptMode, adopt
from manifest_runner.launch.batches import PreparedBatch
from manifest_runner.launch.environment import LaunchEnvironment
from manifest_runner.launch.journal.journal import NOWHERE, Journal, Owner
from manifest_runner.launch.journal.records import FileRecords
from manifest_runner.launch.matching import KnownAs
from manifest_runner.launch.recovery import settle
from manifest_runner.launch.submit import submit
from manifest_runner.lockfile.model import Lockfile
from manifest_runner.planning.identity import batch_key, digest_stamp, name_stamp
from manifest_runner.planning.known_digests import Identities, KnownDigest, Naming
from manifest_runner.planning.plan import Launch
from manifest_runner.timestamps import timestamp

OWNER = Owner("study", "p-1", "s")
NOW = 1_800_000_000.0


@dataclass
class Api:
    """Answers POSTs with ``answers``, which may include exceptions, and knows ``analyses``."""

    answers: list[Batch | Exception] = field(default_factory=list)
    analyses: list[Analysis] = field(default_factory=list)
    posts: list[tuple[str, bytes]] = field(default_factory=list)
    searches: int = 0
    user: str = "one"
    now: Callable[[], float] = lambda: NOW
    server_now: Callable[[], float | None] = lambda: None
    questions: int = 0
    on_search: Callable[[], None] = lambda: None

    def create_batch(self, key, body, before=lambda: None, before_body=None):
        before()
        assert before_body is None
        self.posts.append((key, body))
        answer = self.answers.pop(0) if self.answers else Batch(f"b-{len(self.posts)}", "INITIALIZED")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def ask_time(self):
        self.questions += 1

    def search_analyses(self, *, technical_tags=(), statuses=()):
        self.searches += 1
        self.on_search()
        return iter(list(self.analyses))


class Attempts(KnownAs, frozen=True):
    """Digests as ``launch`` makes them up."""

    def digests(self, which: Launch, attempt: int) -> Iterator[KnownDigest]:
        yield KnownDigest(launch(which.user_reference, attempt).digest, which.user_reference)


class LaunchLab:
    """A launch environment in a folder of its own, with a clock that only sleep moves."""

    def __init__(self, folder: Path, timeout: float = 3600.0) -> None:
        self.now = NOW
        self.api = Api(now=lambda: self.now)
        self.path = folder / "study.journal"
        self.lockfile = Lockfile("study", "p-1", "s")
        self.saves: list[Lockfile] = []
        self.lines: list[str] = []
        self.journal = Journal.read(FileRecords(self.path), OWNER)
        self.timeout = timeout
        self.was_anothers = False
        self.more: dict[str, Any] = {}

    def reopen(self, timeout: float | None = None) -> LaunchLab:
        """The state as another process would see it: the journal is read again."""
        self.journal.close()
        self.journal = Journal.read(FileRecords(self.path), OWNER)
        self.timeout = self.timeout if timeout is None else timeout
        return self

    @property
    def env(self) -> LaunchEnvironment:
        return LaunchEnvironment(
            client=self.api,
            names=("study",),
            origin=NOWHERE,
            journal=self.journal,
            lockfile=self.lockfile,
            save=lambda: self.saves.append(self.lockfile.copy()),
            sleep=self.sleep,
            clock=lambda: self.now,
            notify=self.lines.append,
            deadline=Deadline.after(self.timeout, lambda: self.now),
            was_anothers=self.was_anothers,
            **self.more,
        )

    def submit(self, batch: PreparedBatch, *, stamped: bool = True) -> None:
        submit(self.env, batch, stamped=stamped, is_retry=False)

    def settle(self, mode: AdoptMode = "wait") -> None:
        settle(self.env, mode)

    def adopt(self, launches: list[Launch], mode: AdoptMode):
        return adopt(self.env, launches, mode, Attempts(Identities(Naming("study"), "p-1"), lambda _place: b"{}"))

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    @property
    def pending(self) -> list[str]:
        return list(Journal.read(FileRecords(self.path), OWNER).pending)


def launch(name: str, attempt: int = 0) -> Launch:
    return Launch(name, "nextflow", "1.1", attempt, sha256(f"{name} {attempt}".encode()).hexdigest(), None)


def prepared(*launches: Launch) -> PreparedBatch:
    body = orjson.dumps({"nextflowItems": [{"userReference": each.user_reference} for each in launches]})
    return PreparedBatch(batch_key(each.digest for each in launches), body, launches)


A, B, C = map(launch, "abc")
BATCH = prepared(A, B)


def analysis(of: Launch, age: float = 10.0, name: str = "study", **more: object) -> Analysis:
    tags = (digest_stamp(of.digest), name_stamp(name))
    made = {"time_created": timestamp(NOW - age), "technical_tags": tags, **more}
    return Analysis(f"n-{of.user_reference}", None, "REQUESTED", of.user_reference, **made)


def lost(lab: LaunchLab, batch: PreparedBatch = BATCH, *, stamped: bool = True) -> LaunchLab:
    """The lab as a process finds it after a batch without an answer."""
    lab.api.answers = [Unreachable("lost")]
    with pytest.raises(Unreachable):
        lab.submit(batch, stamped=stamped)
    return lab.reopen()
