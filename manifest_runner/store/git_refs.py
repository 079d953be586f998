"""Small values as git refs of a remote: pushing with ``--force-with-lease`` is compare-and-swap.

A value is the message of a commit without parents and with an empty tree, so it is in nobody's history, no clone
fetches it, and it needs no server except that of the manifest's repository.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from manifest_runner.errors import Unreachable, UsageProblem
from manifest_runner.store.git_process import Git, git_error
from manifest_runner.store.interface import Conflict, Stored, Unchanged

_FOLDER = "refs/manifest-runner/"
_CHANGED = (
    "stale info",
    "cannot lock ref",
    "fetch first",
    "non-fast-forward",
    "already exists",
    "failed to update ref",
)
_DEFAULT_REMOTE = "origin"
_TRIES = 5


class GitRefs:
    """Refs below ``refs/manifest-runner/`` at ``remote`` of the repository that contains ``folder``.

    The default is the only remote, or `origin`. Raises UsageProblem if there is no repository or remote.
    """

    def __init__(self, folder: Path, remote: str | None, env: Mapping[str, str], *, patience: float) -> None:
        self._git = Git(folder, env, patience=patience)
        self.remote = self._find(remote, folder)

    def _find(self, wanted: str | None, folder: Path) -> str:
        done = self._git.run("remote")
        if done.code != 0:
            raise UsageProblem(f"{folder}: `lock: git` needs the manifest in a git repository, and this is not one")
        remotes = done.out.split()
        chosen = wanted or (remotes[0] if len(remotes) == 1 else _DEFAULT_REMOTE)
        if chosen not in remotes:
            known = f"it has {', '.join(remotes)}" if remotes else "it has none"
            raise UsageProblem(
                f"{folder}: this git repository has no remote {chosen!r} for `lock: git`: {known}. Add one with "
                "`git remote add`, or name another with `git: NAME` in the manifest."
            )
        return chosen

    def where(self, name: str) -> str:
        return f"{_FOLDER}{name} at {self.remote}"

    def get(self, name: str, *, unless: str | None = None) -> Stored | None:
        for _ in range(_TRIES):
            listed = self._git.ok("ls-remote", self.remote, _FOLDER + name).split()
            if not listed:
                return None
            if listed[0] == unless:
                raise Unchanged(name)
            if not self._has(listed[0]):
                self._fetch(name)
            if self._has(listed[0]):  # otherwise it has changed since it was listed
                return Stored(self._message(listed[0]), listed[0])
        raise Unreachable(f"{self.where(name)}: changes faster than it can be read. Nothing is lost; run again.")

    def create(self, name: str, content: bytes) -> str:
        return self._push(name, content, "")

    def replace(self, name: str, content: bytes, version: str) -> str:
        return self._push(name, content, version)

    def delete(self, names: Sequence[str]) -> None:
        for name in names:
            self._git.ok("push", "--quiet", "--no-verify", self.remote, f":{_FOLDER}{name}")

    def names(self, folder: str) -> list[str]:
        listed = self._git.ok("ls-remote", self.remote, f"{_FOLDER}{folder}*").splitlines()
        return sorted(line.split()[1].removeprefix(_FOLDER) for line in listed)

    def probe(self, name: str, content: bytes) -> None:
        """Do nothing: every git server compares before it moves a ref."""

    def _has(self, commit: str) -> bool:
        return self._git.run("cat-file", "-e", commit).code == 0

    def _fetch(self, name: str) -> None:
        """Fetch only the commit; the user's branches, tags and FETCH_HEAD stay as they are."""
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
        self._git.ok("fetch", *options, self.remote, _FOLDER + name)

    def _message(self, commit: str) -> bytes:
        raw = self._git.ok("cat-file", "commit", commit)
        return raw.partition("\n\n")[2].encode()

    @cached_property
    def _empty_tree(self) -> str:
        """The id of the empty tree, which the repository then has."""
        return self._git.ok("hash-object", "-t", "tree", "-w", "--stdin").strip()

    def _push(self, name: str, content: bytes, expected: str) -> str:
        ref = _FOLDER + name
        commit = self._git.ok("commit-tree", self._empty_tree, stdin=content.decode()).strip()
        lease = f"--force-with-lease={ref}:{expected}"
        done = self._git.run("push", "--porcelain", "--no-verify", lease, self.remote, f"{commit}:{ref}")
        if done.code == 0:
            return commit
        said = done.out + done.err
        if any(mark in said for mark in _CHANGED):
            raise Conflict(name)
        raise git_error(_rejection(done.out) or done.err, "push")


def _rejection(porcelain: str) -> str:
    return "\n".join(line for line in porcelain.splitlines() if line.startswith("!"))
