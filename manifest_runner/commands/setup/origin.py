"""Who launches and what is checked out, for the lockfile's batches: from git, as far as there is one."""

from __future__ import annotations

import getpass
import subprocess
from collections.abc import Mapping
from pathlib import Path

from manifest_runner.launch.journal.journal import Origin
from manifest_runner.lockfile.model import Source
from manifest_runner.lockfile.workspace import Workspace
from manifest_runner.text import plain_text

GIT_SECONDS = 10.0
LONGEST_NAME = 100


def find_origin(manifest: Path, workspace: Workspace, env: Mapping[str, str], plan: str | None) -> Origin:
    """The user by git's name or the login's, never by a mail address; the commit, and whether files have changed."""
    folder = manifest.absolute().parent
    commit = _git(folder, env, "rev-parse", "--verify", "--quiet", "HEAD")
    source = Source(commit, _is_dirty(folder, workspace, env)) if commit else None
    return Origin(_user(folder, env), source, plan)


def _user(folder: Path, env: Mapping[str, str]) -> str | None:
    for name in (_git(folder, env, "config", "user.name"), _login()):
        shown = plain_text((name or "").strip(), LONGEST_NAME)
        if shown and "@" not in shown:
            return shown
    return None


def _login() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # an id without a name, as in a container
        return None


def _is_dirty(folder: Path, workspace: Workspace, env: Mapping[str, str]) -> bool:
    """Whether anything beside the manifest differs from the commit, but for what a run itself writes."""
    own = (workspace.lockfile, workspace.journal, workspace.running, *workspace.leases())
    left_out = [f":(exclude,literal){path.name}" for path in own if path.absolute().parent == folder]
    status = _git(folder, env, "status", "--porcelain", "--", ".", *left_out, ":(exclude).manifest-runner")
    return bool(status)


def _git(folder: Path, env: Mapping[str, str], *arguments: str) -> str | None:
    """What a git command prints; None where there is no git, no repository, or no answer."""
    try:
        ended = subprocess.run(  # noqa: S603 - a fixed program, and no shell
            ["git", *arguments],  # noqa: S607 - wherever it is installed
            cwd=folder,
            env={**env, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return ended.stdout.decode("utf-8", "replace").strip() if ended.returncode == 0 else None
