"""Parts that the exactly-once stories share: manifests, commands that die at a step, the emulator's record."""

from __future__ import annotations

import json
import os
import random
import socket
import struct
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from manifest_runner.emulator import EmulatorOptions, running
from manifest_runner.emulator.execution_record import Execution, executions
from manifest_runner.planning.identity import DIGEST_STAMP, NAME_STAMP

SAMPLES = tuple(f"s{number}" for number in range(7))
SERVER = Path(__file__).with_name("fork_server.py")
KILLED = -9
POST = "send POST analysisCreationBatch"
FILE_STEPS = ("open", "fsync", "replace", "unlink")


class Ended(NamedTuple):
    """How a command ended: ``code`` is -9 if it was killed; ``steps`` are known if it was not."""

    code: int
    steps: list[str]
    lines: int
    out: str
    err: str


class ForkServer:
    """A warm interpreter that forks a child for each command."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-W", "ignore::ResourceWarning", str(SERVER)],  # ^C closes no files
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        assert self._out.readline() == "ready\n"

    def start(self, case: dict[str, Any]) -> None:
        """Start a command; `finish` must be called before the next."""
        self._in.write(json.dumps(case) + "\n")
        self._in.flush()

    def finish(self, case: dict[str, Any]) -> Ended:
        ended = json.loads(self._out.readline())
        texts = [Path(case[name]).read_text(encoding="utf-8") for name in ("out", "err")]
        assert "Traceback" not in texts[1], texts[1]
        return Ended(ended["code"], ended["steps"], ended["lines"], *texts)

    def close(self) -> None:
        self._in.close()
        self._process.wait()
        self._out.close()


class Moment:
    """A clock in a file, shared by the emulator and forked commands; it stands still until somebody sleeps."""

    def __init__(self, path: Path, now: float = 1_800_000_000.0) -> None:
        self.path = path
        path.write_bytes(struct.pack("d", now))

    def __call__(self) -> float:
        return float(struct.unpack("d", self.path.read_bytes())[0])

    def advance(self, seconds: float) -> None:
        with self.path.open("r+b") as file:
            file.write(struct.pack("d", self() + seconds))


@dataclass(frozen=True)
class Place:
    """The place where commands run: a warm server, an emulator's URL and its database."""

    server: ForkServer
    url: str
    database: Path
    clock: Moment | None = None


# Below those that systems give to connections, or another test's might have the port while the emulator is stopped.
_PORTS = range(10_000, 32_000)


