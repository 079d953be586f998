"""What to call whoever runs this: git's user name, else the login's; never a mail address."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from manifest_runner.errors import RunnerError

UNKNOWN_USER = "unknown"


def user_name(folder: Path, env: Mapping[str, str]) -> str:
    """Of an address only what stands before the ``@``."""
    found = _of_git(folder, env) or _of_login()
    return found.partition("@")[0].strip() or UNKNOWN_USER


def _of_git(folder: Path, env: Mapping[str, str]) -> str:
    from manifest_runner.store.git_process import Git

    try:
        return Git(folder, env, patience=5.0).run("config", "--get", "user.name").out.strip()
    except RunnerError:
        return ""


def _of_login() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
