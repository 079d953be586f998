"""Stories run on the command line, as its own process, against the emulator."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

import pytest
import served_cli

from manifest_runner.emulator import EmulatorOptions, execution_record, parse_oddities, running
from manifest_runner.planning.identity import DIGEST_STAMP

PROJECT = "7595e8f2-32d3-4c76-a324-c6a85dae87b5"
API_KEY = "s3cret-of-the-stories"


@dataclass(frozen=True)
class Emulator:
    """A running emulator. ``url`` is without a path."""

    url: str
    database: Path

    def executed(self) -> list[str]:
        """The userReferences that were created, one for each time."""
        return [execution.user_reference for execution in execution_record.executions(self.database)]

    def requests(self) -> Counter[str]:
        """How often each endpoint was asked, by its name: ``GET /api/projects/{projectId}/data``."""
        return execution_record.requests(self.database)

    def most_unfinished(self) -> int:
        """How many analyses were unfinished at once."""
        return execution_record.most_unfinished(self.database)


# Variables that an interpreter reads when it starts, but a fork of one does not.
_IS_READ_AT_START = re.compile("PYTHON|LC_|LANG")


class Done(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Cli:
    """The command line in a folder of its own; ``env`` is its whole environment."""

    def __init__(self, folder: Path, env: dict[str, str], served: str) -> None:
        self.folder = folder
        self.env = env
        self.served = served

    def __call__(self, *arguments: str, **env: str) -> Done:
        """Run one command; ``env`` adds to the environment."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, Path(os.devnull).open() as nothing:
            files = (nothing.fileno(), out.fileno(), err.fileno())
            run = _interpreted if any(map(_IS_READ_AT_START.match, env)) else partial(served_cli.call, self.served)
            code = run([*arguments], str(self.folder), {**self.env, **env}, files)
            said = [_text(file) for file in (out, err)]
        assert "Traceback" not in said[1], said[1]
        return Done(code, *said)

    def ok(self, *arguments: str, **env: str) -> Done:
        """Run one command that must end with 0."""
        done = self(*arguments, **env)
        assert done.code == 0, f"exit {done.code}\n{done.out}{done.err}"
        return done

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin one command, in a process of its own that has no input."""
        return subprocess.Popen(
            [sys.executable, "-m", "manifest_runner", *arguments],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def digests(self, manifest: str = "study.yaml") -> dict[str, str]:
        """The digest of each item of a manifest, as far as its stamp shows it, by userReference."""
        return digests_of(self.ok("render", manifest).json)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def lockfile(self, name: str = "study.lock.json") -> Any:
        return json.loads(self.read(name))

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


def _interpreted(arguments: list[str], folder: str, env: dict[str, str], files: tuple[int, int, int]) -> int:
    """Run a command in an interpreter of its own, which reads the environment when it starts."""
    command = [sys.executable, "-m", "manifest_runner", *arguments]
    stdin, stdout, stderr = files
    return subprocess.run(
        command,
        cwd=folder,
        env=env,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        timeout=served_cli.SECONDS,
        check=False,
    ).returncode


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def digests_of(batches: Any) -> dict[str, str]:
    """The digest of each item of rendered batches, as far as its stamp shows it, by userReference."""
    requests = [request for batch in batches for kind in batch["body"].values() for request in kind]
    return {request["userReference"]: _stamp(request) for request in requests}


def _stamp(request: dict[str, Any]) -> str:
    (stamp,) = (tag for tag in request["tags"]["technicalTags"] if tag.startswith(DIGEST_STAMP))
    return str(stamp.removeprefix(DIGEST_STAMP))


@pytest.fixture(name="emulator")
def _emulator(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Emulator]:
    """An emulator that creates items at once; parametrise it indirectly with more EmulatorOptions.

    A ``catalog`` is the text of one, ``oddities`` are as on the command line: ``["no-v4", "max-url=2000"]``.
    """
    chosen = {"creation_delay": 0.0, "analysis_duration": 0.0, **getattr(request, "param", {})}
    chosen["oddities"] = parse_oddities(chosen.get("oddities", ()))
    if "catalog" in chosen:
        text, chosen["catalog"] = chosen["catalog"], tmp_path / "catalog.yaml"
        chosen["catalog"].write_text(text, encoding="utf-8")
    options = EmulatorOptions(database=tmp_path / "emulator.sqlite3", **chosen)
    with running(options) as url:
        yield Emulator(url, options.database)


@pytest.fixture(scope="session", name="served")
def _served() -> Iterator[str]:
    """The socket of the server that runs commands."""
    with tempfile.TemporaryDirectory() as folder:  # whose path is short enough for a socket
        at = f"{folder}/cli"
        command = [sys.executable, served_cli.__file__, "serve", at]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
            assert server.stdout is not None
            server.stdout.readline()
            yield at
            assert server.stdin is not None
            server.stdin.close()


@pytest.fixture(name="cli")
def _cli(request: pytest.FixtureRequest, tmp_path: Path, served: str) -> Cli:
    """The command line. It talks to the emulator of the test, or else to a port where nobody answers."""
    folder, home = tmp_path / "work", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    server = request.getfixturevalue("emulator").url if "emulator" in request.fixturenames else "http://127.0.0.1:1"
    env = {
        "HOME": str(home),
        "ICAV2_SERVER_URL": server,
        "ICAV2_X_API_KEY": API_KEY,
        "LC_ALL": "C.UTF-8",
        "PATH": os.environ.get("PATH", ""),
    }
    return Cli(folder, env, served)


@pytest.fixture(name="copy_example")
def _copy_example(cli: Cli) -> Callable[[Path], Path]:
    """Copy a folder into that of the command line, without files that a trial has left there."""
    tried = shutil.ignore_patterns("*.lock.json", "*.journal", "*.running", ".manifest-runner")
    return lambda example: shutil.copytree(example, cli.folder, ignore=tried, dirs_exist_ok=True)
