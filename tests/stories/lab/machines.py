"""Two machines without a common disk, only with a store for state: checkouts of one study in separate folders."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from buckets import Buckets
from crash_lab import Checkout, Place

EXPIRED = 720.0
SOME = ("s0", "s1", "s2")


@dataclass
class Shared:
    """A store for state: ``kind`` is "file", "git", or a server of buckets."""

    kind: str
    folder: Path
    buckets: Buckets | None = None
    _numbers: Any = field(default_factory=count)

    def __post_init__(self) -> None:
        self._bucket = self.buckets.make() if self.buckets else ""

    @property
    def env(self) -> Mapping[str, str]:
        return self.buckets.env if self.buckets else {}

    def head(self) -> str:
        """The line of the manifest for it. Each study has its own project, so one bucket is enough for all."""
        if self.kind == "git":
            return "lock: git\n"
        return f"state: {self._bucket}/state\n" if self.buckets else f"state: file://{self.folder}/state\n"

    def machines(self, place: Place, *keys: str, **manifest: Any) -> list[Checkout]:
        """A checkout for each of these users, of a study of its own."""
        home = self.folder / f"study-{next(self._numbers)}"
        made: list[Checkout] = []
        for number, key in enumerate(keys):
            folder = home / f"machine-{number}" / "study"
            if self.kind == "git":
                self._clone(home, folder)
            more = {"project": made[0].project} if made else {}
            made.append(Checkout(place, folder, key=key, env=self.env, **more))
            made[-1].write(**{"samples": SOME, "head": self.head(), **manifest})
        return made

    def _clone(self, home: Path, folder: Path) -> None:
        home.mkdir(exist_ok=True)
        if not (home / "remote.git").exists():
            _git(home, "init", "-q", "--bare", "remote.git")
        folder.parent.mkdir()
        _git(home, "clone", "-q", "remote.git", str(folder))

    # -- what is there

    def names(self, checkout: Checkout) -> list[str]:
        """The names of what this study has in the store."""
        return sorted(self._objects(checkout))

    def lease(self, checkout: Checkout) -> dict[str, Any]:
        if self.kind == "git":
            remote = checkout.folder.parent.parent / "remote.git"
            (commit,) = _git(remote, "for-each-ref", "--format=%(objectname)", "refs/manifest-runner/").split()
            return json.loads(_git(remote, "cat-file", "commit", commit).partition("\n\n")[2])
        return json.loads(self._objects(checkout)["study.lease.json"])

    def locked(self, checkout: Checkout) -> dict[str, Any]:
        """The lockfile that counts for this checkout."""
        return checkout.locked() if self.kind == "git" else json.loads(self._objects(checkout)["study.lock.json"])

    def _objects(self, checkout: Checkout) -> dict[str, bytes]:
        if self.kind == "file":
            home = self.folder / "state" / checkout.project
            return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}
        import obstore

        assert self.buckets is not None
        bucket, prefix = self.buckets.opened(self._bucket), f"state/{checkout.project}/"
        names = [entry["path"] for page in obstore.list(bucket, prefix) for entry in page]
        return {name.removeprefix(prefix): bytes(obstore.get(bucket, name).bytes()) for name in names}

    # -- what must hold

    def check(self, last: Checkout, executions: int = len(SOME)) -> None:
        """Check that each digest was executed once, the lockfile knows all, the lease is free, nothing is left."""
        last.assert_executed_once(executions)
        locked, lease = self.locked(last), self.lease(last)
        assert sorted(locked["items"]) == sorted({each.user_reference for each in last.executed()})
        assert all(item["status"] == "SUCCEEDED" for item in locked["items"].values())
        assert lease["since"] == lease["until"]
        assert set(lease["unseen"]) <= (locked["batches"].keys() if self.kind == "git" else set())
        if self.kind == "git":
            assert last.files() == [".git", last.lockfile.name, last.manifest.name]
        else:
            assert self.names(last) == ["study.lease.json", "study.lock.json"]
            assert last.files() == [last.manifest.name]


def _git(folder: Path, *arguments: str) -> str:
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    return subprocess.run(["git", *arguments], cwd=folder, env=env, check=True, capture_output=True, text=True).stdout


def wait_until_stopped(pid_file: Path) -> int:
    """The process that writes its id there, once SIGSTOP has stopped it."""
    for _ in range(3000):
        if pid_file.exists() and (text := pid_file.read_text()):
            state = Path(f"/proc/{text}/stat").read_text().rpartition(")")[2].split()[0]
            if state in ("T", "Z"):
                return int(text)
        time.sleep(0.01)
    raise AssertionError("it was never stopped")


def go_on(pid: int) -> None:
    os.kill(pid, signal.SIGCONT)
