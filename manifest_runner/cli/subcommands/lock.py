"""``lock``: work on lockfiles."""

from __future__ import annotations

from pathlib import Path

import click

from manifest_runner.cli.options import FILE
from manifest_runner.errors import BadState

MERGE_EPILOG = """\b
As git's merge driver, once in each clone:
  git config merge.manifest-runner.driver "manifest-runner lock merge %O %A %B"
and in .gitattributes, which is committed:
  *.lock.json merge=manifest-runner

\b
For a conflict that already exists:
  git show :1:study.lock.json > base
  git show :2:study.lock.json > ours
  git show :3:study.lock.json > theirs
  manifest-runner lock merge base ours theirs && mv ours study.lock.json
  git add study.lock.json
"""


@click.group(name="lock")
def command() -> None:
    """Merge the lockfiles of two branches."""


@command.command(epilog=MERGE_EPILOG)
@click.argument("base", type=FILE)
@click.argument("ours", type=FILE)
@click.argument("theirs", type=FILE)
def merge(base: Path, ours: Path, theirs: Path) -> None:
    """Merge three lockfiles into OURS.

    Nothing that either side launched is lost, and there are never conflicts. The arguments are those of git's merge
    drivers: %O %A %B.
    """
    from manifest_runner.lockfile.file import load_lockfile, write_lockfile
    from manifest_runner.lockfile.merge import merge_lockfiles

    mine, other = load_lockfile(ours), load_lockfile(theirs)
    if mine is None or other is None:
        raise BadState(f"{theirs if mine else ours}: there is no such lockfile")
    is_empty = not base.exists() or not base.read_bytes().strip()
    write_lockfile(ours, merge_lockfiles(None if is_empty else load_lockfile(base), mine, other))
