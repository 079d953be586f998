"""Run git as a process: with a clean environment, no prompts, a time limit, and errors in plain words."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from manifest_runner.errors import Refused, RunnerError, Unreachable, UsageProblem

# Variables that a hook or another git has set would point to its repository. These are kept: they configure
# transport and authentication.
_KEPT = re.compile(
    r"GIT_(EXEC_PATH|SSH|SSH_COMMAND|SSH_VARIANT|ASKPASS|ALLOW_PROTOCOL|PROXY_COMMAND|SSL_\w+|HTTP_\w+"
    r"|CONFIG_(COUNT|KEY_\d+|VALUE_\d+|GLOBAL|SYSTEM|NOSYSTEM))"
)
_NO_QUESTIONS = {"GIT_TERMINAL_PROMPT": "0", "GCM_INTERACTIVE": "never", "SSH_ASKPASS_REQUIRE": "never"}
_QUIET_SSH = "ssh -o BatchMode=yes -o ConnectTimeout=10"
_WHO = {
    "GIT_AUTHOR_NAME": "manifest-runner",
    "GIT_AUTHOR_EMAIL": "manifest-runner@localhost",
    "GIT_COMMITTER_NAME": "manifest-runner",
    "GIT_COMMITTER_EMAIL": "manifest-runner@localhost",
}
_DENIED = (
    "Authentication failed",
    "Permission denied",
    "could not read Username",
    "could not read Password",
    "Host key verification failed",
    "returned error: 401",
    "returned error: 403",
    "access denied",
    "not allowed",
    "hook declined",
    "insufficient permission",
    "remote rejected",
)
_MISSING = ("does not appear to be a git repository", "not found", "No such remote", "not a git repository")
_IN_URL = re.compile(r"(?<=://)[^/@\s]+@")
_LONGEST = 300


class GitDone(NamedTuple):
    """The exit code of git, and its output."""

    code: int
    out: str
    err: str


class Git:
    """git in ``folder``. One command may take ``patience`` seconds."""

    def __init__(self, folder: Path, env: Mapping[str, str], *, patience: float) -> None:
        self._folder = folder
        self._env = clean_environment(env)
        self._patience = patience

    def run(self, *arguments: str, stdin: str = "") -> GitDone:
        """Run one command. Raises Unreachable if it takes too long, UsageProblem without git."""
        command = ["git", "-c", "gc.auto=0", "-c", "maintenance.auto=false", *arguments]
        try:
            process = subprocess.Popen(  # noqa: S603 - no shell, and every argument is ours
                command,
                cwd=self._folder,
                env=self._env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
        except OSError as e:
            raise UsageProblem(f"`lock: git` needs git, which cannot be run: {e.strerror or e}") from e
        try:
            out, err = process.communicate(stdin, timeout=self._patience)
        except subprocess.TimeoutExpired as e:
            _end(process)
            raise Unreachable(
                f"git {arguments[0]} did not end within {self._patience:g} s. Nothing is lost; run again."
            ) from e
        except BaseException:
            _end(process)
            raise
        return GitDone(process.returncode, out, err)

    def ok(self, *arguments: str, stdin: str = "") -> str:
        """The output of a command. Raises RunnerError if it fails."""
        done = self.run(*arguments, stdin=stdin)
        if done.code != 0:
            raise git_error(done.err, arguments[0])
        return done.out


def _end(process: subprocess.Popen[str]) -> None:
    """End git and its child processes, such as ssh."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def clean_environment(env: Mapping[str, str]) -> dict[str, str]:
    """The environment without variables that other programs set for their own git, or that git does not need."""
    kept = {
        name: value for name, value in env.items() if not name.startswith(("GIT_", "ICAV2_")) or _KEPT.fullmatch(name)
    }
    if "GIT_SSH" not in kept:
        kept.setdefault("GIT_SSH_COMMAND", _QUIET_SSH)
    return {**kept, **_NO_QUESTIONS, **_WHO, "LC_ALL": "C", "LANGUAGE": "C"}


def git_error(err: str, command: str) -> RunnerError:
    """The error for git's message: exit 4 if access is denied, 2 if the remote does not exist, otherwise 5."""
    said = _said(err)
    if any(mark in err for mark in _DENIED):
        return Refused(f"git {command} was refused: {said}. The lease needs the right to push to this remote.")
    if any(mark in err for mark in _MISSING):
        return UsageProblem(f"git {command}: {said}. `lock: git` needs a repository with a remote that exists.")
    return Unreachable(f"git {command} failed: {said}. Nothing is lost; run the same command again.")


def _said(err: str) -> str:
    """The most useful line of git's message, without any credential in a URL."""
    lines = [line.strip() for line in _IN_URL.sub("", err).splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "!", "remote:", "ssh:"))] or lines
    text = telling[0] if telling else "it gives no reason"
    return "".join(each if each.isprintable() else " " for each in text)[:_LONGEST].rstrip(".")
