"""``lock``: the lease of a manifest, its lockfile in a store, and the lockfiles of two branches."""

from __future__ import annotations

from pathlib import Path

import click

from manifest_runner.cli.console import Console
from manifest_runner.cli.option_groups import ignored
from manifest_runner.cli.options import console_options, one_manifest, target_options, yes_option
from manifest_runner.cli.parameter_types import FILE
from manifest_runner.cli.progress import context_of, progress_on, working
from manifest_runner.commands.setup.options import Target

MERGE_EPILOG = """\b
As git's merge driver, once in each clone:
  git config merge.manifest-runner.driver "manifest-runner lock merge %O %A %B"
and in .gitattributes, which is committed:
  *.lock.json merge=manifest-runner

\b
For a conflict that already exists:
  git show :1:./study.lock.json > base
  git show :2:./study.lock.json > ours
  git show :3:./study.lock.json > theirs
  manifest-runner lock merge base ours theirs && mv ours study.lock.json && rm base theirs
  git add study.lock.json
"""


@click.group(name="lock")
def command() -> None:
    """Manage the lease, and copy or merge lockfiles."""


@command.command(epilog=MERGE_EPILOG)
@click.argument("base", type=FILE)
@click.argument("ours", type=FILE)
@click.argument("theirs", type=FILE)
@console_options
@ignored("target", target_options)
def merge(base: Path, ours: Path, theirs: Path, console: Console) -> None:
    """Merge three lockfiles into OURS.

    The result has every launch of both sides, and there are never conflicts. The arguments are those of git's merge
    drivers: %O %A %B.
    """
    from manifest_runner.commands.lock.merge import merge as merge_files

    merged = merge_files(base, ours, theirs)
    console.result([], {"lockfile": str(ours), "items": len(merged.items)})


@command.command()
@one_manifest
@target_options
@console_options
def show(manifest: Path, target: Target, console: Console) -> None:
    """Show who holds the manifest's lease."""
    from manifest_runner.cli.views.lease import lease_document, lease_lines
    from manifest_runner.commands.lock.lease import show_lease

    with working(console) as context:
        state = show_lease(manifest, target, context)
    console.result(lease_lines(state), lease_document(state))


@command.command()
@one_manifest
@yes_option
@target_options
@console_options
def release(manifest: Path, yes: bool, target: Target, console: Console) -> None:
    """Release the lease of a run that is dead.

    The next run then takes it at once. If the run is still alive after all, it sends nothing more.
    """
    from manifest_runner.cli.views.lease import lease_document, lease_lines, released_lines
    from manifest_runner.commands.lock.lease import LeaseState, release_lease

    with progress_on(console) as progress:

        def approve(state: LeaseState) -> bool:
            if yes or not console.is_interactive:
                return yes
            return progress.ask(lease_lines(state), "Release it?")

        before = release_lease(manifest, target, context_of(progress), approve)
    console.result(released_lines(before), lease_document(before))


@command.command()
@one_manifest
@target_options
@console_options
def pull(manifest: Path, target: Target, console: Console) -> None:
    """Copy the lockfile from the store to the file beside the manifest."""
    from manifest_runner.cli.views.lease import copied_document, copied_lines
    from manifest_runner.commands.lock import transfer

    with working(console) as context:
        copied = transfer.pull(manifest, target, context)
    console.result(copied_lines(copied), copied_document(copied))


@command.command()
@one_manifest
@click.option("--force", is_flag=True, help="Overwrite the lockfile in the store.")
@target_options
@console_options
def push(manifest: Path, force: bool, target: Target, console: Console) -> None:
    """Copy the lockfile beside the manifest to the store.

    Do this once, when you add `state` to a manifest that already has launches, so that nothing is launched again.
    """
    from manifest_runner.cli.views.lease import copied_document, copied_lines
    from manifest_runner.commands.lock import transfer

    with working(console) as context:
        copied = transfer.push(manifest, target, context, force=force)
    console.result(copied_lines(copied), copied_document(copied))
