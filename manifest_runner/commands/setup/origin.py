"""Who launches, and from which commit: as git says, if there is a repository."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from manifest_runner.errors import RunnerError
from manifest_runner.launch.journal.journal import Origin
from manifest_runner.lockfile.model import SourceCommit
from manifest_runner.lockfile.workspace import Workspace
from manifest_runner.text import plain_text

GIT_SECONDS = 10.0
LONGEST_NAME = 100


def find_origin(manifest: Path, workspace: Workspace, env: Mapping[str, str], plan: str | None) -> Origin:
    """For the lockfile's batches: the user's name, the commit, and whether files have changed since."""
    folder = manifest.absolute().parent
    commit = _git(folder, env, "rev-parse", "--verify", "--quiet", "HEAD")
    source = SourceCommit(commit, _is_dirty(folder, workspace, env)) if commit else None
    return Origin(user_name(folder, env), source, plan)


def user_name(folder: Path, env: Mapping[str, str]) -> str | None:
    """The user's name in git, otherwise the login name; never a mail address, only the part before its ``@``."""
    for name in (_git(folder, env, "config", "user.name"), _login()):
        if shown := plain_text((name or "").partition("@")[0].strip(), LONGEST_NAME):
            return shown
    return None


def _login() -> str | None:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # an id without a name, as in a container
        return None


def _is_dirty(folder: Path, workspace: Workspace, env: Mapping[str, str]) -> bool:
    """Whether any file in the manifest's folder differs from the commit, except those that a run writes."""
    own = (workspace.lockfile, workspace.journal, workspace.running, *workspace.leases())
    left_out = [f":(exclude,literal){path.name}" for path in own if path.absolute().parent == folder]
    arguments = ("status", "--porcelain", "--", ".", *left_out, ":(exclude).manifest-runner")
    return bool(_git(folder, env, "--no-optional-locks", *arguments))


def _git(folder: Path, env: Mapping[str, str], *arguments: str) -> str | None:
    """What a git command prints; None without git, a repository or an answer."""
    from manifest_runner.store.git_process import Git

    try:
        done = Git(folder, env, patience=GIT_SECONDS).run(*arguments)
    except RunnerError:
        return None
    return done.out.strip() if done.code == 0 else None