def _unused_port() -> int:
    while True:
        port = random.choice(_PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class Emulator:
    """An emulator that can be started again, with other options but the same state and port."""

    def __init__(self, folder: Path, clock: Moment | None = None) -> None:
        self.database = folder / "emulator.sqlite3"
        self._clock = clock or time.time
        self._port = _unused_port()
        self._stack = ExitStack()

    def start(self, **options: Any) -> str:
        """Its URL. By default items exist at once, and analyses end at once."""
        self.stop()
        chosen = {"creation_delay": 0.0, "analysis_duration": 0.0, "port": self._port, **options}
        return self._stack.enter_context(running(EmulatorOptions(database=self.database, **chosen), clock=self._clock))

    def stop(self) -> None:
        self._stack.close()


@dataclass
class Checkout:
    """A folder with a manifest, as one user has it. All checkouts of one ``project`` are of the same study.

    Commands of one that ``is_blind`` see no doubles: that is a bug, for tests to find.
    """

    place: Place
    folder: Path
    project: str = field(default_factory=lambda: str(uuid.uuid4()))
    key: str = "a-users-key"
    env: Mapping[str, str] = field(default_factory=dict)
    is_blind: bool = False

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    # -- files

    @property
    def manifest(self) -> Path:
        return self.folder / "study.yaml"

    @property
    def lockfile(self) -> Path:
        return self.folder / "study.lock.json"

    @property
    def journal(self) -> Path:
        return self.folder / "study.journal"

    def write(self, samples: Iterable[str] = SAMPLES, **more: Any) -> None:
        """The manifest, with one item for each sample; ``more`` goes to ``manifest_text``."""
        self.manifest.write_text(manifest_text(self.project, samples, **more))

    def locked(self) -> dict[str, Any]:
        """The lockfile's JSON; an empty one where there is none."""
        if not self.lockfile.exists():
            return {"batches": {}, "items": {}}
        return json.loads(self.lockfile.read_text(encoding="utf-8"))

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    # -- commands

    def case(self, *arguments: str, **more: Any) -> dict[str, Any]:
        home = self.folder.parent / "home"
        home.mkdir(exist_ok=True)
        # Without a repository there is no need for git, which would be asked for a commit and a name.
        path = os.environ.get("PATH", "") if (self.folder / ".git").exists() else ""
        env = {"HOME": str(home), "ICAV2_X_API_KEY": self.key, "PATH": path, **self.env}
        patience = ("--poll-interval", "0.01", "--timeout", "30")  # do not wait all day for what is lost
        argv = ["run", self.manifest.name, "--server-url", self.place.url, "--no-check", *patience, *arguments]
        beside = {name: str(self.folder.with_name(f"{self.folder.name}.{name}")) for name in ("out", "err", "disk")}
        return {"argv": argv, "folder": str(self.folder), "env": env, "is_blind": self.is_blind, **beside, **more}

    def run(self, *arguments: str, **more: Any) -> Ended:
        """``manifest-runner run`` with these options; ``more`` goes to the fork server's case."""
        return self._do(self.case(*arguments, **more))

    def do(self, command: str, *arguments: str, **more: Any) -> Ended:
        """Any command with the manifest as its argument; ``lock show`` is one command. ``more`` is as for ``run``."""
        argv = [*command.split(), self.manifest.name, "--server-url", self.place.url, *arguments]
        return self._do({**self.case(), "argv": argv, **more})

    def run_at(self, step: int, when: str, *arguments: str, **more: Any) -> Ended:
        return self.run(*arguments, at={"step": step, "when": when, **more})

    def timed(self, *, skew: float = 0.0, choices: dict[str, Any] | None = None, **more: Any) -> Ended:
        """The same by the emulator's clock, without real pauses; ``more`` are options and the case's ``at``."""
        return self._do(self.timed_case(skew=skew, choices=choices, **more))

    def timed_case(
        self,
        *,
        skew: float = 0.0,
        choices: dict[str, Any] | None = None,
        at: dict[str, Any] | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """The case of ``timed``."""
        assert self.place.clock is not None
        case = self.case(
            clock=str(self.place.clock.path),
            skew=skew,
            server=self.place.url,
            manifest=str(self.manifest),
            choices=choices or {},
            options={"no_check": True, **options},
        )
        return {**case, "at": at} if at else case

    def _do(self, case: dict[str, Any]) -> Ended:
        self.place.server.start(case)
        return self.place.server.finish(case)

    # -- what must hold

    def executed(self) -> list[Execution]:
        """What the emulator executed in this project."""
        return [each for each in executions(self.place.database) if each.project == self.project]

    def assert_executed_once(self, expected: int) -> None:
        """Check that as many digests as expected were executed, each once."""
        times = Counter(stamp_of(each) for each in self.executed())
        assert set(times.values()) <= {1}, f"executed twice: {times}"
        assert len(times) == expected

    def assert_executed_once_each(self, samples: Sequence[str] = SAMPLES) -> None:
        """Check that no item was executed twice, whatever its stamps."""
        times = Counter(each.user_reference for each in self.executed())
        assert times == dict.fromkeys(samples, 1)

    def assert_all_known_here(self) -> None:
        """Check that lockfile and journal know every execution."""
        journal = self.journal.read_text(encoding="utf-8") if self.journal.exists() else ""
        known = known_digests(self.locked())
        for execution in self.executed():
            half = stamp_of(execution).removeprefix(DIGEST_STAMP)
            assert half in journal or any(digest.startswith(half) for digest in known), execution

    def assert_settled(self, samples: Sequence[str] = SAMPLES) -> None:
        """Check that the lockfile agrees with the emulator about every item, and that nothing else is left."""
        items = self.locked()["items"]
        assert sorted(items) == sorted(samples)
        record = {(each.user_reference, stamp_of(each)): each.batch_id for each in self.executed()}
        for reference, item in items.items():
            batch = record.get((reference, DIGEST_STAMP + item["digest"][:32])) or record[reference, reference]
            assert item["status"] == "SUCCEEDED", (reference, item)
            assert item["analysis"]["id"].startswith(batch[:4])
            assert item.get("adopted") or item["batchId"] == batch
        self.assert_all_known()
        assert self.files() == [self.lockfile.name, self.manifest.name]

    def assert_all_known(self) -> None:
        """Check that the lockfile knows every execution, including adopted ones and earlier launches."""
        known = {DIGEST_STAMP + digest[:32] for digest in known_digests(self.locked())} | set(self.locked()["items"])
        assert {stamp_of(each) for each in self.executed()} <= known


def changing(steps: list[str]) -> list[int]:
    """The steps before which to kill. After a step that only reads, a kill leaves the same as one step earlier."""
    return [step for step in range(len(steps)) if not step or changes_something(steps, step - 1)]


def changes_something(steps: list[str], step: int) -> bool:
    return steps[step].startswith(FILE_STEPS) or is_post(steps, step)


def is_post(steps: list[str], step: int) -> bool:
    """Whether a step belongs to the POST of a batch: its head, its body or its answer."""
    asked = next((name for name in reversed(steps[: step + 1]) if name.startswith(("send POST", "send GET"))), "")
    return asked == POST and steps[step].startswith(("send", "receive"))


def stamp_of(execution: Execution) -> str:
    """The digest stamp; the userReference where the manifest says `stamp: false`."""
    return next(filter(is_digest_stamp, execution.technical_tags), execution.user_reference)


def is_digest_stamp(tag: str) -> bool:
    return tag.startswith(DIGEST_STAMP) and not tag.startswith(NAME_STAMP)


def known_digests(locked: dict[str, Any]) -> set[str]:
    launches = [launch for item in locked["items"].values() for launch in (item, *item.get("previous", ()))]
    return {launch["digest"] for launch in launches}


def manifest_text(
    project: str, samples: Iterable[str], *, stamp: bool = True, head: str = "", depth: str = "1", size: int = 2
) -> str:
    rows = "".join(f"        - {{sample: {sample}}}\n" for sample in samples)
    return (
        f"manifest: 1\nname: study\nproject: {project}\nbatchSize: {size}\nstamp: {str(stamp).lower()}\n{head}"
        "analyses:\n  - kind: nextflow\n    forEach:\n      rows:\n"
        f"{rows}    userReference: '{{{{ row.sample }}}}'\n    pipelineId: f606f580-d476-47a8-9679-9ddb39fcb0a8\n"
        "    analysisInput:\n      inputs: {reads: 'fil.{{ row.sample }}'}\n"
        f"      parameters: {{depth: {depth}}}\n"
    )
